import type { ProductRules } from './book.ts';
import { inPriority, naiveAreaPrice, naiveShares, type StandingOrder } from './naive-area-call.ts';
import { type NaiveZone, naiveZonalCall } from './naive-zonal-call.ts';

export interface NaiveMatch {
  readonly buy: StandingOrder;
  readonly sell: StandingOrder;
  readonly energy: number;
}

/** Clears a call, the slow way. `prices` by zone; `matches` in the order of the trades. */
export function naiveCall(
  orders: readonly StandingOrder[],
  rules: ProductRules,
): { prices: (number | null)[]; matches: NaiveMatch[] } {
  const zones = naiveZonalCall(orders, rules.fees.length, rules.zoneLimits, rules.tick);
  const prices = zones.map((zone, number) => (isLinked(rules, number) ? zone.price : ownPrice(orders, number, rules)));
  const buys = sharesOf(orders, true, zones, rules);
  const sells = sharesOf(orders, false, zones, rules);
  return { prices, matches: [...pairs(buys, sells, true), ...pairs(buys, sells, false)] };
}

function isLinked({ zoneLimits }: ProductRules, zone: number): boolean {
  return zoneLimits.some(({ from, to, capacity }) => capacity > 0 && (from === zone || to === zone));
}

/** A zone that nothing can flow into or out of is an area of its own; so is the whole where there are no zones. */
function ownPrice(orders: readonly StandingOrder[], zone: number, { tick }: ProductRules): number | null {
  return naiveAreaPrice(
    orders.filter((order) => order.zone === zone),
    tick,
  );
}

interface Share {
  readonly order: StandingOrder;
  left: number;
}

/** What the orders of one side get, in priority order. */
function sharesOf(
  orders: readonly StandingOrder[],
  isBuy: boolean,
  zones: readonly NaiveZone[],
  { rationing }: ProductRules,
): Share[] {
  const shares = new Map<StandingOrder, number>();
  for (const [number, { bought, sold }] of zones.entries()) {
    const side = orders.filter((order) => order.isBuy === isBuy && order.zone === number);
    for (const [order, share] of naiveShares(side, isBuy ? bought : sold, rationing)) shares.set(order, share);
  }
  return inPriority([...shares.keys()], rationing).map((order) => ({ order, left: shares.get(order) ?? 0 }));
}

/** First buyer with first seller, either of the same zone or of two. */
function* pairs(buys: readonly Share[], sells: readonly Share[], isSameZone: boolean): Generator<NaiveMatch> {
  for (const buy of buys) {
    for (const sell of sells) {
      const energy = Math.min(buy.left, sell.left);
      if (energy === 0 || (buy.order.zone === sell.order.zone) !== isSameZone) continue;
      buy.left -= energy;
      sell.left -= energy;
      yield { buy: buy.order, sell: sell.order, energy };
    }
  }
}
