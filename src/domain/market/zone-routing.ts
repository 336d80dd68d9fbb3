import { assert } from '../units/assert.ts';
import { wh } from '../units/energy.ts';
import type { ZoneEnergy } from './call-clearing.ts';
import { exportsOf, type ZoneLevels } from './zone-levels.ts';
import { noFlows, roomBetween, type ZoneFlows, type ZoneNetwork } from './zone-network.ts';

/**
 * Carries what each zone sells to others (> 0) or buys from them (< 0), Wh, over as few limits as can be, so that nothing
 * flows in a circle. `null` where the limits do not allow it. The exports sum to zero. Cheapest paths one after the
 * other, where a limit costs one, and what takes back a flow regains it.
 */
export function routeExports(network: ZoneNetwork, exports: readonly number[]): ZoneFlows | null {
  const flows = noFlows(network);
  const left = [...exports];
  while (left.some((energy) => energy > 0)) {
    const path = cheapestPath(network, flows, left);
    if (path === null) return null;
    const [start, end] = [path[0] as number, path.at(-1) as number];
    let energy = Math.min(left[start] as number, -(left[end] as number));
    for (const [from, to] of hopsOf(path)) energy = Math.min(energy, roomAtOneCost(network, flows, from, to));
    for (const [from, to] of hopsOf(path)) {
      const word = from * network.zones + to;
      flows[word] = (flows[word] as number) + energy;
      flows[to * network.zones + from] = -(flows[word] as number);
    }
    left[start] = (left[start] as number) - energy;
    left[end] = (left[end] as number) + energy;
  }
  return flows;
}

/** Of trades that are known to fit. */
export function flowsNow(zoned: ZoneLevels, network: ZoneNetwork): ZoneFlows {
  const flows = routeExports(network, exportsOf(zoned, network.zones));
  assert(flows !== null, 'the trades do not fit the limits');
  return flows;
}

/** From a zone that still has something to the nearest zone that still needs something (Bellman and Ford). */
function cheapestPath(network: ZoneNetwork, flows: ZoneFlows, left: readonly number[]): number[] | null {
  const { zones } = network;
  const costs = left.map((energy) => (energy > 0 ? 0 : Number.POSITIVE_INFINITY));
  const before = new Array<number>(zones).fill(-1);
  for (let isBetter = true, round = 0; isBetter; round++) {
    assert(round <= zones, 'a circle of flows that costs less than nothing');
    isBetter = false;
    for (let from = 0; from < zones; from++) {
      for (let to = 0; to < zones; to++) {
        if (roomBetween(network, flows, from, to) <= 0) continue;
        const cost = (costs[from] as number) + ((flows[from * zones + to] as number) < 0 ? -1 : 1);
        if (cost >= (costs[to] as number)) continue;
        costs[to] = cost;
        before[to] = from;
        isBetter = true;
      }
    }
  }
  let end = -1;
  left.forEach((energy, zone) => {
    if (energy < 0 && (costs[zone] as number) < (end < 0 ? Number.POSITIVE_INFINITY : (costs[end] as number)))
      end = zone;
  });
  if (end < 0) return null;
  const path = [end];
  while (before[path[0] as number] !== -1) path.unshift(before[path[0] as number] as number);
  return path;
}

/** What comes the other way is taken back first. */
function roomAtOneCost(network: ZoneNetwork, flows: ZoneFlows, from: number, to: number): number {
  const flow = flows[from * network.zones + to] as number;
  return flow < 0 ? -flow : roomBetween(network, flows, from, to);
}

function hopsOf(path: readonly number[]): [number, number][] {
  return path.slice(1).map((to, at) => [path[at] as number, to]);
}

/**
 * Who sells to whom: first what stays inside a zone, then along the flows from the first zone that exports, always to
 * the first zone that its energy may still flow into. `flows` have no circle.
 */
export function deliveriesOf(bought: readonly number[], sold: readonly number[], flows: ZoneFlows): ZoneEnergy[] {
  const zones = bought.length;
  const left = Float64Array.from(flows);
  const net = sold.map((energy, zone) => energy - (bought[zone] as number));
  const between = new Array<number>(zones * zones).fill(0);
  for (let from = 0; from < zones; from++) {
    while ((net[from] as number) > 0) {
      const path = pathToImporter(from, net, left);
      const to = path.at(-1) as number;
      let energy = Math.min(net[from] as number, -(net[to] as number));
      for (const [a, b] of hopsOf(path)) energy = Math.min(energy, left[a * zones + b] as number);
      for (const [a, b] of hopsOf(path)) left[a * zones + b] = (left[a * zones + b] as number) - energy;
      net[from] = (net[from] as number) - energy;
      net[to] = (net[to] as number) + energy;
      between[from * zones + to] = (between[from * zones + to] as number) + energy;
    }
  }
  const inside = bought.map((energy, zone) => ({
    from: zone,
    to: zone,
    energy: Math.min(energy, sold[zone] as number),
  }));
  const across = between.map((energy, word) => ({ from: Math.floor(word / zones), to: word % zones, energy }));
  return [...inside, ...across]
    .filter(({ energy }) => energy > 0)
    .map((part) => ({ ...part, energy: wh(part.energy) }));
}

function pathToImporter(start: number, net: readonly number[], left: ZoneFlows): number[] {
  const zones = net.length;
  const path = [start];
  for (let zone = start; (net[zone] as number) >= 0; ) {
    let next = 0;
    while (next < zones && (left[zone * zones + next] as number) <= 0) next++;
    assert(next < zones && path.length <= zones, `what flows into zone ${zone} stays there`);
    path.push(next);
    zone = next;
  }
  return path;
}
