import type { EnergyOrigin } from '../metering/meter-reading.ts';
import type { Wh } from '../units/energy.ts';
import type { MarketId, MemberId } from '../units/identity.ts';
import type { DeliveryInterval } from '../units/interval.ts';
import type { Nano } from '../units/money.ts';
import type { PricePerKwh } from '../units/price.ts';
import type { Tariff } from '../units/tariff.ts';

/** The prices one interval is settled at. */
export interface SettlementPrices {
  /** Of the trades; where nothing traded, the mid-market price, which then only anchors the imbalance prices. */
  readonly local: PricePerKwh;
  /** Paid by members who are short for energy balanced inside the street: local <= short <= import. */
  readonly short: PricePerKwh;
  /** Paid to members who are long for it: export <= long <= local. */
  readonly long: PricePerKwh;
  readonly tariff: Tariff;
}

/** One member's position in one interval: what was traded, what the two registers show, what met inside the street. */
export interface MemberPosition {
  readonly member: MemberId;
  readonly bought: Wh;
  readonly sold: Wh;
  readonly imported: Wh;
  readonly exported: Wh;
  /** Of the long side (metered more out, or less in, than traded): met a neighbour's need at the `long` price. */
  readonly balancedLong: Wh;
  /** Of the short side (metered more in, or less out, than traded): met by a neighbour at the `short` price. */
  readonly balancedShort: Wh;
  readonly origin: EnergyOrigin;
}

/** What the feeder meter at the point of common coupling saw, and so what the utility bills. */
export interface FeederEnergy {
  readonly imported: Wh;
  readonly exported: Wh;
}

/**
 * A settled interval of `supply: single`. Members, utility and community sum to zero; the utility's own account is
 * computed from the feeder meter apart from this, and conservation compares the two.
 */
export interface IntervalSettlement {
  readonly market: MarketId;
  readonly interval: DeliveryInterval;
  readonly prices: SettlementPrices;
  readonly positions: readonly MemberPosition[];
  readonly feeder: FeederEnergy;
  readonly amounts: SettlementAmounts;
}

/** Nano-currency, positive is received. */
export interface SettlementAmounts {
  readonly members: readonly Nano[];
  readonly community: Nano;
  readonly utility: Nano;
}
