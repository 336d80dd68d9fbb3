import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MAX_ORDER_WH, wh } from '../units/energy.ts';
import type { MarketId, MemberId } from '../units/identity.ts';
import { amountOf, sumNano } from '../units/money.ts';
import { pricePerKwh } from '../units/price.ts';
import { epochMs } from '../units/time.ts';
import { type CallRules, clearCall } from './call-auction.ts';
import { naiveClearCall } from './naive-call-auction.ts';
import type { Rationing, RestingOrder, Side } from './order.ts';
import type { Clearing } from './trade.ts';

/** `['home', 'buy', price, Wh]`; arrival is the order of the rows. */
type Row = readonly [member: string, side: Side, limit: number, energy: number];

function book(...rows: readonly Row[]): RestingOrder[] {
  return rows.map(([member, side, limit, energy], position) => ({
    market: 'elm' as MarketId,
    product: epochMs(0),
    member: member as MemberId,
    clientOrderId: position + 1,
    type: 'limit',
    side,
    limit: pricePerKwh(limit),
    energy: wh(energy),
    sequence: position + 1,
  }));
}

const filledOf = (clearing: Clearing) => clearing.fills.map((fill) => fill.filled);
const fatesOf = (clearing: Clearing) => clearing.fills.map((fill) => fill.fate);
const clear = (orders: readonly RestingOrder[], tick = 100, rationing: Rationing = 'pro-rata') =>
  clearCall(orders, { tick, rationing });

/** Books in which nobody crosses itself: every member stands on one side only, or asks more than it bids. */
function books(options: { maxEnergy?: number; ticks?: number; maxOrders?: number } = {}) {
  const { maxEnergy = 9, ticks = 12, maxOrders = 14 } = options;
  const row = fc.record({
    member: fc.constantFrom('ann', 'bea', 'cem', 'dov', 'eve'),
    side: fc.constantFrom<Side>('buy', 'sell'),
    ticksFromZero: fc.integer({ min: -ticks, max: ticks }),
    energy: fc.integer({ min: 1, max: maxEnergy }),
  });
  return fc
    .record({ rows: fc.array(row, { maxLength: maxOrders }), tick: fc.constantFrom(1, 7, 100) })
    .map(({ rows, tick }) => {
      const ordered = rows.map(({ member, side, ticksFromZero, energy }): Row => {
        return [`${member}-${side}`, side, ticksFromZero * tick, energy];
      });
      return { orders: book(...ordered), tick };
    });
}

const rationings = fc.constantFrom<Rationing>('pro-rata', 'price-time');

describe('the price', () => {
  test.each<[string, Row[], number | null, number]>([
    [
      'one buyer and one seller of the same Wh meet half way',
      [
        ['a', 'buy', 300, 5],
        ['b', 'sell', 100, 5],
      ],
      200,
      5,
    ],
    [
      'scarce energy is dear',
      [
        ['a', 'buy', 300000, 30],
        ['b', 'sell', 80000, 10],
      ],
      245000,
      10,
    ],
    [
      'plentiful energy is cheap',
      [
        ['a', 'buy', 300000, 10],
        ['b', 'sell', 80000, 30],
      ],
      135000,
      10,
    ],
    [
      'the floor to the tick goes down',
      [
        ['a', 'buy', 400, 1],
        ['b', 'sell', 100, 1],
      ],
      200,
      1,
    ],
    [
      'the floor of negative prices goes down too',
      [
        ['a', 'buy', -100, 1],
        ['b', 'sell', -400, 1],
      ],
      -300,
      1,
    ],
    [
      'a range across zero',
      [
        ['a', 'buy', 100, 1],
        ['b', 'sell', -200, 1],
      ],
      -100,
      1,
    ],
    [
      'equal limits trade at the limit',
      [
        ['a', 'buy', 200, 3],
        ['b', 'sell', 200, 4],
      ],
      200,
      3,
    ],
    [
      'limits that do not meet trade nothing',
      [
        ['a', 'buy', 100, 3],
        ['b', 'sell', 200, 4],
      ],
      null,
      0,
    ],
    [
      'one side alone trades nothing',
      [
        ['a', 'buy', 100, 3],
        ['b', 'buy', 200, 4],
      ],
      null,
      0,
    ],
    ['a single order trades nothing', [['a', 'sell', 100, 3]], null, 0],
    ['an empty book trades nothing', [], null, 0],
    [
      'of the largest volumes the least imbalance counts',
      [
        ['a', 'buy', 500, 10],
        ['b', 'buy', 300, 10],
        ['c', 'sell', 100, 10],
      ],
      // 10 Wh trade at 100 to 500; above 300 demand equals supply: 400 and 500 are left
      400,
      10,
    ],
    [
      'a gap between two limits can be where the curves meet',
      [
        ['a', 'buy', 600, 10],
        ['b', 'buy', 100, 5],
        ['c', 'sell', 100, 10],
        ['d', 'sell', 600, 5],
      ],
      // only at 200 to 500 are demand and supply both 10
      300,
      10,
    ],
    [
      'demand counts at the first and supply at the last price of the range, also where the two change places inside it',
      // -300 to 200: 10 asked, 5 offered; 300 to 500: 5 asked, 10 offered
      [
        ['a', 'buy', 500, 5],
        ['b', 'buy', 200, 5],
        ['c', 'sell', -300, 5],
        ['d', 'sell', 300, 5],
      ],
      100,
      5,
    ],
  ])('%s', (_, rows, price, traded) => {
    for (const clearCallOrTwin of [clearCall, naiveClearCall]) {
      const clearing = clearCallOrTwin(book(...rows), { tick: 100, rationing: 'pro-rata' });
      expect([clearing.price, clearing.traded]).toEqual([price, traded]);
    }
  });

  test('is null, never zero, where nothing trades, and may be zero where something does', () => {
    expect(clear(book(['a', 'buy', 0, 1], ['b', 'sell', 0, 1])).price).toBe(0);
    expect(clear(book(['a', 'buy', 0, 1])).price).toBeNull();
  });
});

