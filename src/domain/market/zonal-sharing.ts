import type { CallOrders } from './call-clearing.ts';
import { positionsAt } from './call-levels.ts';
import { shareLevel } from './level-sharing.ts';
import type { Rationing } from './order.ts';
import { evenOut, type RivalLevel } from './zonal-evening.ts';
import { at, exportsOf, type ZoneLevels } from './zone-levels.ts';
import { pathsFrom, type ZoneFlows, type ZoneNetwork } from './zone-network.ts';
import { flowsNow, routeExports } from './zone-routing.ts';

/** Shares a level as one over all its zones: `given` gets what falls to each of them. */
export function giveToZones(
  orders: CallOrders,
  { key, zones, given }: RivalLevel,
  rationing: Rationing,
  zoned: ZoneLevels,
): void {
  const positions = positionsAt(orders, key, zones);
  const shares = shareLevel(orders, positions, given, rationing);
  for (const zone of zones) zoned.given[zone * 2 * zoned.ticks + key] = 0;
  for (let at = 0; at < positions.length; at++) {
    const level = orders.zone(positions[at] as number) * 2 * zoned.ticks + key;
    zoned.given[level] = (zoned.given[level] as number) + (shares[at] as number);
  }
}

/**
 * The levels that are partly filled, shared as evenly between zones as the limits let them. Zones whose orders compete at
 * one limit are one where that can flow. Otherwise energy goes from the zone that is better served to the one that is
 * worse served until both are alike or a limit is reached. Surplus and volume stay what they are.
 */
export function shareBetweenZones(
  orders: CallOrders,
  rationing: Rationing,
  zoned: ZoneLevels,
  zones: readonly number[],
  network: ZoneNetwork,
): { shared: RivalLevel[]; flows: ZoneFlows } {
  const shared: RivalLevel[] = [];
  for (const key of marginalKeys(zoned, zones)) {
    for (const rivals of rivalsAt(zoned, zones, key, network)) {
      const given = rivals.reduce((sum, zone) => sum + at(zoned.given, zoned, zone, key), 0);
      const stands = rivals.reduce((sum, zone) => sum + at(zoned.levels, zoned, zone, key), 0);
      if (given === 0 || given === stands) continue;
      const level = { key, zones: new Set(rivals), given };
      if (isSharedAsOne(orders, level, rationing, zoned, network)) shared.push(level);
      else shared.push(...evenOut(orders, level, rationing, zoned, network));
    }
  }
  return { shared, flows: flowsNow(zoned, network) };
}

/** Where a side of a zone has its first order that is not filled. */
function marginalKeys(zoned: ZoneLevels, zones: readonly number[]): number[] {
  const keys = zones.flatMap((zone) => [frontKey(zoned, zone, 0), frontKey(zoned, zone, 1)]);
  return [...new Set(keys)].filter((key) => key >= 0 && key < 2 * zoned.ticks).sort((a, b) => a - b);
}

/** The best key of the side, 0 buys, 1 sells, that is not filled; beyond the last where there is none. */
function frontKey(zoned: ZoneLevels, zone: number, side: number): number {
  const step = side === 0 ? -2 : 2;
  let key = side === 0 ? 2 * zoned.ticks - 2 : 1;
  while (
    key >= 0 &&
    key < 2 * zoned.ticks &&
    at(zoned.given, zoned, zone, key) === at(zoned.levels, zoned, zone, key)
  ) {
    key += step;
  }
  return key;
}

/** The zones with orders at this key and all better ones filled, in groups among which energy could still flow. */
function rivalsAt(zoned: ZoneLevels, zones: readonly number[], key: number, network: ZoneNetwork): number[][] {
  const flows = flowsNow(zoned, network);
  const side = key & 1;
  const members = zones.filter((zone) => {
    const front = frontKey(zoned, zone, side);
    return at(zoned.levels, zoned, zone, key) > 0 && (side === 0 ? front <= key : front >= key);
  });
  const reach = new Map(members.map((zone) => [zone, pathsFrom(network, flows, zone).hops]));
  const isJoined = (a: number, b: number) => (reach.get(a)?.[b] ?? -1) >= 0 || (reach.get(b)?.[a] ?? -1) >= 0;
  const groups: number[][] = [];
  for (const zone of members) {
    const joined = groups.filter((group) => group.some((other) => isJoined(zone, other)));
    const rest = groups.filter((group) => !joined.includes(group));
    groups.splice(0, groups.length, ...rest, [...joined.flat(), zone]);
  }
  return groups.map((group) => group.sort((a, b) => a - b));
}

/** Gives to the rivals as if their zones were one; changes nothing where the limits do not let that flow. */
function isSharedAsOne(
  orders: CallOrders,
  level: RivalLevel,
  rationing: Rationing,
  zoned: ZoneLevels,
  network: ZoneNetwork,
): boolean {
  if (level.zones.size === 1) return true;
  const before = [...level.zones].map((zone) => ({ zone, given: at(zoned.given, zoned, zone, level.key) }));
  giveToZones(orders, level, rationing, zoned);
  if (routeExports(network, exportsOf(zoned, network.zones)) !== null) return true;
  for (const { zone, given } of before) zoned.given[zone * 2 * zoned.ticks + level.key] = given;
  return false;
}
