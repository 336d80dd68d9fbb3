import { assert } from '../units/assert.ts';
import type { CallOrders, CallResult } from './call-clearing.ts';
import { CALL_KEY, CALL_STRIDE } from './call-levels.ts';
import type { Rationing } from './order.ts';

/** The trades of a call, column by column: positions of the two orders, and Wh. */
export interface CallTrades {
  readonly buys: Int32Array;
  readonly sells: Int32Array;
  readonly energies: Int32Array;
}

/**
 * Makes trades of a cleared call. Both sides of each zone are walked in priority order (price, then under `pro-rata`
 * member and client order id, under `price-time` arrival): the first buyer with the first seller until one of them is
 * served; within a zone first, then from zone to zone as `deliveries` say. The price of a trade is that of the buyer's
 * zone, its seller gets that of its own. Nobody trades with itself: orders that would are refused at acceptance.
 */
export function pairCallFills(
  orders: CallOrders,
  { filled, prices, deliveries }: Pick<CallResult, 'filled' | 'prices' | 'deliveries'>,
  rationing: Rationing,
): CallTrades {
  const zones = prices.length;
  const buys = queuesOf(orders, filled, { side: 0, zones, rationing });
  const sells = queuesOf(orders, filled, { side: 1, zones, rationing });
  const room = buys.positions.length + sells.positions.length + deliveries.length;
  const trades = { buys: new Int32Array(room), sells: new Int32Array(room), energies: new Int32Array(room), count: 0 };
  for (const { from, to, energy } of deliveries) pair(buys, to, sells, from, energy, trades);
  assert(isServed(buys) && isServed(sells), 'the fills differ from what is delivered');
  const { count } = trades;
  return {
    buys: trades.buys.subarray(0, count),
    sells: trades.sells.subarray(0, count),
    energies: trades.energies.subarray(0, count),
  };
}

/** The filled orders of one side, zone after zone, each zone in priority order. */
interface Queues {
  readonly positions: Int32Array;
  /** Where each zone's orders end. */
  readonly ends: readonly number[];
  /** By zone: who is next, and how much of its fill has no counterpart yet. */
  readonly next: number[];
  readonly left: number[];
  readonly filled: Int32Array;
}

interface GrowingTrades extends CallTrades {
  count: number;
}

function pair(buys: Queues, to: number, sells: Queues, from: number, energy: number, trades: GrowingTrades): void {
  let left = energy;
  while (left > 0) {
    const part = Math.min(left, buys.left[to] ?? 0, sells.left[from] ?? 0);
    assert(part > 0, `${left} Wh from zone ${from} to zone ${to} have no order`);
    trades.buys[trades.count] = take(buys, to, part);
    trades.sells[trades.count] = take(sells, from, part);
    trades.energies[trades.count++] = part;
    left -= part;
  }
}

/** Takes from the first order of the zone that has something left; its position. */
function take(queues: Queues, zone: number, energy: number): number {
  const next = queues.next[zone] ?? 0;
  const left = (queues.left[zone] ?? 0) - energy;
  queues.left[zone] = left;
  if (left === 0) {
    queues.next[zone] = next + 1;
    queues.left[zone] = fillAt(queues, zone);
  }
  return queues.positions[next] as number;
}

function fillAt({ positions, ends, next, filled }: Queues, zone: number): number {
  const at = next[zone] ?? 0;
  return at < (ends[zone] ?? 0) ? (filled[positions[at] as number] as number) : 0;
}

function isServed({ left }: Queues): boolean {
  return left.every((energy) => energy === 0);
}

/** Side 0 buys, 1 sells. */
interface Selection {
  readonly side: number;
  readonly zones: number;
  readonly rationing: Rationing;
}

function queuesOf(orders: CallOrders, filled: Int32Array, selection: Selection): Queues {
  const positions = inPriority(orders, filledOf(orders, filled, selection.side), selection);
  const { zones } = selection;
  const counts = new Array<number>(zones).fill(0);
  if (zones === 1) counts[0] = positions.length;
  else for (const position of positions) counts[orders.zone(position)] = (counts[orders.zone(position)] ?? 0) + 1;
  let end = 0;
  const ends = counts.map((count) => (end += count));
  const next = ends.map((zoneEnd, zone) => zoneEnd - (counts[zone] ?? 0));
  const queues = { positions, ends, next, left: new Array<number>(zones).fill(0), filled };
  for (let zone = 0; zone < zones; zone++) queues.left[zone] = fillAt(queues, zone);
  return queues;
}

function filledOf({ hot, count }: CallOrders, filled: Int32Array, side: number): Int32Array {
  const positions = new Int32Array(count);
  let found = 0;
  for (let position = 0; position < count; position++) {
    if (filled[position] === 0) continue;
    if (((hot[position * CALL_STRIDE + CALL_KEY] as number) & 1) === side) positions[found++] = position;
  }
  return positions.subarray(0, found);
}

/** Sorted by each word in turn, the last word counts most: every sort keeps what the ones before it did. */
function inPriority(orders: CallOrders, byArrival: Int32Array, { side, zones, rationing }: Selection): Int32Array {
  let sorted = byArrival;
  if (rationing === 'pro-rata') {
    sorted = sortBy(sorted, (position) => orders.clientOrderId(position));
    sorted = sortBy(sorted, (position) => orders.memberRank(position));
  }
  // Buys: the dearest limit first.
  const flip = side === 0 ? -1 : 0;
  sorted = sortBy(sorted, (position) => ((orders.hot[position * CALL_STRIDE + CALL_KEY] as number) ^ flip) >>> 0);
  return zones === 1 ? sorted : sortBy(sorted, (position) => orders.zone(position));
}

const DIGIT_BITS = 11;
const DIGITS = 2 ** DIGIT_BITS;

/** The positions by an unsigned 32-bit word of each, rising; equal words stay as they were. A radix sort. */
function sortBy(positions: Int32Array, wordOf: (position: number) => number): Int32Array {
  const words = new Uint32Array(positions.length);
  let differing = 0;
  for (let at = 0; at < positions.length; at++) {
    const word = wordOf(positions[at] as number);
    words[at] = word;
    differing |= word ^ (words[0] as number);
  }
  let sorted: Sorted = { positions, words };
  for (let shift = 0; shift < 32; shift += DIGIT_BITS) {
    if (((differing >>> shift) & (DIGITS - 1)) !== 0) sorted = sortByDigit(sorted, shift);
  }
  return sorted.positions;
}

interface Sorted {
  readonly positions: Int32Array;
  readonly words: Uint32Array;
}

function sortByDigit({ positions, words }: Sorted, shift: number): Sorted {
  const starts = new Int32Array(DIGITS);
  for (let at = 0; at < words.length; at++) {
    const digit = ((words[at] as number) >>> shift) & (DIGITS - 1);
    starts[digit] = (starts[digit] as number) + 1;
  }
  let start = 0;
  for (let digit = 0; digit < DIGITS; digit++) {
    const frequency = starts[digit] as number;
    starts[digit] = start;
    start += frequency;
  }
  const sorted = { positions: new Int32Array(words.length), words: new Uint32Array(words.length) };
  for (let at = 0; at < words.length; at++) {
    const word = words[at] as number;
    const digit = (word >>> shift) & (DIGITS - 1);
    const place = starts[digit] as number;
    starts[digit] = place + 1;
    sorted.positions[place] = positions[at] as number;
    sorted.words[place] = word;
  }
  return sorted;
}
