import type { EnergyOrigin } from '../metering/meter-reading.ts';
import type { Wh } from '../units/energy.ts';
import type { MarketId, MemberId } from '../units/identity.ts';
import type { DeliveryInterval } from '../units/interval.ts';
import type { Nano, NanoTotal } from '../units/money.ts';
import type { PricePerKwh } from '../units/price.ts';
import type { Tariff } from '../units/tariff.ts';

/** The prices one interval is settled at. */
export interface SettlementPrices {
  /**
   * Of the trades; where they have prices of their own their mean, and where nothing traded the mid-market price: then
   * it only anchors the imbalance prices.
   */
  readonly local: PricePerKwh;
  /** Paid by members who are short for energy balanced inside the street: local <= short <= import. */
  readonly short: PricePerKwh;
  /** Paid to members who are long for it: export <= long <= local. */
  readonly long: PricePerKwh;
  readonly tariff: Tariff;
  /** Paid per kWh that was sold and, by the member's own doing, not delivered. Absent: none. */
  readonly penalty?: PricePerKwh;
  /** `allocated`: only what is allocated is charged here, each home has a supply contract for the rest. Absent: single. */
  readonly supply?: 'allocated';
}

/**
 * Why sold energy was not delivered. member: its own doing, the only one that carries a penalty. lease_expired: its
 * relay was not permitted to close. operator, grid: they curtailed it. reading_missing: nobody knows whether it was.
 */
export type ShortfallCause = 'member' | 'lease_expired' | 'operator' | 'grid' | 'reading_missing';

/** What a member receives for its trades, nano-currency: at positive prices `bought` is negative. Without grid fees. */
export interface TradeAmounts {
  readonly bought: Nano;
  readonly sold: Nano;
}

/** One member's position in one interval: what was traded, what the two registers show, what met inside the street. */
export interface MemberPosition {
  readonly member: MemberId;
  /** Traded; of `supply: allocated` what was allocated of it. */
  readonly bought: Wh;
  readonly sold: Wh;
  readonly imported: Wh;
  readonly exported: Wh;
  /** Of the long side (metered more out, or less in, than traded): met a neighbour's need at the `long` price. */
  readonly balancedLong: Wh;
  /** Of the short side (metered more in, or less out, than traded): met by a neighbour at the `short` price. */
  readonly balancedShort: Wh;
  readonly origin: EnergyOrigin;
  /** The exact sum of trades that have prices of their own. Absent: all at the local price. */
  readonly tradeAmounts?: TradeAmounts;
  /** Of the member's zone, per kWh bought and taken. Absent: none. */
  readonly gridFee?: PricePerKwh;
  /** What of the shortfall carries a penalty. Absent: nothing. */
  readonly penalised?: Wh;
  /** Of a `DELIVERY_FAILURE`. Absent: there is none. */
  readonly cause?: ShortfallCause;
  /** Of `supply: allocated`: what was traded before it was allocated. */
  readonly contracted?: { readonly bought: Wh; readonly sold: Wh };
}

/** What the feeder meter at the point of common coupling saw, and so what the utility bills. */
export interface FeederEnergy {
  readonly imported: Wh;
  readonly exported: Wh;
}

/**
 * A settled interval. Members, utility, grid and community sum to zero; the utility's own account is computed from the
 * feeder meter apart from this, and conservation compares the two.
 */
export interface IntervalSettlement {
  readonly market: MarketId;
  readonly interval: DeliveryInterval;
  readonly prices: SettlementPrices;
  readonly positions: readonly MemberPosition[];
  readonly feeder: FeederEnergy;
  readonly amounts: SettlementAmounts;
}

/** Nano-currency, positive is received. One posting is exact as a number, what settlement sums up is a bigint. */
export type Amount = Nano | NanoTotal;

export interface SettlementAmounts {
  readonly members: readonly Amount[];
  readonly community: Amount;
  readonly utility: Amount;
  /** Absent: no grid fees. */
  readonly grid?: Amount;
}
