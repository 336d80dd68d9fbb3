import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { clearMidMarket } from '../market/mid-market.ts';
import { substituteEnergy } from '../metering/substitute-reading.ts';
import { shareByLargestRemainder } from '../units/division.ts';
import { wh } from '../units/energy.ts';
import type { MarketId, MemberId } from '../units/identity.ts';
import { pricePerKwh } from '../units/price.ts';
import { priceBand, type Tariff } from '../units/tariff.ts';
import { epochMs } from '../units/time.ts';
import { conservationOf } from './accounts.ts';
import type { IntervalSettlement } from './interval-settlement.ts';
import { type MemberInterval, type SettlementInput, settleInterval } from './single-supply.ts';
import { statementLines } from './statement.ts';

const TARIFF: Tariff = { importPrice: pricePerKwh(300_000), exportPrice: pricePerKwh(80_000) };
const TICK = 100;

/** One member in short: traded (bought, sold) and metered (imported, exported). */
function member(id: string, bought: number, sold: number, imported: number, exported: number): MemberInterval {
  const energy = { imported: wh(imported), exported: wh(exported), origin: 'metered' } as const;
  return { member: id as MemberId, bought: wh(bought), sold: wh(sold), energy };
}

/** The settlement behind a lossless feeder. */
function settle(members: readonly MemberInterval[], more: Partial<SettlementInput> = {}): IntervalSettlement {
  const net = members.reduce((sum, { energy }) => sum + energy.imported - energy.exported, 0);
  return settleInterval({
    market: 'elm' as MarketId,
    interval: { start: epochMs(0), lengthMs: 900_000 },
    tariff: TARIFF,
    tick: TICK,
    clearingPrice: null,
    members,
    feeder: { imported: wh(Math.max(0, net)), exported: wh(Math.max(0, -net)) },
    balancing: true,
    ...more,
  });
}

describe('an interval', () => {
  test('with everything delivered is settled by its trades alone', () => {
    const { amounts, prices } = settle([member('a', 0, 600, 0, 600), member('b', 600, 0, 600, 0)], {
      clearingPrice: pricePerKwh(190_000),
    });
    expect(amounts).toEqual({ members: [114_000_000n, -114_000_000n], community: 0n, utility: 0n, grid: 0n });
    expect(prices).toMatchObject({ local: 190_000, short: 245_000, long: 135_000 });
  });

  test('balances a shortfall with a neighbour at the imbalance prices, and the spread is the community account', () => {
    const { amounts, positions } = settle(
      [member('a', 0, 600, 0, 500), member('b', 600, 0, 600, 0), member('c', 0, 0, 0, 300)],
      { clearingPrice: pricePerKwh(190_000) },
    );
    expect(positions.map((each) => [each.balancedLong, each.balancedShort])).toEqual([
      [0, 100],
      [0, 0],
      [100, 0],
    ]);
    expect(amounts.members.map(Number)).toEqual([
      600 * 190_000 - 100 * 245_000,
      -600 * 190_000,
      100 * 135_000 + 200 * 80_000,
    ]);
    expect([amounts.community, amounts.utility].map(Number)).toEqual([100 * (245_000 - 135_000), -200 * 80_000]);
  });

  test('where nothing traded anchors the imbalance prices at the mid-market price of what was metered', () => {
    const { prices } = settle([member('a', 0, 0, 0, 300), member('b', 0, 0, 100, 0)]);
    expect(prices).toMatchObject({ local: 135_000, short: 217_500, long: 107_500 });
  });

  test('never nets the two registers of one member', () => {
    const { amounts, positions } = settle([member('a', 0, 0, 400, 300)], {
      feeder: { imported: wh(100), exported: wh(0) },
    });
    expect(positions[0]).toMatchObject({ balancedLong: 300, balancedShort: 300 });
    expect(amounts.utility).toBe(30_000_000n);
  });

  test('under feed-in pays every register at the tariff', () => {
    const settlement = settle([member('a', 0, 0, 0, 300), member('b', 0, 0, 100, 0)], { balancing: false });
    expect(settlement.amounts).toEqual({
      members: [24_000_000n, -30_000_000n],
      community: 0n,
      utility: 6_000_000n,
      grid: 0n,
    });
    expect(conservationOf(settlement)).toEqual({ energyWh: 0n, money: 0n });
  });

  test('under an inverted tariff balances nothing', () => {
    const tariff = { importPrice: pricePerKwh(50_000), exportPrice: pricePerKwh(80_000) };
    const { positions, amounts } = settle([member('a', 0, 0, 0, 300), member('b', 0, 0, 100, 0)], { tariff });
    expect(positions.every(({ balancedLong, balancedShort }) => balancedLong + balancedShort === 0)).toBe(true);
    expect(amounts.members).toEqual([24_000_000n, -5_000_000n]);
  });

  test('does not depend on the order of the members', () => {
    const members = [member('b', 600, 0, 610, 0), member('c', 0, 0, 0, 3), member('a', 0, 600, 0, 593)];
    expect(settle(members)).toEqual(settle([...members].reverse()));
    expect(settle(members).positions.map(({ member: id }) => id)).toEqual(['a', 'b', 'c']);
  });

  test('refuses as a bug trades that do not match', () => {
    expect(() => settle([member('a', 0, 5, 0, 5)])).toThrow('0 Wh bought and 5 Wh sold');
  });
});

