import { expect, test } from 'vitest';
import type { Product } from '../../domain/engine/state.ts';
import type { ProductRules } from '../../domain/market/book.ts';
import { MemberDirectory } from '../../domain/market/member-directory.ts';
import { MemberTable } from '../../domain/market/member-table.ts';
import type { Side } from '../../domain/market/order.ts';
import { clearingOf, submitOrder } from '../../domain/market/order-entry.ts';
import { ProductBook } from '../../domain/market/product-book.ts';
import { wh } from '../../domain/units/energy.ts';
import type { MemberId } from '../../domain/units/identity.ts';
import { type PricePerKwh, pricePerKwh } from '../../domain/units/price.ts';
import type { EpochMs } from '../../domain/units/time.ts';
import { clearingView } from './curve-view.ts';

const start = 900_000 as EpochMs;
const tariff = { importPrice: 300_000 as PricePerKwh, exportPrice: 80_000 as PricePerKwh };
const band = { lowest: tariff.exportPrice, highest: tariff.importPrice };
const rules: ProductRules = {
  ...{ product: start, mechanism: 'call', rationing: 'pro-rata', tick: 100, band, maxVolume: wh(2 ** 30) },
  ...{ importPrice: tariff.importPrice, penalty: pricePerKwh(0), fees: [pricePerKwh(0)], zoneLimits: [] },
};

/** Each member sells 100 Wh at its own limit; one buys. */
function productOf(sellers: number, buyWh: number): Product {
  const members = new MemberDirectory(new MemberTable());
  const book = new ProductBook(rules, members.table);
  const submit = (name: string, side: Side, limit: number, energy: number) => {
    const member = name as MemberId;
    members.admit(member, { capability: wh(100_000), collateral: null, zone: 0 });
    const order = {
      member,
      clientOrderId: 1,
      side,
      type: 'limit',
      limit: pricePerKwh(limit),
      energy: wh(energy),
    } as const;
    submitOrder(book, members, { order, sequence: book.orderCount + 1, clockOffMs: 0 });
  };
  for (let i = 0; i < sellers; i++) submit(`seller-${String(i).padStart(2, '0')}`, 'sell', 100_000 + i * 1000, 100);
  submit('buyer', 'buy', 300_000, buyWh);
  book.closeGate();
  return { start, mechanism: 'call', tariff, band, book, clearing: clearingOf(book, members) };
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
