import { assert } from '../units/assert.ts';
import { type PricePerKwh, pricePerKwh } from '../units/price.ts';
import { clearingPointOfTicks, type TickGrid } from './clearing-price.ts';
import type { ZoneLevels } from './zone-levels.ts';
import { pathsFrom, type ZoneFlows, type ZoneNetwork } from './zone-network.ts';

/** Zones between which energy could still flow both ways: they have one price. */
interface Area {
  readonly zones: readonly number[];
  /** By zone: whether energy could still flow there. Its price is then not above this area's. */
  readonly reaches: readonly boolean[];
  /** What the price rule says by the area's own orders; null: nothing is traded in it. */
  readonly wanted: number | null;
  /** No trade outside a limit: the dearest sell and the cheapest buy that got something. */
  readonly lowest: number;
  readonly highest: number;
}

/**
 * The price of each of these zones; null where nothing is traded. Each area by itself, where what it buys from others
 * counts as supply and what it sells to them as demand at any price. Then, where energy could still flow from one area to
 * another, the latter's price is not above the former's: prices are moved up and down as little as that takes, never
 * beyond the limit of an order that trades. Energy so flows only from a price to one that is not below it.
 */
export function pricesByArea(
  zoned: ZoneLevels,
  zones: readonly number[],
  grid: TickGrid,
  network: ZoneNetwork,
  flows: ZoneFlows,
): Map<number, PricePerKwh | null> {
  const areas = areasOf(zones, network, flows).map((area) => ({ ...area, ...statedBy(zoned, area.zones, grid) }));
  const prices = new Map<number, PricePerKwh | null>();
  for (const area of areas) {
    const below = areas.filter((other) => reaches(area, other));
    const asked = below.flatMap((other) => (other.wanted === null ? [] : [within(other.wanted, other, areas)]));
    const price = area.wanted === null ? null : pricePerKwh(Math.max(...asked));
    assert(price === null || (price >= area.lowest && price <= area.highest), `price ${price} is beyond a limit`);
    for (const zone of area.zones) prices.set(zone, price);
  }
  return prices;
}

function reaches(area: Pick<Area, 'reaches'>, other: Pick<Area, 'zones'>): boolean {
  return area.reaches[other.zones[0] as number] as boolean;
}

/** Not below what sells in reach of the area ask for, not above what buys bid that it is in reach of. */
function within(wanted: number, area: Area, areas: readonly Area[]): number {
  const lowest = Math.max(...areas.filter((other) => reaches(area, other)).map((other) => other.lowest));
  const highest = Math.min(...areas.filter((other) => reaches(other, area)).map((other) => other.highest));
  assert(lowest <= highest, `no price supports the trades: ${lowest} > ${highest}`);
  return Math.min(Math.max(wanted, lowest), highest);
}

function areasOf(zones: readonly number[], network: ZoneNetwork, flows: ZoneFlows): Pick<Area, 'zones' | 'reaches'>[] {
  const reach = new Map(
    zones.map((zone) => [zone, [...pathsFrom(network, flows, zone).hops].map((hops) => hops >= 0)]),
  );
  const areas: Pick<Area, 'zones' | 'reaches'>[] = [];
  for (const zone of zones) {
    const own = reach.get(zone) ?? [];
    const members = zones.filter((other) => own[other] && reach.get(other)?.[zone]);
    if (members[0] === zone) areas.push({ zones: members, reaches: own });
  }
  return areas;
}

function statedBy(
  { levels, given, ticks }: ZoneLevels,
  zones: readonly number[],
  grid: TickGrid,
): Pick<Area, 'wanted' | 'lowest' | 'highest'> {
  const merged = new Int32Array(2 * ticks);
  const energy = [0, 0];
  let [lowest, highest] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (const zone of zones) {
    for (let key = 0; key < 2 * ticks; key++) {
      const level = zone * 2 * ticks + key;
      merged[key] = (merged[key] as number) + (levels[level] as number);
      if (given[level] === 0) continue;
      energy[key & 1] = (energy[key & 1] as number) + (given[level] as number);
      const limit = grid.base + (key >> 1) * grid.tick;
      if ((key & 1) === 0) highest = Math.min(highest, limit);
      else lowest = Math.max(lowest, limit);
    }
  }
  const [bought = 0, sold = 0] = energy;
  if (bought + sold === 0) return { wanted: null, lowest, highest };
  const others = { demand: Math.max(0, sold - bought), supply: Math.max(0, bought - sold) };
  const point = clearingPointOfTicks(merged, grid, others);
  assert(
    point?.volume === Math.max(bought, sold),
    `an area could trade ${point?.volume} Wh, not ${bought} and ${sold}`,
  );
  return { wanted: point.price, lowest, highest };
}
