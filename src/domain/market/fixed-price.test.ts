import fc from 'fast-check';
import { expect, test } from 'vitest';
import { wh } from '../units/energy.ts';
import type { MemberId } from '../units/identity.ts';
import { pricePerKwh } from '../units/price.ts';
import { clearFixedPrice } from './fixed-price.ts';
import { MECHANISMS, mechanismOf } from './mechanism.ts';
import { clearMidMarket, type MeteredPosition } from './mid-market.ts';

const BAND = { lowest: pricePerKwh(80_000), highest: pricePerKwh(300_000) };
const position = (member: string, demand: number, supply: number): MeteredPosition => ({
  member: member as MemberId,
  demand: wh(demand),
  supply: wh(supply),
});
const STREET = [position('a', 300, 0), position('b', 100, 0), position('c', 0, 200)];

test.each([
  ['inside the band', 155_000, 155_000],
  ['off the tick', 155_099, 155_000],
  ['below the feed-in tariff', 10_000, 80_000],
  ['above the retail tariff', 900_000, 300_000],
])('a price %s', (_, fixed, price) => {
  const pool = clearFixedPrice(STREET, BAND, 100, pricePerKwh(fixed));
  expect(pool).toEqual({ ...clearMidMarket(STREET, BAND, 100), price });
});

test('nobody pays more or gets less than with the utility, whatever the tariff and the price', () => {
  const anyPrice = fc.integer({ min: -9000, max: 9000 }).map((ticks) => ticks * 100);
  fc.assert(
    fc.property(anyPrice, fc.nat(5000), fc.integer({ min: -(2 ** 30), max: 2 ** 30 }), (lowest, ticks, fixed) => {
      const band = { lowest: pricePerKwh(lowest), highest: pricePerKwh(lowest + ticks * 100) };
      const price = clearFixedPrice(STREET, band, 100, pricePerKwh(fixed)).price ?? Number.NaN;
      expect(price).toBeGreaterThanOrEqual(band.lowest);
      expect(price).toBeLessThanOrEqual(band.highest);
    }),
  );
});

test('the mechanism takes the price of the terms, and the middle of the band where they have none', () => {
  const fixed = mechanismOf({ mechanism: 'fixed', fixedPrice: pricePerKwh(120_000) });
  expect(fixed.afterDelivery?.(STREET, BAND, 100).price).toBe(120_000);
  expect(mechanismOf({ mechanism: 'fixed' }).afterDelivery?.(STREET, BAND, 100).price).toBe(190_000);
  expect(mechanismOf({ mechanism: 'call', fixedPrice: pricePerKwh(1) })).toBe(MECHANISMS.call);
  expect(fixed.afterDelivery?.([], BAND, 100).price).toBeNull();
});
