import type { Book, ProductRules } from '../../src/domain/market/book.ts';
import { naiveAreaPrice, type StandingOrder } from '../../src/domain/market/naive-area-call.ts';
import { ORDER_FATES, type Rationing } from '../../src/domain/market/order.ts';

/** An order as it stood when the gate closed. `price` is its book price. */
export interface GateOrder extends StandingOrder {
  readonly member: number;
}

interface Outcome {
  readonly order: GateOrder;
  readonly filled: number;
  readonly fate: string;
}

/** What is wrong with the clearing of a call with zones; proved from the fills and prices alone. */
export function zonalFaults(book: Book, orders: readonly GateOrder[]): string[] {
  const prices = book.clearingPrices();
  const outcomes = orders.map((order): Outcome => {
    const state = book.find(order.member, order.clientOrderId);
    if (state === null) throw new Error('an order is lost at the gate');
    return { order, filled: state.filled, fate: ORDER_FATES[state.fate] ?? '' };
  });
  const net = book.rules.fees.map((_, zone) => filledIn(outcomes, zone, false) - filledIn(outcomes, zone, true));
  const flows = flowsFor(net, book.rules);
  if (flows === null) return [`the limits between zones do not allow the exports ${net.join(', ')}`];
  return [
    ...surplusFaults(outcomes, flows, prices.length),
    ...priceFaults(outcomes, prices, flows),
    ...ownPriceFaults(orders, prices, book.rules),
    ...fillFaults(outcomes, book.rules),
    ...fateFaults(outcomes, prices),
    ...tradeFaults(book, outcomes, prices),
  ];
}

function filledIn(outcomes: readonly Outcome[], zone: number, isBuy: boolean): number {
  const own = outcomes.filter(({ order }) => order.zone === zone && order.isBuy === isBuy);
  return own.reduce((sum, { filled }) => sum + filled, 0);
}

interface Flow {
  readonly from: number;
  readonly to: number;
  readonly capacity: number;
  flow: number;
}

/** Flows that carry the exports of each zone, or `null` where there are none: augmenting paths, as many as it takes. */
function flowsFor(exports: readonly number[], { zoneLimits }: ProductRules): Flow[] | null {
  const flows = zoneLimits.map((limit): Flow => ({ ...limit, flow: 0 }));
  const left = [...exports];
  for (let start = left.findIndex((net) => net > 0); start >= 0; start = left.findIndex((net) => net > 0)) {
    const path = pathTo(start, flows, (zone) => (left[zone] ?? 0) < 0);
    if (path === null) return null;
    const energy = Math.min(left[start] ?? 0, -(left[path.end] ?? 0), ...path.hops.map(([hop, way]) => room(hop, way)));
    for (const [hop, way] of path.hops) hop.flow += way * energy;
    left[start] = (left[start] ?? 0) - energy;
    left[path.end] = (left[path.end] ?? 0) + energy;
  }
  return left.every((net) => net === 0) ? flows : null;
}

type Hop = [flow: Flow, way: 1 | -1];

function room(flow: Flow, way: 1 | -1): number {
  return way === 1 ? flow.capacity - flow.flow : flow.flow;
}

function pathTo(
  start: number,
  flows: readonly Flow[],
  isEnd: (zone: number) => boolean,
): { end: number; hops: Hop[] } | null {
  const paths = new Map<number, Hop[]>([[start, []]]);
  for (const [zone, hops] of paths) {
    if (isEnd(zone)) return { end: zone, hops };
    for (const flow of flows) {
      for (const way of [1, -1] as const) {
        const [from, to] = way === 1 ? [flow.from, flow.to] : [flow.to, flow.from];
        if (from === zone && !paths.has(to) && room(flow, way) > 0) paths.set(to, [...hops, [flow, way]]);
      }
    }
  }
  return null;
}

interface Range {
  readonly lowest: number;
  readonly highest: number;
}

/**
 * Is there a price for each zone at which nobody who trades loses and nobody who does not would gain, and which is not
 * dearer where energy could still flow to? Then no other clearing has a larger surplus (complementary slackness).
 */
function surplusFaults(outcomes: readonly Outcome[], flows: readonly Flow[], zones: number): string[] {
  const ranges = rangesOf(outcomes, zones, {
    atLeast: ({ order, filled }) => (order.isBuy ? filled < order.energy : filled > 0),
    atMost: ({ order, filled }) => (order.isBuy ? filled > 0 : filled < order.energy),
  });
  return contradictions(ranges, flows).map((text) => `the surplus is not the largest: ${text}`);
}

/** Nobody trades at a loss; where energy could still flow on, the zone it would reach is not dearer. */
function priceFaults(
  outcomes: readonly Outcome[],
  prices: readonly (number | null)[],
  flows: readonly Flow[],
): string[] {
  const own = rangesOf(outcomes, prices.length, {
    atLeast: ({ order, filled }) => !order.isBuy && filled > 0,
    atMost: ({ order, filled }) => order.isBuy && filled > 0,
  });
  const losses = own.flatMap(({ lowest, highest }, zone) => {
    const price = prices[zone] ?? null;
    const isTraded = lowest > -Infinity || highest < Infinity;
    if (price === null) return isTraded ? [`zone ${zone} trades without a price`] : [];
    return price < lowest || price > highest ? [`zone ${zone}: ${price} is outside [${lowest}, ${highest}]`] : [];
  });
  const named = prices.map((price) => ({ lowest: price ?? -Infinity, highest: price ?? Infinity }));
  return [...losses, ...contradictions(named, flows).map((text) => `the prices do not fit: ${text}`)];
}