/** Any trades that match, at a price within any tariff, and any reading of every meter. */
const anyInterval = fc
  .record({
    weights: fc.array(fc.tuple(fc.nat(50), fc.nat(50), fc.nat(3000), fc.nat(3000)), { minLength: 1, maxLength: 8 }),
    traded: fc.nat(5000),
    exportPrice: fc.integer({ min: -200_000, max: 200_000 }),
    margin: fc.integer({ min: 101, max: 400_000 }),
    priceAt: fc.nat(1000),
    weight: fc.nat(1000),
    balancing: fc.boolean(),
  })
  .map(({ weights, traded, exportPrice, margin, priceAt, weight, balancing }) => {
    const buys = weights.map(([buy]) => buy);
    const sells = weights.map(([, sell]) => sell);
    const possible = buys.some((buy) => buy > 0) && sells.some((sell) => sell > 0) ? traded : 0;
    const bought = shareByLargestRemainder(possible, buys);
    const sold = shareByLargestRemainder(possible, sells);
    const members = weights.map(([, , imported, exported], index) =>
      member(`home-${index}`, bought[index] ?? 0, sold[index] ?? 0, imported, exported),
    );
    const tariff = { importPrice: pricePerKwh(exportPrice + margin), exportPrice: pricePerKwh(exportPrice) };
    const band = priceBand(tariff, TICK);
    const lowest = band === 'tariff_inverted' ? exportPrice : band.lowest;
    const highest = band === 'tariff_inverted' ? exportPrice : band.highest;
    const price = pricePerKwh(lowest + Math.floor(((highest - lowest) * priceAt) / 1000));
    return {
      members,
      more: { tariff, clearingPrice: possible > 0 ? price : null, imbalanceWeightPermille: weight, balancing },
    };
  });

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

