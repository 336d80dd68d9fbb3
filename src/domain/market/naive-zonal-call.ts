import { assert } from '../units/assert.ts';
import type { ZoneLimit } from './book.ts';
import type { StandingOrder } from './naive-area-call.ts';

/** By zone: what is bought and sold in it, Wh, and its price; `null` where nothing is traded in it. */
export interface NaiveZone {
  readonly bought: number;
  readonly sold: number;
  readonly price: number | null;
}

interface ZoneState {
  readonly buys: readonly StandingOrder[];
  readonly sells: readonly StandingOrder[];
  bought: number;
  sold: number;
}

interface Link {
  readonly from: number;
  readonly to: number;
  readonly capacity: number;
  flow: number;
}

/**
 * Clears zones with limits between them, the slow way: again and again the seller and the buyer that gain most by a
 * further Wh, among those that a path with room joins, until nobody gains. A path may also take back what flows the
 * other way. These are successive cheapest paths of a flow, so surplus and then volume are the largest there are.
 */
export function naiveZonalCall(
  orders: readonly StandingOrder[],
  zoneCount: number,
  limits: readonly ZoneLimit[],
  tick: number,
): NaiveZone[] {
  const zones = Array.from({ length: zoneCount }, (_, zone): ZoneState => {
    const own = orders.filter((order) => order.zone === zone);
    return {
      buys: own.filter((order) => order.isBuy).sort((a, b) => b.price - a.price),
      sells: own.filter((order) => !order.isBuy).sort((a, b) => a.price - b.price),
      bought: 0,
      sold: 0,
    };
  });
  const links = limits.map((limit): Link => ({ ...limit, flow: 0 }));
  while (tradeOnce(zones, links)) {}
  return pricesOf(zones, links, tick);
}

/** One step: as many Wh as the two orders and the path allow. False where no step gains. */
function tradeOnce(zones: readonly ZoneState[], links: readonly Link[]): boolean {
  let best: { gain: number; from: number; to: number; path: Hop[] } | null = null;
  for (const [from, exporter] of zones.entries()) {
    for (const [to, path] of pathsFrom(from, links)) {
      const [sell, buy] = [
        orderAt(exporter.sells, exporter.sold),
        orderAt(zoneAt(zones, to).buys, zoneAt(zones, to).bought),
      ];
      if (sell === null || buy === null) continue;
      const gain = buy.order.price - sell.order.price;
      if (gain >= 0 && (best === null || gain > best.gain)) best = { gain, from, to, path };
    }
  }
  if (best === null) return false;
  const [exporter, importer] = [zoneAt(zones, best.from), zoneAt(zones, best.to)];
  const energy = Math.min(
    orderAt(exporter.sells, exporter.sold)?.left ?? 0,
    orderAt(importer.buys, importer.bought)?.left ?? 0,
    ...best.path.map(roomOf),
  );
  assert(energy > 0, 'a step of nothing');
  exporter.sold += energy;
  importer.bought += energy;
  for (const { link, isForward } of best.path) link.flow += isForward ? energy : -energy;
  return true;
}

/** One link of a path: along it, or against what already flows. */
interface Hop {
  readonly link: Link;
  readonly isForward: boolean;
}

function roomOf({ link, isForward }: Hop): number {
  return isForward ? link.capacity - link.flow : link.flow;
}

/** Every zone that energy from `start` can still reach, and how. */
function pathsFrom(start: number, links: readonly Link[]): Map<number, Hop[]> {
  const paths = new Map<number, Hop[]>([[start, []]]);
  for (const [zone, path] of paths) {
    for (const link of links) {
      for (const isForward of [true, false]) {
        const hop = { link, isForward };
        const [from, to] = isForward ? [link.from, link.to] : [link.to, link.from];
        if (from === zone && roomOf(hop) > 0 && !paths.has(to)) paths.set(to, [...path, hop]);
      }
    }
  }
  return paths;
}

/** The order that the next Wh after `done` belongs to, and how much of it is left. */
function orderAt(side: readonly StandingOrder[], done: number): { order: StandingOrder; left: number } | null {
  let passed = 0;
  for (const order of side) {
    passed += order.energy;
    if (passed > done) return { order, left: passed - done };
  }
  return null;
}

/**
 * A zone's price lies between what the last that traded there and the next that would trade there say; where energy
 * could still flow on, the zone it would reach is not dearer. Half way between the lowest and the highest such prices.
 */
function pricesOf(zones: readonly ZoneState[], links: readonly Link[], tick: number): NaiveZone[] {
  const reach = zones.map((_, zone) => [...pathsFrom(zone, links).keys()]);
  const own = zones.map(ownRange);
  return zones.map(({ bought, sold }, zone) => {
    if (bought === 0 && sold === 0) return { bought, sold, price: null };
    const upper = own.filter((_, other) => reach[other]?.includes(zone)).map((range) => range.highest);
    const lower = own.filter((_, other) => reach[zone]?.includes(other)).map((range) => range.lowest);
    const [lowest, highest] = [Math.max(...lower), Math.min(...upper)];
    assert(lowest <= highest, `zone ${zone} has no price: ${lowest} > ${highest}`);
    return { bought, sold, price: lowest + Math.floor((highest - lowest) / 2 / tick) * tick };
  });
}

function ownRange({ buys, sells, bought, sold }: ZoneState): { lowest: number; highest: number } {
  const prices = (side: readonly StandingOrder[], done: number) => ({
    last: done === 0 ? null : orderAt(side, done - 1),
    next: orderAt(side, done),
  });
  const [buy, sell] = [prices(buys, bought), prices(sells, sold)];
  return {
    lowest: Math.max(sell.last?.order.price ?? -Infinity, buy.next?.order.price ?? -Infinity),
    highest: Math.min(buy.last?.order.price ?? Infinity, sell.next?.order.price ?? Infinity),
  };
}

function zoneAt(zones: readonly ZoneState[], zone: number): ZoneState {
  const found = zones[zone];
  assert(found !== undefined, `no zone ${zone}`);
  return found;
}
