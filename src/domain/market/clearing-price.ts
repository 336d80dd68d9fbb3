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

/** A run of ticks, first to last, at all of which this much is asked for and offered. */
interface Candidate {
  readonly first: number;
  readonly last: number;
  readonly demand: number;
  readonly supply: number;
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
  let range: { from: Candidate; to: Candidate } | null = null;
  for (const candidate of candidates(demand, supply, tick)) {
    const better = range === null ? volumeOf(candidate) : compare(candidate, range.from);
    if (better > 0) range = { from: candidate, to: candidate };
    else if (better === 0 && range !== null) range = { from: range.from, to: candidate };
  }
  return range === null ? null : pointOn(range.from, range.to, tick);
}

function pointOn(from: Candidate, to: Candidate, tick: number): ClearingPoint {
  const lowest = pricePerKwh(from.first);
  const highest = pricePerKwh(to.last);
  const price = priceOnRange(lowest, highest, wh(from.demand), wh(to.supply), tick);
  assert(price >= lowest && price <= highest, `price ${price} is outside [${lowest}, ${highest}]`);
  const volume = wh(volumeOf(from));
  return { price, volume, lowest, highest, demandAtLowest: wh(from.demand), supplyAtHighest: wh(to.supply) };
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

function volumeOf({ demand, supply }: Candidate): number {
  return Math.min(demand, supply);
}

function compare(a: Candidate, b: Candidate): number {
  return volumeOf(a) - volumeOf(b) || Math.abs(b.demand - b.supply) - Math.abs(a.demand - a.supply);
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
