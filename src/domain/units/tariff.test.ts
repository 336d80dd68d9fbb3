import fc from 'fast-check';
import { expect, test } from 'vitest';
import { pricePerKwh } from './price.ts';
import { priceBand } from './tariff.ts';

const tariff = (importPrice: number, exportPrice: number) => ({
  importPrice: pricePerKwh(importPrice),
  exportPrice: pricePerKwh(exportPrice),
});

test.each([
  ['edges on the tick stay', 300_000, 80_000, 80_000, 300_000],
  ['edges off the tick go inward', 300_055, 80_001, 80_100, 300_000],
  ['negative edges go inward too', -50, -250, -200, -100],
  ['a band across zero', 150, -150, -100, 100],
  ['one tick of room is enough', 150, 50, 100, 100],
])('%s', (_, importPrice, exportPrice, lowest, highest) => {
  expect(priceBand(tariff(importPrice, exportPrice), 100)).toEqual({ lowest, highest });
});

test.each([
  ['import below export', 80_000, 300_000],
  ['import equal to export', 80_000, 80_000],
  ['no tick between the two', 160, 110],
])('%s leaves nothing to gain', (_, importPrice, exportPrice) => {
  expect(priceBand(tariff(importPrice, exportPrice), 100)).toBe('tariff_inverted');
});

test('a band never reaches beyond the tariff and misses less than a tick on either side', () => {
  const price = fc.integer({ min: -1_000_000, max: 1_000_000 });
  fc.assert(
    fc.property(price, price, fc.integer({ min: 1, max: 500 }), (importPrice, exportPrice, tick) => {
      const band = priceBand(tariff(importPrice, exportPrice), tick);
      if (band === 'tariff_inverted') {
        expect(importPrice - exportPrice).toBeLessThan(tick);
      } else {
        expect(band.lowest - exportPrice).toBeGreaterThanOrEqual(0);
        expect(band.lowest - exportPrice).toBeLessThan(tick);
        expect(importPrice - band.highest).toBeGreaterThanOrEqual(0);
        expect(importPrice - band.highest).toBeLessThan(tick);
      }
    }),
  );
});
