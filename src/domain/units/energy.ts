import { assertSafeInteger } from './assert.ts';
import type { Brand } from './brand.ts';

/** Energy in whole watt-hours. Registers and trades are never negative; a deviation may be. */
export type Wh = Brand<number, 'Wh'>;

/** Energy summed over members or intervals, in watt-hours. */
export type WhTotal = Brand<bigint, 'WhTotal'>;

export const ZERO_WH = 0 as Wh;

/** One order, one register step: below 2^22 Wh (4.2 MWh). Keeps price x energy a safe integer. */
export const MAX_ORDER_WH = 2 ** 22 - 1;

/** @throws a bug if `value` is not a whole number of watt-hours */
export function wh(value: number): Wh {
  assertSafeInteger(value, 'energy in Wh');
  return value as Wh;
}

/** The sum in Wh; of nothing it is zero. @throws a bug where it leaves the safe integers */
export function addWh(...terms: readonly Wh[]): Wh {
  let sum = 0;
  for (const term of terms) sum += term;
  return wh(sum);
}

/** The smaller of two energies, Wh. */
export function minWh(a: Wh, b: Wh): Wh {
  return a < b ? a : b;
}

/** The part of `a` above `b`, or zero. */
export function excessWh(a: Wh, b: Wh): Wh {
  return a > b ? wh(a - b) : ZERO_WH;
}

/** The sum in Wh, exact whatever its size. */
export function sumWh(terms: Iterable<Wh>): WhTotal {
  let sum = 0n;
  for (const term of terms) sum += BigInt(term);
  return sum as WhTotal;
}