describe('rationing', () => {
  test('pro-rata shares the partly filled level by largest remainder, ties by member, then client order id', () => {
    const orders = book(['c', 'buy', 300, 3], ['b', 'buy', 300, 3], ['a', 'buy', 300, 3], ['z', 'sell', 100, 4]);
    expect(filledOf(clear(orders))).toEqual([1, 1, 2, 4]);
    const sameMember = book(['a', 'buy', 300, 3], ['a', 'buy', 300, 3], ['z', 'sell', 100, 3]);
    expect(filledOf(clear(sameMember))).toEqual([2, 1, 3]);
  });

  test('price-time serves the earlier journal sequence first', () => {
    const orders = book(['c', 'buy', 300, 3], ['b', 'buy', 300, 3], ['a', 'buy', 300, 3], ['z', 'sell', 100, 4]);
    const clearing = clear(orders, 100, 'price-time');
    expect(filledOf(clearing)).toEqual([3, 1, 0, 4]);
    expect(fatesOf(clearing)).toEqual(['filled', 'partly_filled', 'rationed_out', 'filled']);
    const late = orders.map((order) => ({ ...order, sequence: 100 - order.sequence }));
    expect(filledOf(clear(late, 100, 'price-time'))).toEqual([0, 1, 3, 4]);
  });

  test('better prices are served before anything is shared', () => {
    const orders = book(['a', 'buy', 300, 5], ['b', 'buy', 200, 6], ['c', 'buy', 200, 2], ['z', 'sell', 200, 9]);
    expect(filledOf(clear(orders))).toEqual([5, 3, 1, 9]);
  });

  test('every order learns why it got no more', () => {
    const orders = book(['a', 'buy', 300, 4], ['b', 'buy', 100, 6], ['c', 'sell', 200, 9], ['d', 'sell', 400, 9]);
    const fates = ['filled', 'price_not_reached', 'partly_filled', 'price_not_reached'];
    expect(fatesOf(clear(orders))).toEqual(fates);
    expect(fatesOf(clear(book(['a', 'buy', 100, 4])))).toEqual(['no_trade']);
  });
});

describe('against the naive twin', () => {
  const agree = (orders: readonly RestingOrder[], rules: CallRules) => {
    expect(clearCall(orders, rules)).toEqual(naiveClearCall(orders, rules));
  };

  test('small books with many ties', () => {
    fc.assert(
      fc.property(books(), rationings, ({ orders, tick }, rationing) => agree(orders, { tick, rationing })),
      { numRuns: 2000 },
    );
  });

  test('wide, sparse books', () => {
    const sparse = books({ ticks: 400, maxOrders: 6, maxEnergy: 5000 });
    fc.assert(
      fc.property(sparse, rationings, ({ orders, tick }, rationing) => agree(orders, { tick, rationing })),
      { numRuns: 100 },
    );
  });

  test('orders of the largest size', () => {
    const large = books({ maxEnergy: MAX_ORDER_WH, ticks: 3, maxOrders: 30 });
    fc.assert(fc.property(large, rationings, ({ orders, tick }, rationing) => agree(orders, { tick, rationing })));
  });

  test('prices at the bounds', () => {
    const edge = 2 ** 31 - 1;
    const orders = book(['a', 'buy', edge, MAX_ORDER_WH], ['b', 'sell', -edge, MAX_ORDER_WH - 1]);
    expect(clearCall(orders, { tick: 1, rationing: 'pro-rata' }).price).toBe(
      -edge + Number((BigInt(2 * edge) * BigInt(MAX_ORDER_WH)) / BigInt(2 * MAX_ORDER_WH - 1)),
    );
  });
});

