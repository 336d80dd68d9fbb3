import { expect, test } from 'vitest';
import type { MemberId } from '../units/identity.ts';
import { pricePerKwh } from '../units/price.ts';
import type { MemberPosition, SettlementPrices } from './interval-settlement.ts';
import { addToStatement, EMPTY_STATEMENT, statementLines } from './statement.ts';
import { verifyDelivery } from './verify-delivery.ts';

const PRICES: SettlementPrices = {
  local: pricePerKwh(200_000),
  short: pricePerKwh(250_000),
  long: pricePerKwh(140_000),
  tariff: { importPrice: pricePerKwh(300_000), exportPrice: pricePerKwh(80_000) },
};

function position(values: Partial<Record<keyof MemberPosition, number>>): MemberPosition {
  const none = { bought: 0, sold: 0, imported: 0, exported: 0, balancedLong: 0, balancedShort: 0 };
  return { member: 'a' as MemberId, origin: 'metered', ...none, ...values } as MemberPosition;
}

test('a statement tells what was never traded from what was traded and not delivered', () => {
  const seller = position({ sold: 500, exported: 380, imported: 60, balancedShort: 90 });
  expect(statementLines(seller, PRICES).map((line) => [line.reason, line.party, line.energy, line.amount])).toEqual([
    ['sold', 'trade', 500, 100_000_000],
    ['unmatched_import', 'street', 30, -7_500_000],
    ['unmatched_import', 'utility', 30, -9_000_000],
    ['imbalance_shortfall', 'street', 60, -15_000_000],
    ['imbalance_shortfall', 'utility', 60, -18_000_000],
  ]);
  const buyer = position({ bought: 500, imported: 420, exported: 20, balancedLong: 50 });
  expect(statementLines(buyer, PRICES).map((line) => [line.reason, line.party, line.energy, line.amount])).toEqual([
    ['bought', 'trade', 500, -100_000_000],
    ['unmatched_export', 'street', 10, 1_400_000],
    ['unmatched_export', 'utility', 10, 800_000],
    ['imbalance_overbought', 'street', 40, 5_600_000],
    ['imbalance_overbought', 'utility', 40, 3_200_000],
  ]);
});

test('running totals add up over intervals and count substitutes', () => {
  const first = addToStatement(EMPTY_STATEMENT, position({ sold: 500, exported: 500 }), PRICES);
  const second = addToStatement(first, { ...position({ bought: 100, imported: 100 }), origin: 'substituted' }, PRICES);
  expect(second).toMatchObject({ intervals: 2, substituted: 1, balance: 80_000_000n });
  expect([...second.totals]).toEqual([
    ['sold/trade', { energy: 500n, amount: 100_000_000n }],
    ['bought/trade', { energy: 100n, amount: -20_000_000n }],
  ]);
});

test.each([
  ['all delivered', { sold: 500, exported: 700 }, 500, 0, 'DELIVERED'],
  ['100 Wh short of a small sale', { sold: 150, exported: 50 }, 50, 100, 'DELIVERED'],
  ['101 Wh short of a small sale', { sold: 150, exported: 49 }, 49, 101, 'DELIVERY_FAILURE'],
  ['10 % short of a large sale', { sold: 5000, exported: 4500 }, 4500, 500, 'DELIVERED'],
  ['more than that', { sold: 5000, exported: 4499 }, 4499, 501, 'DELIVERY_FAILURE'],
])('delivery of a sale: %s', (_, values, delivered, missing, code) => {
  expect(verifyDelivery(position(values))).toMatchObject({ sale: { delivered, missing }, code });
});

test('a purchase that was not taken is verified likewise', () => {
  expect(verifyDelivery(position({ bought: 400, imported: 250 }))).toMatchObject({
    purchase: { traded: 400, delivered: 250, missing: 150 },
    code: 'DELIVERY_FAILURE',
  });
});
