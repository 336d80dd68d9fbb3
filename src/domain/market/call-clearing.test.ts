import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MAX_ORDER_WH, wh } from '../units/energy.ts';
import { compareIds, type MarketId, type MemberId } from '../units/identity.ts';
import { type PricePerKwh, pricePerKwh } from '../units/price.ts';
import { epochMs } from '../units/time.ts';
import { clearCall } from './call-auction.ts';
import { type CallClearingRules, type CallOrders, type CallResult, clearCallOrders } from './call-clearing.ts';
import { CALL_KEY, CALL_OPEN, CALL_STRIDE } from './call-levels.ts';
import { pairCallFills } from './call-trades.ts';
import { naiveClearCall } from './naive-call-auction.ts';
import { ORDER_FATES, type Rationing, type RestingOrder, type Side } from './order.ts';

/** `['home', 'buy', ticks, Wh]`; arrival is the order of the rows. */
type Row = readonly [member: string, side: Side, ticks: number, energy: number];

const TICK = 100;

function rules(rationing: Rationing = 'pro-rata', tick = TICK): CallClearingRules {
  return { tick, rationing, fees: [pricePerKwh(0)], zoneLimits: [] };
}

function book(rows: readonly Row[], tick = TICK): RestingOrder[] {
  return rows.map(([member, side, ticks, energy], position) => ({
    market: 'elm' as MarketId,
    product: epochMs(0),
    member: member as MemberId,
    // Numbers that do not rise with arrival, so that a tie by arrival is seen.
    clientOrderId: 4_000_000_000 - position * 7919,
    type: 'limit',
    side,
    limit: pricePerKwh(ticks * tick),
    energy: wh(energy),
    sequence: position + 1,
  }));
}

/** The same as flat words; an order with `withdrawn` at its position stands no more. */
function flat(orders: readonly RestingOrder[], tick = TICK, withdrawn: readonly boolean[] = []): CallOrders {
  const base = Math.min(0, ...orders.map((order) => order.limit));
  const steps = orders.map((order) => (order.limit - base) / tick);
  const hot = new Int32Array(orders.length * CALL_STRIDE).fill(-7);
  orders.forEach((order, position) => {
    hot[position * CALL_STRIDE + CALL_OPEN] = withdrawn[position] ? 0 : order.energy;
    hot[position * CALL_STRIDE + CALL_KEY] = (steps[position] ?? 0) * 2 + (order.side === 'buy' ? 0 : 1);
  });
  const ids = [...new Set(orders.map((order) => order.member))].sort(compareIds);
  return {
    hot,
    count: orders.length,
    base: pricePerKwh(base),
    ticks: Math.max(0, ...steps) + 1,
    memberRank: (position) => ids.indexOf(orders[position]?.member ?? ('' as MemberId)),
    clientOrderId: (position) => orders[position]?.clientOrderId ?? 0,
    zone: () => 0,
  };
}

const fatesOf = (result: CallResult) => [...result.fate].map((code) => ORDER_FATES[code]);
const clear = (rows: readonly Row[], rationing: Rationing = 'pro-rata') =>
  clearCallOrders(flat(book(rows)), rules(rationing));

/** Everybody stands on one side only. */
function rowsOf(options: { maxEnergy?: number; ticks?: number; maxOrders?: number } = {}): fc.Arbitrary<Row[]> {
  const { maxEnergy = 9, ticks = 12, maxOrders = 30 } = options;
  const row = fc
    .tuple(
      fc.constantFrom('ann', 'bea', 'cem', 'dov', 'eve'),
      fc.constantFrom<Side>('buy', 'sell'),
      fc.integer({ min: -ticks, max: ticks }),
      fc.integer({ min: 1, max: maxEnergy }),
    )
    .map(([member, side, step, energy]): Row => [`${member}-${side}`, side, step, energy]);
  return fc.array(row, { maxLength: maxOrders });
}

const rationings = fc.constantFrom<Rationing>('pro-rata', 'price-time');

