import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ceilToTick, floorToTick, formatPrice, parsePrice, pricePerKwh } from './price.ts';

const prices = fc.integer({ min: -(2 ** 30), max: 2 ** 30 });
const ticks = fc.integer({ min: 1, max: 10_000 });

describe('a price', () => {
  test.each([
    ['0.30', 300_000, '0.3'],
    ['-0.005', -5000, '-0.005'],
    ['2147.483647', 2 ** 31 - 1, '2147.483647'],
    ['0', 0, '0'],
  ])('%s is %i micro-currency per kWh', (text, price, shortest) => {
    expect(parsePrice(text)).toBe(price);
    expect(formatPrice(pricePerKwh(price))).toBe(shortest);
  });

  test.each(['2147.483648', '-2147.483648', '0.0000001', '1e-1', 'free', ''])('is not %j', (text) => {
    expect(parsePrice(text)).toBeNull();
  });

  test('out of bounds or with a fraction is a bug', () => {
    for (const value of [2 ** 31, -(2 ** 31), 0.5, Number.NaN]) expect(() => pricePerKwh(value)).toThrow('bug');
  });
});

describe('the tick grid', () => {
  test.each([
    [250, 200, 300],
    [200, 200, 200],
    [-250, -300, -200],
    [-50, -100, 0],
    [50, 0, 100],
    [0, 0, 0],
  ])('of 100 has %i between %i and %i', (price, floor, ceiling) => {
    expect(floorToTick(price, 100)).toBe(floor);
    expect(ceilToTick(price, 100)).toBe(ceiling);
  });

  test('rounds to the nearest point below and above, and leaves points alone', () => {
    fc.assert(
      fc.property(prices, ticks, (price, tick) => {
        const [floor, ceiling] = [floorToTick(price, tick), ceilToTick(price, tick)];
        expect(floor <= price && price <= ceiling).toBe(true);
        expect(ceiling - floor).toBe(price % tick === 0 ? 0 : tick);
        expect(Math.abs(floor % tick)).toBe(0);
      }),
    );
  });
});
