import { type Wh, wh } from '../units/energy.ts';
import { type NanoTotal, ZERO_TOTAL } from '../units/money.ts';
import type { PricePerKwh } from '../units/price.ts';
import type { ProductRules } from './book.ts';
import { fillOrders } from './call-filling.ts';
import { giveBestFirst, levelsOf } from './call-levels.ts';
import { clearingPointOfTicks } from './clearing-price.ts';
import type { ClientOrderId } from './order.ts';
import { planZones } from './zonal-clearing.ts';

/** The orders of one call as the book holds them, in the order of arrival. Nothing of it is changed or kept. */
export interface CallOrders {
  /** Four words an order: two of the book's own, CALL_OPEN and CALL_KEY of `call-levels.ts`. */
  readonly hot: Int32Array;
  readonly count: number;
  /** Price of tick index 0, on the tick. */
  readonly base: PricePerKwh;
  /** Every tick index is at least 0 and below this: at most 2^21. */
  readonly ticks: number;
  /** Place of the order's member among all members sorted by id (by code unit): below 2^32. */
  memberRank(position: number): number;
  clientOrderId(position: number): ClientOrderId;
  /** Place in `fees` of the order's member. Asked only where there are several zones. */
  zone(position: number): number;
}

/** What of the product's rules a call needs. */
export type CallClearingRules = Pick<ProductRules, 'tick' | 'rationing' | 'fees' | 'zoneLimits'>;

/** Energy that one zone sells to another, or (`from` = `to`) to itself: > 0. */
export interface ZoneEnergy {
  readonly from: number;
  readonly to: number;
  readonly energy: Wh;
}

/** What became of the orders, position by position, and what was cleared. */
export interface CallResult {
  /** Wh. */
  readonly filled: Int32Array;
  /** Fate codes; 0 where nothing stood. */
  readonly fate: Uint8Array;
  /** By zone; null where nothing was cleared. */
  readonly prices: readonly (PricePerKwh | null)[];
  /** Wh bought, which is Wh sold. */
  readonly volume: Wh;
  /** Who sells to whom, by zones: first what stays inside a zone, then the rest. Empty where nothing trades. */
  readonly deliveries: readonly ZoneEnergy[];
  /** What the limits between zones carry; transit counts on each. One zone: empty. */
  readonly flows: readonly ZoneEnergy[];
  /** Paid by the buyers and not received by the sellers: price difference x energy over `deliveries`, nano-currency, >= 0. */
  readonly rent: NanoTotal;
}

/** A partly filled level: the orders of this key in these zones (null: in all) are one, and get so many Wh. */
export interface SharedLevel {
  readonly key: number;
  readonly zones: ReadonlySet<number> | null;
  readonly given: number;
}

/** Prices and energies before they come down to single orders. A level is zone x 2 x ticks + key. */
export interface CallPlan extends Omit<CallResult, 'filled' | 'fate' | 'volume'> {
  /** Wh by level. */
  readonly given: Int32Array;
  readonly shared: readonly SharedLevel[];
}

/**
 * Clears a call: a histogram by tick, the price from it, then one pass that fills. Only a partly filled level is ranked.
 * One zone: uniform price; several: `planZones`. It takes the whole surplus of the book prices. Price, volume and, under
 * `pro-rata`, fills do not depend on the order of arrival.
 */
export function clearCallOrders(orders: CallOrders, rules: CallClearingRules): CallResult {
  const zones = rules.fees.length;
  const levels = levelsOf(orders, zones);
  const plan = zones === 1 ? planOneZone(orders, rules.tick, levels) : planZones(orders, rules, levels);
  const { filled, fate } = fillOrders(orders, rules, levels, plan);
  const { prices, deliveries, flows, rent } = plan;
  const volume = wh(deliveries.reduce((sum, { energy }) => sum + energy, 0));
  return { filled, fate, prices, volume, deliveries, flows, rent };
}

function planOneZone({ base }: CallOrders, tick: number, levels: Int32Array): CallPlan {
  const given = new Int32Array(levels.length);
  const point = clearingPointOfTicks(levels, { base, tick }, { demand: 0, supply: 0 });
  const untraded = { prices: [null], given, shared: [], deliveries: [], flows: [], rent: ZERO_TOTAL };
  if (point === null) return untraded;
  const { price, volume } = point;
  const partial = [giveBestFirst(levels, given, 0, volume), giveBestFirst(levels, given, 1, volume)];
  const shared = partial.flatMap((key) => (key < 0 ? [] : [{ key, zones: null, given: given[key] ?? 0 }]));
  return { ...untraded, prices: [price], shared, deliveries: [{ from: 0, to: 0, energy: volume }] };
}
