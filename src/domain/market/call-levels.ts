import { assert } from '../units/assert.ts';
import { MAX_ORDER_WH } from '../units/energy.ts';
import type { CallOrders } from './call-clearing.ts';

/** Words of one order in `CallOrders.hot`; words 0 and 1 are the book's own and are not read here. */
export const CALL_STRIDE = 4;
/** Wh that stand; 0: the order does not take part. */
export const CALL_OPEN = 2;
/** Tick index x 2 + side, 0 buy, 1 sell. The book price is `base` + tick index x tick. */
export const CALL_KEY = 3;

/** The Wh that stand at each level: zone x 2 x ticks + key. Each side of all zones together is below 2^31 Wh. */
export function levelsOf(orders: CallOrders, zones: number): Int32Array {
  const levels = new Int32Array(zones * 2 * orders.ticks);
  const signs = zones === 1 ? addUp(orders, levels) : addUpByZone(orders, levels);
  assert(signs >= 0, 'an order outside the ticks, of more energy than one may have, or a level above 2^31 Wh');
  let [buys, sells] = [0, 0];
  for (let level = 0; level < levels.length; level += 2) {
    buys += levels[level] as number;
    sells += levels[level + 1] as number;
  }
  assert(buys < 2 ** 31 && sells < 2 ** 31, `${buys} Wh of buys, ${sells} Wh of sells`);
  return levels;
}

/** What must not be negative, all in one word: a sum that leaves its 32 bits is negative once. */
function addUp({ hot, count, ticks }: CallOrders, levels: Int32Array): number {
  const highest = 2 * ticks - 1;
  const end = count * CALL_STRIDE;
  let signs = 0;
  for (let word = 0; word < end; word += CALL_STRIDE) {
    const open = hot[word + CALL_OPEN] as number;
    if (open === 0) continue;
    const key = hot[word + CALL_KEY] as number;
    const sum = ((levels[key] as number) + open) | 0;
    levels[key] = sum;
    signs |= open | (MAX_ORDER_WH - open) | key | (highest - key) | sum;
  }
  return signs;
}

function addUpByZone(orders: CallOrders, levels: Int32Array): number {
  const { hot, count, ticks } = orders;
  let signs = 0;
  for (let position = 0, word = 0; position < count; position++, word += CALL_STRIDE) {
    const open = hot[word + CALL_OPEN] as number;
    if (open === 0) continue;
    const key = hot[word + CALL_KEY] as number;
    const level = orders.zone(position) * 2 * ticks + key;
    const sum = ((levels[level] as number) + open) | 0;
    levels[level] = sum;
    signs |= open | (MAX_ORDER_WH - open) | key | (2 * ticks - 1 - key) | sum;
  }
  return signs;
}

/**
 * Gives `energy` to one side, 0 buys, 1 sells, better prices first: `given` gets what each level gets. Both begin with
 * the zone's first level and end with its last. The answer is the level that is partly filled, or -1.
 */
export function giveBestFirst(levels: Int32Array, given: Int32Array, side: number, energy: number): number {
  let left = energy;
  let partial = -1;
  const step = side === 0 ? -2 : 2;
  for (let level = side === 0 ? levels.length - 2 : 1; left > 0; level += step) {
    const stands = levels[level];
    assert(stands !== undefined, `${left} Wh of ${energy} found no level`);
    const part = Math.min(left, stands);
    given[level] = part;
    left -= part;
    if (part > 0 && part < stands) partial = level;
  }
  return partial;
}

/** The orders that stand at this key, in any of these zones (null: all there are), in the order of arrival. */
export function positionsAt(orders: CallOrders, key: number, zones: ReadonlySet<number> | null): Int32Array {
  const { hot, count } = orders;
  const positions = new Int32Array(count);
  let found = 0;
  for (let position = 0, word = 0; position < count; position++, word += CALL_STRIDE) {
    if (hot[word + CALL_KEY] === key && hot[word + CALL_OPEN] !== 0) positions[found++] = position;
  }
  const inAll = positions.subarray(0, found);
  return zones === null ? inAll : inAll.filter((position) => zones.has(orders.zone(position)));
}
