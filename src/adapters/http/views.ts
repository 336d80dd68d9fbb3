import type { z } from '@hono/zod-openapi';
import type {
  ClearingView,
  IntervalView,
  LedgerView,
  MemberView,
  NowView,
  StatementView,
  TradeView,
} from './api-schema.ts';

/** What happens on the market, in order. `id` rises by one or more with every event of this process. */
export type ApiEvent = { readonly id: number } & (
  | { readonly event: 'now'; readonly data: NowView }
  | { readonly event: 'clearing'; readonly data: ClearingView }
  | { readonly event: 'interval'; readonly data: IntervalView }
);

/** The answer to an order or a cancellation. `sequence` is its place in the journal where it took one. */
export interface Verdict {
  readonly ok: boolean;
  readonly code: string;
  readonly sequence?: number;
}

type Answer<Value> = Value | Promise<Value>;

/** What the engine lets the world see and do. Lists are in order of time; a Fault becomes a 503 that names its code. */
export interface ApiViews<Message> {
  now(): Answer<NowView>;
  /** Of the product that starts at `interval`, or the latest. Null: not cleared, or before the first. */
  clearing(interval?: number): Answer<ClearingView | null>;
  /** The latest `limit` intervals, oldest first. */
  intervals(limit: number): Answer<readonly IntervalView[]>;
  /** Of that interval, or of the latest cleared one. */
  trades(interval?: number): Answer<readonly TradeView[]>;
  members(): Answer<readonly MemberView[]>;
  member(id: string): Answer<StatementView | null>;
  ledger(): Answer<LedgerView>;
  /** Resolves when the verdict is journaled. */
  submitOrder(member: string, message: Message): Promise<Verdict>;
  /** Every event from now on, a `now` about once a second. Returns how to stop. */
  events(listener: (event: ApiEvent) => void): () => void;
}

/** The wire schema of an order or a cancellation, without the member that sends it. */
export type MessageSchema = z.ZodObject<Readonly<Record<string, z.ZodType>>>;