describe('properties', () => {
  const anyBook = fc.record({ market: books(), rationing: rationings });

  test('the whole surplus of the stated orders is taken', () => {
    fc.assert(
      fc.property(anyBook, ({ market: { orders, tick }, rationing }) => {
        expect(surplusOf(clear(orders, tick, rationing), orders)).toBe(largestSurplus(orders));
      }),
      { numRuns: 1000 },
    );
  });

  test('price and volume do not depend on arrival, and under pro-rata neither does any fill or trade', () => {
    const shuffled = books().chain(({ orders, tick }) =>
      fc.record({
        orders: fc.constant(orders),
        tick: fc.constant(tick),
        again: fc.shuffledSubarray(orders, { minLength: orders.length }),
      }),
    );
    fc.assert(
      fc.property(shuffled, ({ orders, tick, again }) => {
        const late = again.map((order, position) => ({ ...order, sequence: position + 1 }));
        const [first, second] = [clear(orders, tick), clear(late, tick)];
        expect({ ...second, fills: null }).toEqual({ ...first, fills: null });
        const byKey = (fills: Clearing['fills']) => fills.toSorted((a, b) => a.clientOrderId - b.clientOrderId);
        expect(byKey(second.fills)).toEqual(byKey(first.fills));
        const timed = clear(late, tick, 'price-time');
        expect([timed.price, timed.traded]).toEqual([first.price, first.traded]);
      }),
      { numRuns: 500 },
    );
  });

  test('no fill exceeds its order, nobody pays more or gets less than its limit, buys equal sells', () => {
    fc.assert(
      fc.property(anyBook, ({ market: { orders, tick }, rationing }) => {
        const clearing = clear(orders, tick, rationing);
        const sums = { buy: 0, sell: 0 };
        orders.forEach((order, position) => {
          const filled = clearing.fills[position]?.filled ?? -1;
          sums[order.side] += filled;
          expect(filled).toBeGreaterThanOrEqual(0);
          expect(filled).toBeLessThanOrEqual(order.energy);
          if (filled > 0 && clearing.price !== null) {
            const gain = order.side === 'buy' ? order.limit - clearing.price : clearing.price - order.limit;
            expect(gain).toBeGreaterThanOrEqual(0);
          }
        });
        expect(sums).toEqual({ buy: clearing.traded, sell: clearing.traded });
      }),
    );
  });

  test('what the trades say of an order is what its fill says, and money nets to zero', () => {
    fc.assert(
      fc.property(anyBook, ({ market: { orders, tick }, rationing }) => {
        const clearing = clear(orders, tick, rationing);
        const traded = new Map<number, number>();
        for (const { buyOrder, sellOrder, energy } of clearing.trades) {
          for (const id of [buyOrder, sellOrder]) traded.set(id, (traded.get(id) ?? 0) + energy);
        }
        for (const { clientOrderId, filled } of clearing.fills) expect(traded.get(clientOrderId) ?? 0).toBe(filled);
        expect(clearing.trades.every((trade) => trade.buyer !== trade.seller && trade.energy > 0)).toBe(true);
      }),
    );
  });

  test('a better limit on the same side never gets a smaller part', () => {
    fc.assert(
      fc.property(anyBook, ({ market: { orders, tick }, rationing }) => {
        const { fills } = clear(orders, tick, rationing);
        orders.forEach((order, position) => {
          const unserved = (fills[position]?.filled ?? 0) < order.energy;
          const worse = orders
            .map((other, at) => ({ other, filled: fills[at]?.filled ?? 0 }))
            .filter(
              ({ other }) =>
                other.side === order.side &&
                (order.side === 'buy' ? other.limit < order.limit : other.limit > order.limit),
            );
          if (unserved) expect(worse.every(({ filled }) => filled === 0)).toBe(true);
        });
      }),
    );
  });

  test('pro-rata is within 1 Wh of the exact share of the level', () => {
    fc.assert(
      fc.property(books({ maxEnergy: 5000, ticks: 2 }), ({ orders, tick }) => {
        const { fills } = clear(orders, tick);
        const levels = Map.groupBy(orders.keys(), (at) => `${orders[at]?.side} ${orders[at]?.limit}`);
        for (const level of levels.values()) {
          const given = level.reduce((sum, at) => sum + (fills[at]?.filled ?? 0), 0);
          const asked = level.reduce((sum, at) => sum + (orders[at]?.energy ?? 0), 0);
          for (const at of level) {
            const exact = (given * (orders[at]?.energy ?? 0)) / asked;
            expect(Math.abs((fills[at]?.filled ?? 0) - exact)).toBeLessThan(1);
          }
        }
      }),
    );
  });

  test('moving all prices by k ticks moves the price and leaves every fill', () => {
    fc.assert(
      fc.property(anyBook, fc.integer({ min: -500, max: 500 }), ({ market: { orders, tick }, rationing }, k) => {
        const moved = orders.map((order) => ({ ...order, limit: pricePerKwh(order.limit + k * tick) }));
        const [first, second] = [clear(orders, tick, rationing), clear(moved, tick, rationing)];
        expect(second.fills).toEqual(first.fills);
        expect(second.price).toBe(first.price === null ? null : first.price + k * tick);
      }),
    );
  });

  test('multiplying all prices by k leaves every filled Wh', () => {
    fc.assert(
      fc.property(anyBook, fc.integer({ min: 2, max: 9 }), ({ market: { orders, tick }, rationing }, k) => {
        const scaled = orders.map((order) => ({ ...order, limit: pricePerKwh(order.limit * k) }));
        expect(filledOf(clear(scaled, tick, rationing))).toEqual(filledOf(clear(orders, tick, rationing)));
        expect(clear(scaled, tick * k, rationing).fills).toEqual(clear(orders, tick, rationing).fills);
      }),
    );
  });

  test('the curves carry every Wh, better prices first', () => {
    fc.assert(
      fc.property(books(), ({ orders, tick }) => {
        const { demand, supply } = clear(orders, tick);
        const steps = [...demand, ...supply];
        expect(steps.reduce((sum, step) => sum + step.energy, 0)).toBe(orders.reduce((sum, o) => sum + o.energy, 0));
        expect(demand).toEqual(demand.toSorted((a, b) => b.price - a.price));
        expect(supply).toEqual(supply.toSorted((a, b) => a.price - b.price));
      }),
    );
  });
});

