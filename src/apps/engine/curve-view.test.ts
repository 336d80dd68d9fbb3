import { expect, test } from 'vitest';
import type { Product } from '../../domain/engine/state.ts';
import { OrderBook } from '../../domain/market/order-book.ts';
import type { Wh } from '../../domain/units/energy.ts';
import type { MarketId, MemberId } from '../../domain/units/identity.ts';
import type { PricePerKwh } from '../../domain/units/price.ts';
import type { EpochMs } from '../../domain/units/time.ts';
import { clearingView } from './curve-view.ts';

const start = 900_000 as EpochMs;
const tariff = { importPrice: 300_000 as PricePerKwh, exportPrice: 80_000 as PricePerKwh };
const band = { lowest: tariff.exportPrice, highest: tariff.importPrice };
const context = { marketHalted: false, memberHalted: false, clockOffMs: 0, capability: 100_000 as Wh };

/** Each member sells 100 Wh at its own limit; one buys. */
function productOf(sellers: number, buyWh: number): Product {
  const terms = { market: 'elm' as MarketId, product: start, tick: 100, band, maxVolume: (2 ** 30) as Wh };
  const book = new OrderBook(terms);
  const common = { market: terms.market, product: start, clientOrderId: 1, type: 'limit' } as const;
  for (let i = 0; i < sellers; i++) {
    const limit = (100_000 + i * 1000) as PricePerKwh;
    const seller = `seller-${String(i).padStart(2, '0')}` as MemberId;
    book.submit({ ...common, member: seller, side: 'sell', limit, energy: 100 as Wh }, i + 1, context);
  }
  const buyer = {
    member: 'buyer' as MemberId,
    side: 'buy',
    limit: 300_000 as PricePerKwh,
    energy: buyWh as Wh,
  } as const;
  book.submit({ ...common, ...buyer }, sellers + 1, context);
  return { start, tariff, band, book, clearing: book.closeGate('pro-rata') };
}

test('every public step stands for at least five members, and no energy is left out', () => {
  const view = clearingView(productOf(12, 300));
  expect(view?.supply).toEqual([
    { pricePerKwh: '0.1', energyWh: 500 },
    { pricePerKwh: '0.105', energyWh: 700 },
  ]);
  expect(view).toMatchObject({ tradedWh: 300, orders: 13 });
});

test('a street of fewer than five sellers shows one step', () => {
  expect(clearingView(productOf(4, 300))?.supply).toEqual([{ pricePerKwh: '0.1', energyWh: 400 }]);
});

test('before its gate a product shows nothing', () => {
  expect(clearingView({ ...productOf(4, 300), clearing: null })).toBeNull();
});

test.each([
  [3, 900, 'scarce'],
  [9, 300, 'plentiful'],
])('%d sellers and %d Wh wanted: %s', (sellers, wanted, word) => {
  expect(clearingView(productOf(sellers, wanted))?.why).toContain(word);
});
