import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { wh } from '../units/energy.ts';
import type { MarketId, MemberId } from '../units/identity.ts';
import { pricePerKwh } from '../units/price.ts';
import { epochMs } from '../units/time.ts';
import { clearCall } from './call-auction.ts';
import { clearMidMarket, type MeteredPosition, midMarketPrice, shareMidMarket } from './mid-market.ts';
import type { RestingOrder } from './order.ts';

const BAND = { lowest: pricePerKwh(80_000), highest: pricePerKwh(300_000) };

const position = (member: string, demand: number, supply: number): MeteredPosition => ({
  member: member as MemberId,
  demand: wh(demand),
  supply: wh(supply),
});

describe('the mid-market price', () => {
  test.each([
    [10, 10, 190_000],
    [30, 10, 245_000],
    [10, 30, 135_000],
    [1, 0, 300_000],
    [0, 1, 80_000],
    [1, 2, 153_300],
  ])('for %i Wh drawn and %i Wh fed in is %i', (demand, supply, price) => {
    expect(midMarketPrice(wh(demand), wh(supply), BAND, 100)).toBe(price);
  });

  test('is null where nobody drew or fed in', () => {
    expect(midMarketPrice(wh(0), wh(0), BAND, 100)).toBeNull();
    expect(clearMidMarket([], BAND, 100)).toEqual({ price: null, traded: 0, shares: [] });
  });

  test('floors toward minus infinity in a negative band', () => {
    const band = { lowest: pricePerKwh(-400), highest: pricePerKwh(-100) };
    expect(midMarketPrice(wh(1), wh(1), band, 100)).toBe(-300);
  });
});

describe('the pool', () => {
  test('gives the shorter side in full and shares the longer one pro-rata, ties by member id', () => {
    const shares = shareMidMarket([position('c', 3, 0), position('a', 3, 0), position('b', 3, 0), position('z', 0, 4)]);
    expect(shares.map(({ bought }) => bought)).toEqual([1, 2, 1, 0]);
    expect(shares.map(({ sold }) => sold)).toEqual([0, 0, 0, 4]);
  });

  test('keeps the two registers of a member apart', () => {
    const { traded, shares } = clearMidMarket([position('a', 5, 3), position('b', 1, 0)], BAND, 100);
    expect(traded).toBe(3);
    expect(shares).toEqual([
      { member: 'a', bought: 3, sold: 3 },
      { member: 'b', bought: 0, sold: 0 },
    ]);
  });

  const streets = fc.uniqueArray(
    fc.record({ member: fc.string({ minLength: 1 }), demand: fc.nat(9999), supply: fc.nat(9999) }),
    { selector: ({ member }) => member, maxLength: 12 },
  );

  test('is what a call auction does with everybody bidding the edges of the band', () => {
    fc.assert(
      fc.property(streets, (homes) => {
        const positions = homes.map(({ member, demand, supply }, at) =>
          position(member, at % 2 === 0 ? demand : 0, at % 2 === 0 ? 0 : supply),
        );
        const pool = clearMidMarket(positions, BAND, 100);
        const call = clearCall(positions.flatMap(orderAtTheEdge), { tick: 100, rationing: 'pro-rata' });
        expect(call.traded).toBe(pool.traded);
        if (call.price !== null) expect(call.price).toBe(pool.price);
        for (const { member, filled } of call.fills) {
          const share = pool.shares.find((candidate) => candidate.member === member);
          expect((share?.bought ?? 0) + (share?.sold ?? 0)).toBe(filled);
        }
      }),
    );
  });

  test('never gives a member more than its register, buys equal sells, and the order of the list is nothing', () => {
    fc.assert(
      fc.property(streets, (homes) => {
        const positions = homes.map(({ member, demand, supply }) => position(member, demand, supply));
        const { shares, traded } = clearMidMarket(positions, BAND, 100);
        shares.forEach(({ bought, sold }, at) => {
          expect(bought).toBeLessThanOrEqual(positions[at]?.demand ?? -1);
          expect(sold).toBeLessThanOrEqual(positions[at]?.supply ?? -1);
        });
        expect(shares.reduce((sum, share) => sum + share.bought, 0)).toBe(traded);
        expect(shares.reduce((sum, share) => sum + share.sold, 0)).toBe(traded);
        expect(shareMidMarket(positions.toReversed())).toEqual(shares.toReversed());
      }),
    );
  });
});

function orderAtTheEdge({ member, demand, supply }: MeteredPosition, at: number): RestingOrder[] {
  if (demand + supply === 0) return [];
  const side = demand > 0 ? 'buy' : 'sell';
  const limit = side === 'buy' ? BAND.highest : BAND.lowest;
  const key = { market: 'elm' as MarketId, product: epochMs(0), member, clientOrderId: 1 };
  return [{ ...key, side, type: 'limit', limit, energy: side === 'buy' ? demand : supply, sequence: at }];
}
