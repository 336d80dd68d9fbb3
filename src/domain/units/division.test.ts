import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { floorDivide, mulDivFloor, shareByLargestRemainder } from './division.ts';

const positive = fc.oneof(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }));

function bigFloor(a: bigint, b: bigint): number {
  const quotient = a / b;
  return Number(a % b < 0n ? quotient - 1n : quotient);
}

describe('division rounds toward minus infinity', () => {
  test.each([
    [7, 2, 3],
    [-7, 2, -4],
    [-8, 2, -4],
    [-1, 100, -1],
    [0, 5, 0],
    [-0, 5, 0],
    [Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER, 1],
    [-Number.MAX_SAFE_INTEGER, Number.MAX_SAFE_INTEGER - 1, -2],
  ])('%i / %i is %i', (a, b, quotient) => {
    expect(floorDivide(a, b)).toBe(quotient);
  });

  test('as exact integers do, over all safe integers', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), positive, (a, b) => {
        expect(floorDivide(a, b)).toBe(bigFloor(BigInt(a), BigInt(b)));
      }),
      { numRuns: 1000 },
    );
  });

  test('also where the product leaves the safe integers', () => {
    expect(mulDivFloor(2 ** 32 - 2, 2 ** 31 - 1, 2 ** 32 - 2)).toBe(2 ** 31 - 1);
    expect(mulDivFloor(-1, 2 ** 52, 2 ** 52 + 1)).toBe(-1);
    const small = fc.integer({ min: -(2 ** 31), max: 2 ** 31 });
    fc.assert(
      fc.property(small, fc.integer({ min: 0, max: 2 ** 50 }), positive, (a, part, rest) => {
        const whole = Math.min(part + rest, Number.MAX_SAFE_INTEGER);
        expect(mulDivFloor(a, part, whole)).toBe(bigFloor(BigInt(a) * BigInt(part), BigInt(whole)));
      }),
      { numRuns: 1000 },
    );
  });

  test('by nothing, by less than nothing, or of a fraction is a bug', () => {
    expect(() => floorDivide(1, 0)).toThrow('bug');
    expect(() => floorDivide(1, -2)).toThrow('bug');
    expect(() => floorDivide(0.5, 2)).toThrow('bug');
    expect(() => mulDivFloor(1, 1, 0)).toThrow('bug');
    expect(() => mulDivFloor(2 ** 50, 2 ** 50, 1)).toThrow('bug');
  });
});

describe('sharing by largest remainder', () => {
  test.each([
    [4, [3, 3, 3], [2, 1, 1]],
    [5, [3, 3, 3], [2, 2, 1]],
    [1, [1, 2, 3], [0, 0, 1]],
    [10, [1, 1], [5, 5]],
    [7, [5, 0, 2], [5, 0, 2]],
    [3, [5, 0, 2], [2, 0, 1]],
    [0, [0, 0], [0, 0]],
    [0, [], []],
    [2, [2 ** 50, 2 ** 50], [1, 1]],
  ])('%i over %j is %j', (total, weights, shares) => {
    expect(shareByLargestRemainder(total, weights)).toEqual(shares);
  });

  test('sums to the total, is within one unit of the exact share, and exceeds no weight that covers the total', () => {
    const weights = fc
      .array(fc.nat(2 ** 22), { minLength: 1, maxLength: 20 })
      .filter((list) => list.some((w) => w > 0));
    fc.assert(
      fc.property(weights, fc.double({ min: 0, max: 1, noNaN: true }), (list, part) => {
        const sum = list.reduce((a, b) => a + b, 0);
        const total = Math.round(sum * part);
        const shares = shareByLargestRemainder(total, list);
        expect(shares.reduce((a, b) => a + b, 0)).toBe(total);
        shares.forEach((share, at) => {
          const weight = list[at] ?? 0;
          expect(share).toBeLessThanOrEqual(weight);
          expect(Math.abs(share * sum - total * weight)).toBeLessThan(sum);
        });
      }),
    );
  });

  test('something over no weight is a bug', () => {
    expect(() => shareByLargestRemainder(1, [0, 0])).toThrow('bug');
    expect(() => shareByLargestRemainder(1, [])).toThrow('bug');
    expect(() => shareByLargestRemainder(-1, [1])).toThrow('bug');
    expect(() => shareByLargestRemainder(1, [2, -1])).toThrow('bug');
  });
});