describe('whatever is traded and metered', () => {
  test('members, community and utility sum to zero, every posting is what the plain formula says, and the spread is never negative', () => {
    fc.assert(
      fc.property(anyInterval, ({ members, more }) => {
        const { positions, prices, amounts } = settle(members, more);
        expect(sum([...amounts.members, amounts.community, amounts.utility].map(Number))).toBe(0);
        expect(Number(amounts.community)).toBeGreaterThanOrEqual(0);
        positions.forEach((p, index) => {
          const long = Math.max(0, p.exported - p.sold) + Math.max(0, p.bought - p.imported);
          const short = Math.max(0, p.sold - p.exported) + Math.max(0, p.imported - p.bought);
          expect(p.balancedLong).toBeLessThanOrEqual(long);
          expect(p.balancedShort).toBeLessThanOrEqual(short);
          const trades = (p.sold - p.bought) * prices.local;
          const street = p.balancedLong * prices.long - p.balancedShort * prices.short;
          const tariff =
            (long - p.balancedLong) * prices.tariff.exportPrice - (short - p.balancedShort) * prices.tariff.importPrice;
          expect(Number(amounts.members[index])).toBe(trades + street + tariff || 0);
          expect(sum(statementLines(p, prices).map(({ amount }) => amount))).toBe(Number(amounts.members[index]));
        });
      }),
    );
  });

  test('the books agree with the feeder meter', () => {
    fc.assert(
      fc.property(anyInterval, ({ members, more }) => {
        expect(conservationOf(settle(members, more))).toEqual({ energyWh: 0n, money: 0n });
      }),
    );
  });

  test('savings against feed-in plus the community account are the ceiling of perfect sharing, to the nano', () => {
    fc.assert(
      fc.property(anyInterval, ({ members, more }) => {
        const traded = settle(members, { ...more, balancing: true });
        const alone = settle(withoutTrades(members), { ...more, clearingPrice: null, balancing: false });
        const saving = sum(traded.amounts.members.map(Number)) - sum(alone.amounts.members.map(Number));
        const shared = Math.min(
          sum(members.map(({ energy }) => energy.imported)),
          sum(members.map(({ energy }) => energy.exported)),
        );
        const margin = more.tariff.importPrice - more.tariff.exportPrice;
        expect(saving + Number(traded.amounts.community)).toBe(shared * margin);
      }),
    );
  });

  test('an error of 1 Wh in any register of any member shows in energy and in money', () => {
    const planted = fc.record({ at: fc.nat(7), register: fc.constantFrom('imported', 'exported') });
    fc.assert(
      fc.property(anyInterval, planted, ({ members, more }, { at, register }) => {
        const { importPrice, exportPrice } = more.tariff;
        fc.pre(importPrice !== 0 && exportPrice !== 0);
        const { feeder } = settle(members, more);
        const wrong = members.map((each, index) =>
          index === at % members.length
            ? { ...each, energy: { ...each.energy, [register]: wh(each.energy[register as 'imported'] + 1) } }
            : each,
        );
        const { energyWh, money } = conservationOf(settle(wrong, { ...more, feeder }));
        expect(energyWh).toBe(register === 'imported' ? -1n : 1n);
        expect(money).not.toBe(0n);
      }),
    );
  });
});

test('with a perfect forecast nobody ends worse than under feed-in', () => {
  fc.assert(
    fc.property(anyInterval, ({ members, more }) => {
      const home = members.map((each) => surplusOrDeficit(each));
      const band = priceBand(more.tariff, TICK);
      if (band === 'tariff_inverted') return;
      const pool = clearMidMarket(
        home.map(({ member: id, energy }) => ({ member: id, demand: energy.imported, supply: energy.exported })),
        band,
        TICK,
      );
      const traded = home.map((each, index) => ({
        ...each,
        bought: wh(pool.shares[index]?.bought ?? 0),
        sold: wh(pool.shares[index]?.sold ?? 0),
      }));
      const shared = settle(traded, { ...more, clearingPrice: pool.price, balancing: true });
      const alone = settle(home, { ...more, clearingPrice: null, balancing: false });
      expect(shared.amounts.community).toBe(0n);
      shared.amounts.members.forEach((amount, index) => {
        expect(Number(amount)).toBeGreaterThanOrEqual(Number(alone.amounts.members[index]));
      });
    }),
  );
});

test('a substitute is never better for the member than a true reading it does not underrate', () => {
  const anyTruth = fc.tuple(anyInterval, fc.nat(7), fc.nat(2000));
  fc.assert(
    fc.property(anyTruth, ([{ members, more }, at, above]) => {
      fc.pre(more.tariff.exportPrice >= 0);
      const index = at % members.length;
      const truth = members[index];
      if (truth === undefined) return;
      const lastWeek = wh(truth.energy.imported + above);
      const substituted = members.map((each) =>
        each === truth ? { ...each, energy: substituteEnergy(each.bought, lastWeek) } : each,
      );
      const place = settle(members, more).positions.findIndex(({ member: id }) => id === truth.member);
      const real = Number(settle(members, more).amounts.members[place]);
      const charged = Number(settle(substituted, more).amounts.members[place]);
      // One Wh may fall to either side when a share is rounded to whole Wh.
      expect(charged).toBeLessThanOrEqual(real + 2 * more.tariff.importPrice);
    }),
  );
});

function withoutTrades(members: readonly MemberInterval[]): MemberInterval[] {
  return members.map((each) => ({ ...each, bought: wh(0), sold: wh(0) }));
}

/** A home of one interval: it either lacks or has left over, and has traded nothing yet. */
function surplusOrDeficit(each: MemberInterval): MemberInterval {
  const net = each.energy.imported - each.energy.exported;
  return member(each.member, 0, 0, Math.max(0, net), Math.max(0, -net));
}
