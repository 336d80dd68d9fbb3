/** Numbers that look random and depend on nothing but their key: the same on every machine and after every restart. */

const GOLDEN = 0x9e3779b9;

/** An unsigned 32-bit number from a key of integers; every bit of the key moves every bit of the result. */
export function hash32(...key: readonly number[]): number {
  let state = key.length >>> 0;
  for (const part of key) {
    state = scramble(state ^ (part >>> 0));
    state = scramble(state ^ (Math.floor(part / 2 ** 32) >>> 0));
  }
  return state;
}

/** A number in [0, 1) from a key of integers. */
export function unit(...key: readonly number[]): number {
  return hash32(...key) / 2 ** 32;
}

/** An integer in [lowest, highest] from a key of integers. */
export function between(lowest: number, highest: number, ...key: readonly number[]): number {
  return lowest + Math.floor(unit(...key) * (highest - lowest + 1));
}

/** The numbers 0 to count - 1 in an order from a key of integers. */
export function shuffled(count: number, ...key: readonly number[]): number[] {
  const order = Array.from({ length: count }, (_, index) => index);
  for (let last = count - 1; last > 0; last -= 1) {
    const other = between(0, last, ...key, last);
    const moved = order[last] ?? 0;
    order[last] = order[other] ?? 0;
    order[other] = moved;
  }
  return order;
}

/** One Weyl step, then two multiply-xorshift rounds that are a bijection of 32 bits. */
function scramble(value: number): number {
  let mixed = (value + GOLDEN) | 0;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return (mixed ^ (mixed >>> 16)) >>> 0;
}
