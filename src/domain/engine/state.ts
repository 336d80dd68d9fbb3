import type { MechanismName } from '../market/mechanism.ts';
import { MemberDirectory } from '../market/member-directory.ts';
import { MemberTable } from '../market/member-table.ts';
import type { ProductBook } from '../market/product-book.ts';
import type { Clearing } from '../market/trade.ts';
import { type MeterTrack, NEW_METER } from '../metering/interval-energy.ts';
import { type Accounts, NEW_ACCOUNTS } from '../settlement/accounts.ts';
import type { IntervalSettlement } from '../settlement/interval-settlement.ts';
import type { MemberTotals } from '../settlement/member-totals.ts';
import type { Statement } from '../settlement/statement.ts';
import { assert } from '../units/assert.ts';
import { addWh, type Wh, ZERO_WH } from '../units/energy.ts';
import type { MemberId } from '../units/identity.ts';
import type { PriceBand, Tariff, TariffRefusal } from '../units/tariff.ts';
import type { EpochMs } from '../units/time.ts';
import type { MarketTerms } from './command.ts';

/** One delivery interval on its way from opening to settlement. */
export interface Product {
  readonly start: EpochMs;
  readonly mechanism: MechanismName;
  readonly tariff: Tariff;
  /** A refusal: the product was announced and takes no orders; its energy is settled at the tariff. */
  readonly band: PriceBand | TariffRefusal;
  readonly book: ProductBook | null;
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
  /** Everybody who was ever admitted ... */
  readonly members: MemberDirectory<MemberTable>;
  /** ... and of them, by number, those that the terms still name. */
  readonly current: Set<number>;
  /** Every zone that the terms ever named; a member's zone is a place in this list. */
  readonly zones: string[];
  readonly products: Map<EpochMs, Product>;
  readonly meters: Map<MemberId, MeterTrack>;
  feederMeter: MeterTrack;
  /** The latest, as many as the dispute window is long. */
  readonly settlements: Map<EpochMs, IntervalSettlement>;
  /** What was imported in each interval of the last week: substitutes are made of it. */
  readonly weekImports: Map<EpochMs, ReadonlyMap<MemberId, Wh>>;
  accounts: Accounts;
  statements: ReadonlyMap<MemberId, Statement>;
  /** Since the market began, whatever is forgotten above. */
  readonly totals: Map<MemberId, MemberTotals>;
}

export function newEngineState(): EngineState {
  return {
    terms: null,
    sequence: 0,
    now: 0 as EpochMs,
    lastOpened: null,
    completedUntil: null,
    members: new MemberDirectory(new MemberTable()),
    current: new Set(),
    zones: [],
    products: new Map(),
    meters: new Map(),
    feederMeter: NEW_METER,
    settlements: new Map(),
    weekImports: new Map(),
    accounts: NEW_ACCOUNTS,
    statements: new Map(),
    totals: new Map(),
  };
}

/** What one member bought and sold in a cleared product, Wh. */
export interface Traded {
  readonly bought: Wh;
  readonly sold: Wh;
}

export const NOTHING_TRADED: Traded = { bought: ZERO_WH, sold: ZERO_WH };

/** What every member with trades bought and sold, Wh. */
export function tradedByMember(clearing: Clearing | null): Map<MemberId, Traded> {
  const traded = new Map<MemberId, Traded>();
  for (const { buyer, seller, energy } of clearing?.trades ?? []) {
    const [ofBuyer, ofSeller] = [traded.get(buyer) ?? NOTHING_TRADED, traded.get(seller) ?? NOTHING_TRADED];
    traded.set(buyer, { ...ofBuyer, bought: addWh(ofBuyer.bought, energy) });
    traded.set(seller, { ...ofSeller, sold: addWh(ofSeller.sold, energy) });
  }
  return traded;
}

/** The rules as they stand. @throws a bug before the first command, which brings them */
export function termsOf({ terms }: EngineState): MarketTerms {
  assert(terms !== null, 'the terms come first');
  return terms;
}