function rangesOf(
  outcomes: readonly Outcome[],
  zones: number,
  bounds: { atLeast: (outcome: Outcome) => boolean; atMost: (outcome: Outcome) => boolean },
): Range[] {
  return Array.from({ length: zones }, (_, zone) => {
    const own = outcomes.filter(({ order }) => order.zone === zone);
    const prices = (bound: (outcome: Outcome) => boolean) => own.filter(bound).map(({ order }) => order.price);
    return {
      lowest: Math.max(-Infinity, ...prices(bounds.atLeast)),
      highest: Math.min(Infinity, ...prices(bounds.atMost)),
    };
  });
}

function contradictions(ranges: readonly Range[], flows: readonly Flow[]): string[] {
  return ranges.flatMap((from, start) =>
    ranges.flatMap((to, end) => {
      if (to.lowest <= from.highest || pathTo(start, flows, (zone) => zone === end) === null) return [];
      return [
        `zone ${start} at most ${from.highest}, zone ${end} at least ${to.lowest}, and there is room between them`,
      ];
    }),
  );
}

/** A zone that no energy can enter or leave is cleared as if it were alone. */
function ownPriceFaults(
  orders: readonly GateOrder[],
  prices: readonly (number | null)[],
  { tick, zoneLimits }: ProductRules,
): string[] {
  return prices.flatMap((price, zone) => {
    if (zoneLimits.some(({ from, to, capacity }) => capacity > 0 && (from === zone || to === zone))) return [];
    const own = orders.filter((order) => order.zone === zone);
    const expected = naiveAreaPrice(own, tick);
    return price === expected
      ? []
      : [`the price of zone ${zone}, which stands alone, is ${price}, expected ${expected}`];
  });
}

/** Better prices first; the orders of one zone that name the price at which it ends share it by the rule. */
function fillFaults(outcomes: readonly Outcome[], { fees, rationing }: ProductRules): string[] {
  return fees.flatMap((_, zone) =>
    [true, false].flatMap((isBuy) => {
      const side = outcomes.filter(({ order }) => order.zone === zone && order.isBuy === isBuy);
      const byTime = [...side].sort((a, b) => a.order.sequence - b.order.sequence);
      return byTime.flatMap((one, turn) =>
        byTime
          .slice(turn + 1)
          .flatMap((later) => (isJust(one, later, rationing) ? [] : [`fills of ${nameOf(one)} and ${nameOf(later)}`])),
      );
    }),
  );
}

/** Of a better price: filled first. Of the same price: by time, or the same part of each, to the Wh. */
function isJust(one: Outcome, later: Outcome, rationing: Rationing): boolean {
  const gain = (one.order.price - later.order.price) * (one.order.isBuy ? 1 : -1);
  if (gain > 0) return isFirst(one, later);
  if (gain < 0) return isFirst(later, one);
  if (rationing === 'price-time') return isFirst(one, later);
  const difference = one.filled * later.order.energy - later.filled * one.order.energy;
  return Math.abs(difference) < one.order.energy + later.order.energy;
}

function isFirst(first: Outcome, second: Outcome): boolean {
  return first.filled === first.order.energy || second.filled === 0;
}

function nameOf({ order, filled }: Outcome): string {
  return `order ${order.clientOrderId} (${filled} of ${order.energy} Wh at ${order.price})`;
}

function fateFaults(outcomes: readonly Outcome[], prices: readonly (number | null)[]): string[] {
  return outcomes.flatMap(({ order, filled, fate }) => {
    const price = prices[order.zone] ?? null;
    const isReached = price !== null && (order.isBuy ? order.price >= price : order.price <= price);
    const unfilled = price === null ? 'no_trade' : isReached ? 'rationed_out' : 'price_not_reached';
    const expected = filled === order.energy ? 'filled' : filled > 0 ? 'partly_filled' : unfilled;
    return fate === expected ? [] : [`order ${order.clientOrderId} is ${fate}, expected ${expected}`];
  });
}

function tradeFaults(book: Book, outcomes: readonly Outcome[], prices: readonly (number | null)[]): string[] {
  const faults: string[] = [];
  const left = new Map(
    outcomes.map(({ order, filled }) => [`${order.member} ${order.clientOrderId}`, { order, filled }]),
  );
  for (let position = 0; position < book.tradeCount; position += 1) {
    const { buyer, buyOrder, seller, sellOrder, energy, price, sellerPrice } = book.tradeAt(position);
    const [buy, sell] = [left.get(`${buyer} ${buyOrder}`), left.get(`${seller} ${sellOrder}`)];
    if (buy === undefined || sell === undefined || energy <= 0) return [`trade ${position} is of nobody or nothing`];
    if (price !== prices[buy.order.zone] || sellerPrice !== prices[sell.order.zone])
      faults.push(`trade ${position}'s price`);
    buy.filled -= energy;
    sell.filled -= energy;
  }
  for (const { order, filled } of left.values()) {
    if (filled !== 0) faults.push(`order ${order.clientOrderId} has ${filled} Wh filled without a trade`);
  }
  return faults;
}