describe('a call on flat arrays', () => {
  const anyRows = fc.oneof(
    rowsOf(),
    rowsOf({ ticks: 1, maxOrders: 60 }),
    rowsOf({ maxEnergy: MAX_ORDER_WH, ticks: 1 }),
    rowsOf({ maxEnergy: MAX_ORDER_WH, ticks: 300 }),
  );

  test('clears, fills and names every fate as the readable auction and as its naive twin', () => {
    fc.assert(
      fc.property(anyRows, rationings, fc.constantFrom(1, 7, 100), (rows, rationing, tick) => {
        const orders = book(rows, tick);
        const result = clearCallOrders(flat(orders, tick), rules(rationing, tick));
        for (const clearCallOrTwin of [clearCall, naiveClearCall]) {
          const expected = clearCallOrTwin(orders, { tick, rationing });
          expect(result.prices).toEqual([expected.price]);
          expect(result.volume).toBe(expected.traded);
          expect([...result.filled]).toEqual(expected.fills.map((fill) => fill.filled));
          expect(fatesOf(result)).toEqual(expected.fills.map((fill) => fill.fate));
        }
      }),
      { numRuns: 500 },
    );
  });

  test('pairs the same trades in the same order', () => {
    fc.assert(
      fc.property(anyRows, rationings, (rows, rationing) => {
        const orders = book(rows);
        const calls = flat(orders);
        const { buys, sells, energies } = pairCallFills(calls, clearCallOrders(calls, rules(rationing)), rationing);
        const trades = [...energies].map((energy, at) => ({
          buyer: orders[buys[at] ?? -1]?.member,
          buyOrder: orders[buys[at] ?? -1]?.clientOrderId,
          seller: orders[sells[at] ?? -1]?.member,
          sellOrder: orders[sells[at] ?? -1]?.clientOrderId,
          energy,
        }));
        for (const clearCallOrTwin of [clearCall, naiveClearCall]) {
          const expected = clearCallOrTwin(orders, { tick: TICK, rationing }).trades;
          expect(trades).toEqual(expected.map(({ price: _, ...trade }) => trade));
        }
      }),
      { numRuns: 500 },
    );
  });

  test('takes 100 % of the surplus of the book prices, Wh by Wh', () => {
    fc.assert(
      fc.property(rowsOf({ maxOrders: 40 }), rationings, (rows, rationing) => {
        const { filled } = clear(rows, rationing);
        const gained = rows.reduce(
          (sum, [, side, limit], at) => sum + (side === 'buy' ? limit : -limit) * (filled[at] ?? 0),
          0,
        );
        expect(gained).toBe(largestSurplus(rows));
      }),
      { numRuns: 500 },
    );
  });

  test('does not depend on arrival under pro-rata', () => {
    const shuffled = anyRows.chain((rows) =>
      fc.record({
        rows: fc.constant(rows),
        places: fc.shuffledSubarray([...rows.keys()], { minLength: rows.length }),
      }),
    );
    fc.assert(
      fc.property(shuffled, ({ rows, places }) => {
        const orders = book(rows);
        const moved = places.map((place) => orders[place]).filter((order) => order !== undefined);
        const [first, second] = [clearCallOrders(flat(orders), rules()), clearCallOrders(flat(moved), rules())];
        expect(second.prices).toEqual(first.prices);
        expect([...second.filled]).toEqual(places.map((place) => first.filled[place]));
      }),
    );
  });

  test('leaves out what does not stand, whatever else its words hold', () => {
    fc.assert(
      fc.property(rowsOf(), fc.infiniteStream(fc.boolean()), rationings, (rows, stream, rationing) => {
        const orders = book(rows);
        const withdrawn = rows.map(() => stream.next().value === true);
        const calls = flat(orders, TICK, withdrawn);
        withdrawn.forEach((isOut, at) => {
          if (isOut && at % 2 === 0) calls.hot[at * CALL_STRIDE + CALL_KEY] = -1;
        });
        const result = clearCallOrders(calls, rules(rationing));
        const standing = orders.filter((_, at) => !withdrawn[at]);
        const expected = naiveClearCall(standing, { tick: TICK, rationing });
        expect([...result.filled].filter((_, at) => !withdrawn[at])).toEqual(expected.fills.map((f) => f.filled));
        expect([...result.fate].filter((_, at) => withdrawn[at]).every((code) => code === 0)).toBe(true);
      }),
    );
  });

  test.each<[string, Row[], (PricePerKwh | null)[], number[], string[]]>([
    ['nothing', [], [null], [], []],
    ['one side', [['a', 'buy', 3, 5]], [null], [0], ['no_trade']],
    [
      'a partly filled level above the price',
      [
        ['a', 'buy', 5, 10],
        ['b', 'sell', 1, 5],
      ],
      [pricePerKwh(300)],
      [5, 5],
      ['partly_filled', 'filled'],
    ],
    [
      'a level that the price reaches and that gets nothing',
      [
        ['a', 'buy', 5, 5],
        ['b', 'buy', 2, 5],
        ['c', 'sell', -3, 5],
        ['d', 'sell', 3, 5],
      ],
      [pricePerKwh(100)],
      [5, 0, 5, 0],
      ['filled', 'rationed_out', 'filled', 'price_not_reached'],
    ],
    [
      'a limit that the price does not reach',
      [
        ['a', 'buy', 5, 10],
        ['b', 'buy', 1, 10],
        ['c', 'sell', 2, 10],
      ],
      [pricePerKwh(300)],
      [10, 0, 10],
      ['filled', 'price_not_reached', 'filled'],
    ],
  ])('%s', (_, rows, prices, filled, fates) => {
    const result = clear(rows);
    expect(result.prices).toEqual(prices);
    expect([...result.filled]).toEqual(filled);
    expect(fatesOf(result)).toEqual(fates);
    expect(result.rent).toBe(0n);
    expect(result.flows).toEqual([]);
  });

  test('shares a level of 20,000 equal orders by member, then client order id', () => {
    const rows = Array.from({ length: 20_000 }, (_, at): Row => [`m${at % 300}`, 'buy', 5, 10]);
    const orders = book([...rows, ['z', 'sell', 1, 123_457]]);
    const { filled } = clearCallOrders(flat(orders), rules());
    const extra = [...orders.keys()].filter((at) => at < 20_000 && filled[at] === 7);
    const ranked = [...orders.keys()]
      .slice(0, 20_000)
      .sort((a, b) => compareIds(orders[a]?.member ?? '', orders[b]?.member ?? '') || b - a);
    expect(new Set(extra)).toEqual(new Set(ranked.slice(0, 123_457 - 6 * 20_000)));
  });
});