describe('bugs', () => {
  test('an order of nothing, of a fraction, or off the tick stops the process', () => {
    expect(() => clear(book(['a', 'buy', 100, 0]))).toThrow('bug');
    expect(() => clear(book(['a', 'buy', 150, 1]))).toThrow('off the tick');
    const half = book(['a', 'buy', 100, 1]).map((order) => ({ ...order, energy: 0.5 as typeof order.energy }));
    expect(() => clear(half)).toThrow('bug');
  });

  test('a member that would trade with itself stops the process', () => {
    expect(() => clear(book(['a', 'buy', 200, 1], ['a', 'sell', 100, 1]))).toThrow('would trade with itself');
  });
});

test('100,000 orders over 65,536 ticks clear in well under a second', () => {
  const rows = Array.from({ length: 100_000 }, (_, at): Row => {
    const price = ((at * 7919) % 65_536) * 100;
    return at % 2 === 0 ? [`b${at}`, 'buy', price, 1 + (at % 900)] : [`s${at}`, 'sell', price, 1 + (at % 700)];
  });
  const orders = book(...rows);
  const before = performance.now();
  expect(clear(orders).traded).toBeGreaterThan(0);
  expect(performance.now() - before).toBeLessThan(3000);
});

/** Buyers' and sellers' gains at their stated limits, nano-currency. */
function surplusOf(clearing: Clearing, orders: readonly RestingOrder[]): bigint {
  if (clearing.price === null) return 0n;
  const price = clearing.price;
  return sumNano(
    orders.map((order, position) => {
      const gain = order.side === 'buy' ? order.limit - price : price - order.limit;
      return amountOf(pricePerKwh(gain), clearing.fills[position]?.filled ?? wh(0));
    }),
  );
}

/** The area between the curves, Wh by Wh: the dearest buyer with the cheapest seller while both gain. */
function largestSurplus(orders: readonly RestingOrder[]): bigint {
  const units = (side: Side) =>
    orders
      .filter((order) => order.side === side)
      .flatMap((order) => Array.from({ length: order.energy }, () => order.limit as number))
      .sort((a, b) => (side === 'buy' ? b - a : a - b));
  const sells = units('sell');
  return units('buy').reduce((sum, limit, at) => sum + BigInt(Math.max(0, limit - (sells[at] ?? limit))), 0n);
}
