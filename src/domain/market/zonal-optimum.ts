import type { ZoneLevels } from './zone-levels.ts';
import { noFlows, pathsFrom, pushAlong, roomAlong, type ZoneNetwork, type ZonePaths } from './zone-network.ts';

/** The level of one side of a zone that the next Wh comes from. */
interface Front {
  level: number;
  readonly step: number;
  readonly end: number;
}

/**
 * Trades as much among these zones as gains or costs nothing: from nothing on, again and again the seller and the buyer
 * who gain most, among those that a way with room joins. Such a way may take back what flows against it. These are the
 * cheapest paths of a flow, one after the other, so no other trades have a larger surplus, and of those that have the
 * same none a larger volume. `given` starts from zero and holds
 * the answer.
 */
export function growTrades({ levels, given, ticks }: ZoneLevels, zones: readonly number[], network: ZoneNetwork): void {
  const flows = noFlows(network);
  const fronts = zones.map((zone) => {
    const [first, end] = [zone * 2 * ticks, (zone + 1) * 2 * ticks];
    const buy: Front = { level: end - 2, step: -2, end: first - 2 };
    const sell: Front = { level: first + 1, step: 2, end: end + 1 };
    return { zone, buy, sell };
  });
  let paths = zones.map((zone) => pathsFrom(network, flows, zone));
  for (;;) {
    for (const { buy, sell } of fronts) {
      advance(buy, levels, given);
      advance(sell, levels, given);
    }
    const best = bestPair(fronts, paths, ticks);
    if (best === null) return;
    const { buy, sell, path, to } = best;
    const energy = Math.min(
      leftAt(buy, levels, given),
      leftAt(sell, levels, given),
      roomAlong(network, flows, path, to),
    );
    given[buy.level] = (given[buy.level] as number) + energy;
    given[sell.level] = (given[sell.level] as number) + energy;
    if (to === path.start) continue;
    pushAlong(flows, path, to, energy);
    paths = zones.map((zone) => pathsFrom(network, flows, zone));
  }
}

function leftAt({ level }: Front, levels: Int32Array, given: Int32Array): number {
  return (levels[level] as number) - (given[level] as number);
}

function advance(front: Front, levels: Int32Array, given: Int32Array): void {
  while (front.level !== front.end && levels[front.level] === given[front.level]) front.level += front.step;
}

/** The largest gain that is not below zero; of equal gains the shortest way, then the first zones. */
function bestPair(
  fronts: readonly { readonly buy: Front; readonly sell: Front; readonly zone: number }[],
  paths: readonly ZonePaths[],
  ticks: number,
): { buy: Front; sell: Front; path: ZonePaths; to: number } | null {
  let best = null;
  let [bestGain, bestHops] = [0, Number.POSITIVE_INFINITY];
  for (const [at, { sell }] of fronts.entries()) {
    const path = paths[at] as ZonePaths;
    if (sell.level === sell.end) continue;
    for (const { zone: to, buy } of fronts) {
      const hops = path.hops[to] as number;
      if (hops < 0 || buy.level === buy.end) continue;
      const gain = tickOf(buy.level, ticks) - tickOf(sell.level, ticks);
      if (gain < bestGain || (gain === bestGain && hops >= bestHops)) continue;
      best = { buy, sell, path, to };
      [bestGain, bestHops] = [gain, hops];
    }
  }
  return best;
}

function tickOf(level: number, ticks: number): number {
  return (level % (2 * ticks)) >> 1;
}
