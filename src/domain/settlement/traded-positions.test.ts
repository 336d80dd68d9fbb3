import fc from 'fast-check';
import { expect, test } from 'vitest';
import { wh } from '../units/energy.ts';
import type { MemberId } from '../units/identity.ts';
import { pricePerKwh } from '../units/price.ts';
import { type SettledTrade, tradedPositions } from './traded-positions.ts';

function trade(buyer: string, seller: string, energy: number, price: number, sellerPrice?: number): SettledTrade {
  const firm = { buyer: buyer as MemberId, seller: seller as MemberId, energy: wh(energy), price: pricePerKwh(price) };
  return sellerPrice === undefined ? firm : { ...firm, sellerPrice: pricePerKwh(sellerPrice) };
}

test('each member has the exact sum of its own trades, both sides apart', () => {
  const { members, price, zoneRent } = tradedPositions(
    [trade('a', 'b', 100, 200_000), trade('a', 'c', 50, 180_000), trade('b', 'c', 10, 250_000)],
    100,
  );
  expect([...members]).toEqual([
    ['a', { bought: 150, sold: 0, tradeAmounts: { bought: -29_000_000, sold: 0 } }],
    ['b', { bought: 10, sold: 100, tradeAmounts: { bought: -2_500_000, sold: 20_000_000 } }],
    ['c', { bought: 0, sold: 60, tradeAmounts: { bought: 0, sold: 11_500_000 } }],
  ]);
  // 31.5 million over 160 Wh is 196,875.
  expect([price, zoneRent]).toEqual([196_800, 0n]);
});

test('between zones the buyer pays its price, the seller gets its own, and the difference is rent', () => {
  const { members, price, zoneRent } = tradedPositions([trade('a', 'b', 100, 240_000, 160_000)], 100);
  expect(members.get('a' as MemberId)?.tradeAmounts.bought).toBe(-24_000_000);
  expect(members.get('b' as MemberId)?.tradeAmounts.sold).toBe(16_000_000);
  expect([price, zoneRent]).toEqual([200_000, 8_000_000n]);
});

test('where nothing traded there is no price, and negative prices floor toward minus infinity', () => {
  expect(tradedPositions([], 100)).toEqual({ members: new Map(), price: null, zoneRent: 0n });
  // The mean is -200.5.
  expect(tradedPositions([trade('a', 'b', 199, -200), trade('a', 'b', 1, -300)], 100).price).toBe(-300);
});

test('the local price is the price of all trades where they have one, and never outside theirs', () => {
  const anyTrade = fc.tuple(
    fc.nat(3),
    fc.nat(3),
    fc.integer({ min: 1, max: 9999 }),
    fc.integer({ min: -900, max: 900 }),
  );
  fc.assert(
    fc.property(fc.array(anyTrade, { minLength: 1 }), fc.boolean(), (rows, isUniform) => {
      const prices = rows.map(([, , , ticks]) => (isUniform ? (rows[0]?.[3] ?? 0) : ticks) * 100);
      const trades = rows.map(([a, b, energy], index) => trade(`m${a}`, `n${b}`, energy, prices[index] ?? 0));
      const price = tradedPositions(trades, 100).price ?? Number.NaN;
      expect(price % 100 || 0).toBe(0);
      expect(price).toBeGreaterThanOrEqual(Math.min(...prices));
      expect(price).toBeLessThanOrEqual(Math.max(...prices));
    }),
  );
});
