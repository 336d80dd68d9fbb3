import type { z } from '@hono/zod-openapi';
import type { ClearingArtefact } from '../../domain/proof/clearing-artefact.ts';
import type {
  ClearingView,
  IntervalView,
  LedgerView,
  MemberView,
  NowView,
  StatementView,
  TradeView,
  WhyView,
} from './api-schema.ts';

/** What happens on the market, in order. `id` rises by one or more with every event of this process. */
export type ApiEvent = { readonly id: number } & (
  | { readonly event: 'now'; readonly data: NowView }
  | { readonly event: 'clearing'; readonly data: ClearingView }
  | { readonly event: 'interval'; readonly data: IntervalView }
);

/** The answer to an order, a cancellation or a batch of them. `sequence` is its place in the journal where it took one. */
export interface Verdict {
  readonly ok: boolean;
  readonly code: string;
  readonly sequence?: number;
  /** With `rate_limited` and `queue_full`: when to ask again. */
  readonly retryAfterMs?: number;
  /** Of a batch that was opened: the answer to each entry, in its order. */
  readonly entries?: readonly EntryVerdict[];
}

export interface EntryVerdict {
  readonly kind: 'order' | 'cancel';
  readonly product: number;
  readonly clientOrderId: number;
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
  /** Why that product has its price, and with `member` what became of its orders. Null: not cleared. */
  why(interval: number, member?: string): Answer<WhyView | 'unknown_member' | null>;
  /** What the root of that product was made of: all of it, or with `member` what that member may see. Null: no root. */
  artefact(interval: number, member?: string): Answer<ClearingArtefact | 'unknown_member' | null>;
  /** The latest `limit` intervals, oldest first. */
  intervals(limit: number): Answer<readonly IntervalView[]>;
  /** Of that interval, or of the latest cleared one. */
  trades(interval?: number): Answer<readonly TradeView[]>;
  members(): Answer<readonly MemberView[]>;
  member(id: string): Answer<StatementView | null>;
  ledger(): Answer<LedgerView>;
  /** An order, a cancellation or a batch. Resolves when the verdict is journaled. */
  submitOrder(member: string, message: Message): Promise<Verdict>;
  /** Every event from now on, a `now` about once a second. Returns how to stop. */
  events(listener: (event: ApiEvent) => void): () => void;
}

/** The wire schema of an order, a cancellation or a batch, without the member that sends it. */
export type MessageSchema = z.ZodObject<Readonly<Record<string, z.ZodType>>>;
