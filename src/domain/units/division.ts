import { assert, assertSafeInteger } from './assert.ts';

/** a / b rounded toward minus infinity. Both safe integers, b > 0. */
export function floorDivide(a: number, b: number): number {
  assertSafeInteger(a, 'dividend');
  assert(b > 0, `divisor ${b} is not positive`);
  const quotient = Math.trunc(a / b);
  const exact = quotient - (((a % b) + b) % b !== 0 && a < 0 ? 1 : 0);
  return exact === 0 ? 0 : exact;
}

/** a x b / c rounded toward minus infinity, exact whatever the size of the product. c > 0. */
export function mulDivFloor(a: number, b: number, c: number): number {
  assert(c > 0, `divisor ${c} is not positive`);
  const product = a * b;
  if (Number.isSafeInteger(product)) return floorDivide(product, c);
  const wide = BigInt(a) * BigInt(b);
  const divisor = BigInt(c);
  const quotient = wide / divisor - (wide % divisor < 0n ? 1n : 0n);
  const result = Number(quotient);
  assertSafeInteger(result, 'quotient');
  return result;
}

/**
 * Shares `total` in proportion to `weights`: each gets the floor of its share, what is left goes one by one to the
 * largest remainders, ties to the earlier position (callers sort by member id). The shares sum to `total`.
 * Where total <= sum(weights), no share exceeds its weight. All weights >= 0 and, unless total is 0, not all zero.
 */
export function shareByLargestRemainder(total: number, weights: readonly number[]): number[] {
  const sum = weights.reduce((a, b) => a + b, 0);
  assertSafeInteger(sum, 'sum of weights');
  for (const weight of weights) assert(weight >= 0, `a weight of ${weight}`);
  if (total === 0) return weights.map(() => 0);
  assert(total > 0 && sum > 0, `cannot share ${total} over weights that sum to ${sum}`);
  const shares = weights.map((weight) => mulDivFloor(total, weight, sum));
  const left = total - shares.reduce((a, b) => a + b, 0);
  for (const index of byRemainder(total, weights, sum).slice(0, left)) shares[index] = (shares[index] ?? 0) + 1;
  return shares;
}

function byRemainder(total: number, weights: readonly number[], sum: number): number[] {
  const remainders = weights.map((weight) => remainderOf(total, weight, sum));
  return weights.map((_, index) => index).sort((a, b) => (remainders[b] ?? 0) - (remainders[a] ?? 0) || a - b);
}

/** a x b modulo c, exact whatever the size of the product. All >= 0, c > 0. */
function remainderOf(a: number, b: number, c: number): number {
  const product = a * b;
  return Number.isSafeInteger(product) ? product % c : Number((BigInt(a) * BigInt(b)) % BigInt(c));
}
