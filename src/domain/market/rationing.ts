import { assert } from '../units/assert.ts';
import { shareByLargestRemainder } from '../units/division.ts';
import { type Wh, wh } from '../units/energy.ts';
import { compareIds } from '../units/identity.ts';
import type { Level } from './curve.ts';
import type { Rationing, RestingOrder } from './order.ts';

/** What one order gets; `position` is its place in the list of orders. */
export interface Allotment {
  readonly position: number;
  readonly energy: Wh;
}

/**
 * Gives `volume` to one side, better prices first; the level that the volume ends in is shared by `rationing`.
 * Orders that get something come in priority order; the sum is `volume`, no order gets more than it asked for.
 */
export function allot(
  levels: readonly Level[],
  volume: Wh,
  orders: readonly RestingOrder[],
  rationing: Rationing,
): Allotment[] {
  const allotments: Allotment[] = [];
  let left: number = volume;
  for (const level of levels) {
    if (left === 0) break;
    const given = Math.min(left, level.energy);
    for (const allotment of allotLevel(level, given, orders, rationing)) allotments.push(allotment);
    left -= given;
  }
  assert(left === 0, `${left} Wh of ${volume} found no order`);
  return allotments;
}

function allotLevel(
  level: Level,
  given: number,
  orders: readonly RestingOrder[],
  rationing: Rationing,
): readonly Allotment[] {
  const ranked = level.positions.map((position) => ({ position, order: at(orders, position) }));
  ranked.sort((a, b) => comparePriority(a.order, b.order, rationing));
  const weights = ranked.map(({ order }) => order.energy);
  const shares = given < level.energy ? ration(weights, given, rationing) : weights;
  return ranked.flatMap(({ position }, rank) => {
    const energy = shares[rank] ?? 0;
    return energy > 0 ? [{ position, energy: wh(energy) }] : [];
  });
}

function ration(weights: readonly number[], given: number, rationing: Rationing): readonly number[] {
  if (rationing === 'pro-rata') return shareByLargestRemainder(given, weights);
  let left = given;
  return weights.map((weight) => {
    const share = Math.min(left, weight);
    left -= share;
    return share;
  });
}

/** Pro-rata knows no time: its ties go by member, then client order id, so that arrival never matters. */
function comparePriority(a: RestingOrder, b: RestingOrder, rationing: Rationing): number {
  if (rationing === 'price-time') return a.sequence - b.sequence;
  return compareIds(a.member, b.member) || a.clientOrderId - b.clientOrderId;
}

function at(orders: readonly RestingOrder[], position: number): RestingOrder {
  const order = orders[position];
  assert(order !== undefined, `no order at ${position}`);
  return order;
}
