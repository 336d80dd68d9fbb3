import { assert, assertSafeInteger } from '../units/assert.ts';
import { mulDivFloor } from '../units/division.ts';
import { type Wh, wh } from '../units/energy.ts';
import { floorToTick, type PricePerKwh, pricePerKwh } from '../units/price.ts';
import type { CurveStep } from './trade.ts';

/** Where the curves meet: every price in [lowest, highest] trades `volume` with the same least imbalance. */
export interface ClearingPoint {
  readonly price: PricePerKwh;
  readonly volume: Wh;
  readonly lowest: PricePerKwh;
  readonly highest: PricePerKwh;
  readonly demandAtLowest: Wh;
  readonly supplyAtHighest: Wh;
}

/** The prices that are best so far, first to last, and the demand at the first and the supply at the last of them. */
interface BestRange {
  first: number;
  last: number;
  demand: number;
  supply: number;
  volume: number;
  imbalance: number;
}

/**
 * The uniform price of a call auction: maximal traded volume, then least imbalance, over all ticks from the
 * lowest to the highest limit; on the range that is left, `priceOnRange`. Curves come better prices first, each limit
 * once and on the tick. `null` where nothing can trade. The cost grows with the number of limits, not of ticks.
 */
export function clearingPoint(
  demand: readonly CurveStep[],
  supply: readonly CurveStep[],
  tick: number,
): ClearingPoint | null {
  const best = nothing();
  for (const run of candidates(demand, supply, tick)) consider(best, run.first, run.last, run.demand, run.supply);
  return pointOn(best, tick);
}

/** Where tick index 0 lies, and the distance of two ticks, micro-currency per kWh. */
export interface TickGrid {
  readonly base: PricePerKwh;
  readonly tick: number;
}

/** Energy that counts whatever the price, Wh: what an area delivers to others, and what others deliver to it. */
export interface PricelessEnergy {
  readonly demand: number;
  readonly supply: number;
}

/**
 * The same of energies by tick: `levels[2 x tick index]` Wh are asked for at exactly that limit, the word after it is
 * what is offered. `null` also where there is no limit. The cost grows with the number of ticks.
 */
export function clearingPointOfTicks(
  levels: Int32Array,
  { base, tick }: TickGrid,
  { demand, supply }: PricelessEnergy,
): ClearingPoint | null {
  let [asked, offered] = [demand, supply];
  let [first, last] = [levels.length, -1];
  for (let word = 0; word < levels.length; word += 2) {
    const buys = levels[word] ?? 0;
    asked += buys;
    if (buys === 0 && levels[word + 1] === 0) continue;
    if (word < first) first = word;
    last = word;
  }
  const best = nothing();
  for (let word = first; word <= last; word += 2) {
    offered += levels[word + 1] ?? 0;
    const price = base + (word >> 1) * tick;
    consider(best, price, price, asked, offered);
    asked -= levels[word] ?? 0;
  }
  return pointOn(best, tick);
}

function nothing(): BestRange {
  return { first: 0, last: 0, demand: 0, supply: 0, volume: 0, imbalance: 0 };
}

/** The next prices, first to last, at all of which so much is asked for and offered. They come in rising order. */
function consider(best: BestRange, first: number, last: number, demand: number, supply: number): void {
  const volume = Math.min(demand, supply);
  if (volume < best.volume || volume === 0) return;
  const imbalance = Math.abs(demand - supply);
  if (volume > best.volume || imbalance < best.imbalance) {
    best.first = first;
    best.demand = demand;
    best.volume = volume;
    best.imbalance = imbalance;
  } else if (imbalance > best.imbalance) return;
  best.last = last;
  best.supply = supply;
}

function pointOn(best: BestRange, tick: number): ClearingPoint | null {
  if (best.volume === 0) return null;
  const [lowest, highest] = [pricePerKwh(best.first), pricePerKwh(best.last)];
  const [demandAtLowest, supplyAtHighest] = [wh(best.demand), wh(best.supply)];
  const price = priceOnRange(lowest, highest, demandAtLowest, supplyAtHighest, tick);
  assert(price >= lowest && price <= highest, `price ${price} is outside [${lowest}, ${highest}]`);
  return { price, volume: wh(best.volume), lowest, highest, demandAtLowest, supplyAtHighest };
}

/**
 * Scarce local energy is dear, plentiful energy is cheap: lowest + floor((highest - lowest) x demand / (demand +
 * supply)), floored to the tick toward minus infinity. demand + supply > 0; `lowest` is on the tick.
 */
export function priceOnRange(
  lowest: PricePerKwh,
  highest: PricePerKwh,
  demand: Wh,
  supply: Wh,
  tick: number,
): PricePerKwh {
  assertSafeInteger(demand + supply, 'demand and supply');
  return floorToTick(lowest + mulDivFloor(highest - lowest, demand, demand + supply), tick);
}

/** A run of ticks, first to last, at all of which this much is asked for and offered. */
interface Candidate {
  readonly first: number;
  readonly last: number;
  readonly demand: number;
  readonly supply: number;
}

/** Every limit, and between two limits the ticks that are none: there, demand is that of the upper, supply of the lower. */
function* candidates(demand: readonly CurveStep[], supply: readonly CurveStep[], tick: number): Generator<Candidate> {
  let asked = totalOf(demand);
  let offered = 0;
  let buy = demand.length - 1;
  let sell = 0;
  let limit = Math.min(demand[buy]?.price ?? Number.POSITIVE_INFINITY, supply[0]?.price ?? Number.POSITIVE_INFINITY);
  while (limit < Number.POSITIVE_INFINITY) {
    if (supply[sell]?.price === limit) offered += supply[sell++]?.energy ?? 0;
    yield { first: limit, last: limit, demand: asked, supply: offered };
    if (demand[buy]?.price === limit) asked -= demand[buy--]?.energy ?? 0;
    const next = Math.min(
      demand[buy]?.price ?? Number.POSITIVE_INFINITY,
      supply[sell]?.price ?? Number.POSITIVE_INFINITY,
    );
    const gap = { first: limit + tick, last: next - tick, demand: asked, supply: offered };
    if (next < Number.POSITIVE_INFINITY && gap.first <= gap.last) yield gap;
    limit = next;
  }
  assert(asked === 0 && offered === totalOf(supply), 'the curves were not walked to their ends');
}

function totalOf(curve: readonly CurveStep[]): number {
  let total = 0;
  for (const step of curve) total += step.energy;
  assertSafeInteger(total, 'energy of one side');
  return total;
}
