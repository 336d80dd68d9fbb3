import { assert } from '../units/assert.ts';
import type { CallOrders } from './call-clearing.ts';
import { CALL_OPEN, CALL_STRIDE } from './call-levels.ts';
import type { Rationing } from './order.ts';

/**
 * Shares `given` Wh among the orders of one level; the answer is by place in `positions`, which rise. Pro-rata by
 * largest remainder, ties by member, then client order id; price-time in the order of arrival. The shares sum to
 * `given`, none is above its order. `given` and the sum of the level are below 2^31, so that given x energy is exact.
 */
export function shareLevel(orders: CallOrders, positions: Int32Array, given: number, rationing: Rationing): Int32Array {
  return rationing === 'pro-rata' ? shareInProportion(orders, positions, given) : shareInTurn(orders, positions, given);
}

function shareInTurn({ hot }: CallOrders, positions: Int32Array, given: number): Int32Array {
  const shares = new Int32Array(positions.length);
  let left = given;
  for (let at = 0; at < positions.length && left > 0; at++) {
    const share = Math.min(left, hot[(positions[at] as number) * CALL_STRIDE + CALL_OPEN] as number);
    shares[at] = share;
    left -= share;
  }
  assert(left === 0, `${left} Wh of ${given} found no order in their level`);
  return shares;
}

function shareInProportion(orders: CallOrders, positions: Int32Array, given: number): Int32Array {
  const { hot } = orders;
  const energies = new Int32Array(positions.length);
  let sum = 0;
  for (let at = 0; at < positions.length; at++) {
    const energy = hot[(positions[at] as number) * CALL_STRIDE + CALL_OPEN] as number;
    energies[at] = energy;
    sum += energy;
  }
  assert(given <= sum && sum < 2 ** 31, `cannot share ${given} over ${sum} Wh`);
  const shares = new Int32Array(positions.length);
  // The complement of the remainder: what is smallest comes first, as with ranks and ids.
  const shortfalls = new Uint32Array(positions.length);
  let left = given;
  for (let at = 0; at < positions.length; at++) {
    const product = given * (energies[at] as number);
    // The quotient is below 2^22 and further than 2^-31 from the next integer: the division cannot round up to it.
    const share = Math.floor(product / sum);
    shares[at] = share;
    shortfalls[at] = sum - 1 - (product - share * sum);
    left -= share;
  }
  giveOneEach(shares, left, [
    () => shortfalls,
    (places) => ranksOf(places, (at) => orders.memberRank(positions[at] as number)),
    (places) => ranksOf(places, (at) => orders.clientOrderId(positions[at] as number)),
  ]);
  return shares;
}

/** An unsigned 32-bit number for each of these places: the smaller comes first. The array is the caller's. */
type Ranking = (places: Int32Array) => Uint32Array;

/** One Wh more for each of the first `left` places by these rankings, the first ranking first. No sort: a selection. */
function giveOneEach(shares: Int32Array, left: number, rankings: readonly Ranking[]): void {
  const tied = new Int32Array(shares.length);
  for (let at = 0; at < tied.length; at++) tied[at] = at;
  const field: Field = { places: tied, ranks: new Uint32Array(0), left };
  for (const ranking of rankings) {
    if (field.left === 0 || field.left === field.places.length) break;
    field.ranks = ranking(field.places);
    const differing = differingBits(field.ranks);
    for (const shift of [16, 0]) if (((differing >>> shift) & 0xffff) !== 0) selectByDigit(shares, field, shift);
  }
  if (field.left === 0) return;
  assert(field.left === field.places.length, 'two orders cannot be told apart');
  for (let at = 0; at < field.left; at++) bump(shares, field.places[at] as number);
}

/** Among these places, with these ranks, `left` are still to be chosen. */
interface Field {
  places: Int32Array;
  ranks: Uint32Array;
  left: number;
}

function ranksOf(places: Int32Array, rankOf: (place: number) => number): Uint32Array {
  const ranks = new Uint32Array(places.length);
  for (let at = 0; at < places.length; at++) ranks[at] = rankOf(places[at] as number);
  return ranks;
}

function differingBits(ranks: Uint32Array): number {
  const first = ranks[0] as number;
  let bits = 0;
  for (let at = 1; at < ranks.length; at++) bits |= (ranks[at] as number) ^ first;
  return bits;
}

/** By 16 bits of the rank: who is surely among the first gets its Wh, who surely is not drops out. */
function selectByDigit(shares: Int32Array, field: Field, shift: number): void {
  const { places, ranks, left } = field;
  const frequencies = new Int32Array(2 ** 16);
  for (let at = 0; at < ranks.length; at++) {
    const digit = ((ranks[at] as number) >>> shift) & 0xffff;
    frequencies[digit] = (frequencies[digit] as number) + 1;
  }
  let before = 0;
  let last = 0;
  while (before + (frequencies[last] as number) < left) before += frequencies[last++] as number;
  let kept = 0;
  for (let at = 0; at < ranks.length; at++) {
    const rank = ranks[at] as number;
    const digit = (rank >>> shift) & 0xffff;
    if (digit < last) bump(shares, places[at] as number);
    else if (digit === last) {
      places[kept] = places[at] as number;
      ranks[kept++] = rank;
    }
  }
  field.places = places.subarray(0, kept);
  field.ranks = ranks.subarray(0, kept);
  field.left = left - before;
}

function bump(shares: Int32Array, place: number): void {
  shares[place] = (shares[place] as number) + 1;
}
