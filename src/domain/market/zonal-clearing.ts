import { assert } from '../units/assert.ts';
import { type NanoTotal, ZERO_TOTAL } from '../units/money.ts';
import type { PricePerKwh } from '../units/price.ts';
import type { CallClearingRules, CallOrders, CallPlan, SharedLevel, ZoneEnergy } from './call-clearing.ts';
import { giveBestFirst } from './call-levels.ts';
import { clearingPointOfTicks, type TickGrid } from './clearing-price.ts';
import type { Rationing } from './order.ts';
import { growTrades } from './zonal-optimum.ts';
import { pricesByArea } from './zonal-prices.ts';
import { giveToZones, shareBetweenZones } from './zonal-sharing.ts';
import { energyByZone, exportsOf, type ZoneLevels } from './zone-levels.ts';
import { flowsOf, networkOf, separateParts, type ZoneNetwork } from './zone-network.ts';
import { deliveriesOf, flowsNow, routeExports } from './zone-routing.ts';

/**
 * Clears several zones with limits between them. No other trades within the limits have a larger surplus of the book
 * prices, and of those that have the same none a larger volume. Where the limits do not bind, this is the clearing of one
 * zone. Otherwise zones between which energy could still flow both ways share one price and one partly filled level.
 * Energy flows from a price to one that is not below it; what the buyers pay is what the sellers get, and the rent.
 */
export function planZones(orders: CallOrders, rules: CallClearingRules, levels: Int32Array): CallPlan {
  const network = networkOf(rules.fees.length, rules.zoneLimits);
  const zoned = { levels, given: new Int32Array(levels.length), ticks: orders.ticks };
  const prices = new Array<PricePerKwh | null>(network.zones).fill(null);
  const shared: SharedLevel[] = [];
  for (const zones of separateParts(network)) {
    const part: Part = { orders, rationing: rules.rationing, zoned, zones, network };
    const grid = { base: orders.base, tick: rules.tick };
    const cleared = clearAsOne(part, grid) ?? clearApart(part, grid);
    for (const [zone, price] of cleared.prices) prices[zone] = price;
    shared.push(...cleared.shared);
  }
  const { bought, sold } = energyByZone(zoned, network.zones);
  const flows = flowsNow(zoned, network);
  const deliveries = deliveriesOf(bought, sold, flows);
  const rent = rentOf(deliveries, prices);
  return { prices, given: zoned.given, shared, deliveries, flows: flowsOf(network, flows), rent };
}

/** Zones that limits join, directly or by way of others. */
interface Part {
  readonly orders: CallOrders;
  readonly rationing: Rationing;
  readonly zoned: ZoneLevels;
  readonly zones: readonly number[];
  readonly network: ZoneNetwork;
}

interface ClearedPart {
  readonly prices: ReadonlyMap<number, PricePerKwh | null>;
  readonly shared: readonly SharedLevel[];
}

/** As if there were no limits; `null`, and nothing given, where the limits do not let that flow. */
function clearAsOne({ orders, rationing, zoned, zones, network }: Part, grid: TickGrid): ClearedPart | null {
  const { levels, given, ticks } = zoned;
  const merged = new Int32Array(2 * ticks);
  for (const zone of zones) {
    for (let key = 0; key < 2 * ticks; key++) {
      merged[key] = (merged[key] as number) + (levels[zone * 2 * ticks + key] as number);
    }
  }
  const point = clearingPointOfTicks(merged, grid, { demand: 0, supply: 0 });
  if (point === null) return { prices: new Map(), shared: [] };
  const mergedGiven = new Int32Array(2 * ticks);
  const partial = [0, 1].map((side) => giveBestFirst(merged, mergedGiven, side, point.volume));
  const shared = partial.flatMap((key) =>
    key < 0 ? [] : [{ key, zones: new Set(zones), given: mergedGiven[key] as number }],
  );
  for (const zone of zones) {
    for (let key = 0; key < 2 * ticks; key++) {
      if ((mergedGiven[key] as number) > 0) given[zone * 2 * ticks + key] = levels[zone * 2 * ticks + key] as number;
    }
  }
  for (const level of shared) giveToZones(orders, level, rationing, zoned);
  if (routeExports(network, exportsOf(zoned, network.zones)) !== null) {
    return { prices: new Map(zones.map((zone) => [zone, point.price])), shared };
  }
  for (const zone of zones) given.fill(0, zone * 2 * ticks, (zone + 1) * 2 * ticks);
  return null;
}

function clearApart({ orders, rationing, zoned, zones, network }: Part, grid: TickGrid): ClearedPart {
  growTrades(zoned, zones, network);
  const { shared, flows } = shareBetweenZones(orders, rationing, zoned, zones, network);
  return { prices: pricesByArea(zoned, zones, grid, network, flows), shared };
}

/** Nano-currency. Both zones of a delivery have a price: energy was traded in each. */
function rentOf(deliveries: readonly ZoneEnergy[], prices: readonly (PricePerKwh | null)[]): NanoTotal {
  let rent: bigint = ZERO_TOTAL;
  for (const { from, to, energy } of deliveries) {
    const [paid, received] = [prices[to] ?? null, prices[from] ?? null];
    assert(paid !== null && received !== null && paid >= received, `energy flows from ${received} to ${paid}`);
    rent += BigInt(paid - received) * BigInt(energy);
  }
  return rent as NanoTotal;
}
