import type { OrderBook } from '../market/order-book.ts';
import type { Clearing } from '../market/trade.ts';
import { type MeterTrack, NEW_METER } from '../metering/interval-energy.ts';
import { type Accounts, NEW_ACCOUNTS } from '../settlement/accounts.ts';
import type { IntervalSettlement } from '../settlement/interval-settlement.ts';
import type { Statement } from '../settlement/statement.ts';
import type { Wh } from '../units/energy.ts';
import type { MemberId } from '../units/identity.ts';
import type { PriceBand, Tariff, TariffRefusal } from '../units/tariff.ts';
import type { EpochMs } from '../units/time.ts';
import { canonicalJson, type MarketTerms } from './command.ts';

/** One delivery interval on its way from opening to settlement. */
export interface Product {
  readonly start: EpochMs;
  readonly tariff: Tariff;
  /** A refusal: the product was announced and takes no orders; its energy is settled at the tariff. */
  readonly band: PriceBand | TariffRefusal;
  readonly book: OrderBook | null;
  clearing: Clearing | null;
}

/** The whole state of one market's engine. Only `applyCommand` changes it. */
export interface EngineState {
  terms: MarketTerms | null;
  /** Of the last command. */
  sequence: number;
  /** Market time of the last command. */
  now: EpochMs;
  lastOpened: EpochMs | null;
  /** The last boundary whose interval was completed. */
  completedUntil: EpochMs | null;
  readonly products: Map<EpochMs, Product>;
  readonly meters: Map<MemberId, MeterTrack>;
  feederMeter: MeterTrack;
  readonly settlements: Map<EpochMs, IntervalSettlement>;
  accounts: Accounts;
  statements: ReadonlyMap<MemberId, Statement>;
}

export function newEngineState(): EngineState {
  return {
    terms: null,
    sequence: 0,
    now: 0 as EpochMs,
    lastOpened: null,
    completedUntil: null,
    products: new Map(),
    meters: new Map(),
    feederMeter: NEW_METER,
    settlements: new Map(),
    accounts: NEW_ACCOUNTS,
    statements: new Map(),
  };
}

/** What a member bought or sold in a cleared product, Wh. */
export function tradedBy(clearing: Clearing | null, member: MemberId): { readonly bought: Wh; readonly sold: Wh } {
  let [bought, sold] = [0, 0];
  for (const trade of clearing?.trades ?? []) {
    if (trade.buyer === member) bought += trade.energy;
    if (trade.seller === member) sold += trade.energy;
  }
  return { bought: bought as Wh, sold: sold as Wh };
}

/** A canonical text of the state: two engines that agree have equal texts, and so equal hashes. */
export function stateText(state: EngineState): string {
  const products = [...state.products.values()].map(({ book, ...product }) => ({
    ...product,
    book: book?.snapshot() ?? null,
  }));
  return canonicalJson({ ...state, products });
}
