import { expect, test } from 'vitest';
import { wh } from '../units/energy.ts';
import type { MemberId } from '../units/identity.ts';
import { type Nano, ZERO_NANO } from '../units/money.ts';
import { pricePerKwh } from '../units/price.ts';
import type { MemberPosition, SettlementPrices } from './interval-settlement.ts';
import { addToStatement, EMPTY_STATEMENT, statementLines } from './statement.ts';
import { failureOf, verifyDelivery } from './verify-delivery.ts';

const PRICES: SettlementPrices = {
  local: pricePerKwh(200_000),
  short: pricePerKwh(250_000),
  long: pricePerKwh(140_000),
  tariff: { importPrice: pricePerKwh(300_000), exportPrice: pricePerKwh(80_000) },
};

function position(
  values: Partial<Record<'bought' | 'sold' | 'imported' | 'exported' | 'balancedLong' | 'balancedShort', number>>,
): MemberPosition {
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

test('trades at prices of their own, the grid fee and a penalty each have their line', () => {
  const [bought, sold] = [-30_000_001, 5_000_000] as Nano[];
  const tradeAmounts = { bought: bought ?? ZERO_NANO, sold: sold ?? ZERO_NANO };
  const more = { tradeAmounts, gridFee: pricePerKwh(10_000), penalised: wh(150), cause: 'member' } as const;
  const member = { ...position({ bought: 150, sold: 160, imported: 140, exported: 10, balancedLong: 10 }), ...more };
  const lines = statementLines(member, { ...PRICES, penalty: pricePerKwh(20_000) });
  expect(lines.map((line) => [line.reason, line.party, line.energy, line.price, line.amount])).toEqual([
    ['bought', 'trade', 150, 200_000, -30_000_001],
    ['sold', 'trade', 160, 31_250, 5_000_000],
    ['imbalance_shortfall', 'utility', 150, 300_000, -45_000_000],
    ['imbalance_overbought', 'street', 10, 140_000, 1_400_000],
    ['grid_fee', 'grid', 140, 10_000, -1_400_000],
    ['penalty', 'community', 150, 20_000, -3_000_000],
  ]);
});

const FAILED = { sold: 500, exported: 380 };
test.each([
  ['a member that failed', FAILED, 'metered', undefined, { cause: 'member', penalised: 120 }],
  ['one whose lease expired', FAILED, 'metered', 'lease_expired', { cause: 'lease_expired' }],
  ['one that the operator curtailed', FAILED, 'metered', 'operator', { cause: 'operator' }],
  ['one that the grid curtailed', FAILED, 'metered', 'grid', { cause: 'grid' }],
  ['one whose reading is missing', FAILED, 'substituted', undefined, { cause: 'reading_missing' }],
  ['the same, whatever is said', FAILED, 'substituted', 'member', { cause: 'reading_missing' }],
  ['one that the grid curtailed, without a reading', FAILED, 'substituted', 'grid', { cause: 'grid' }],
  ['100 Wh less than was sold', { sold: 500, exported: 400 }, 'metered', undefined, {}],
  ['a purchase that was not taken', { bought: 500, imported: 200 }, 'metered', undefined, { cause: 'member' }],
] as const)('a penalty is only for the own doing of a seller: %s', (_, values, origin, stated, failure) => {
  expect(failureOf(position(values), origin, stated)).toEqual(failure);
});