describe('bugs', () => {
  const one = (energy: number, key: number): CallOrders => {
    const calls = flat(book([['a', 'buy', 1, 1]]));
    calls.hot.set([0, 0, energy, key]);
    return calls;
  };

  test.each([
    ['less than nothing', one(-1, 0)],
    ['more than an order may have', one(MAX_ORDER_WH + 1, 0)],
    ['a tick below the first', one(1, -2)],
    ['a tick above the last', one(1, 4)],
  ])('%s stops the process', (_, calls) => {
    expect(() => clearCallOrders(calls, rules())).toThrow('bug: an order outside');
  });

  test.each([1, 2])('a side of 2^31 Wh stops the process, on %i ticks', (ticks) => {
    const rows = Array.from({ length: 513 }, (_, at): Row => ['a', 'buy', at % ticks, MAX_ORDER_WH]);
    expect(() => clear(rows)).toThrow('bug');
  });
});

/** The area between the curves: the dearest buyer with the cheapest seller while both gain. */
function largestSurplus(rows: readonly Row[]): number {
  const units = (wanted: Side) =>
    rows
      .filter(([, side]) => side === wanted)
      .flatMap(([, , limit, energy]) => Array.from({ length: energy }, () => limit))
      .sort((a, b) => (wanted === 'buy' ? b - a : a - b));
  const sells = units('sell');
  return units('buy').reduce((sum, limit, at) => sum + Math.max(0, limit - (sells[at] ?? limit)), 0);
}
