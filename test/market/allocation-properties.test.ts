import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { BookTrade, MemberRules, OrderState, ProductRules } from '../../src/domain/market/book.ts';
import type { Rationing } from '../../src/domain/market/order.ts';
import { wh } from '../../src/domain/units/energy.ts';
import { pricePerKwh } from '../../src/domain/units/price.ts';
import { epochMs } from '../../src/domain/units/time.ts';
import { BookCommands } from './book-commands.ts';
import { type BookContent, contentOf, fateOf, ordersOf, tradesOf } from './book-reading.ts';
import { apply, bookOf, type Market, type MarketCommand, place } from './market-command.ts';
import { fastMarket } from './twin-markets.ts';

const MEMBERS = 8;
const TICK = 100;

const zoneCounts = fc.integer({ min: 1, max: 3 });
const capacities = fc.array(fc.integer({ min: 0, max: 12 }), { minLength: 6, maxLength: 6 });
/** Even members buy, odd ones sell, so that nobody crosses itself. */
const rows = fc.array(
  fc.record({
    member: fc.integer({ min: 0, max: MEMBERS - 1 }),
    ticks: fc.integer({ min: 0, max: 6 }),
    energy: fc.integer({ min: 1, max: 9 }),
  }),
  { maxLength: 16 },
);

interface CallRow {
  readonly member: number;
  readonly ticks: number;
  readonly energy: number;
  readonly id?: number;
}

function callRules(zones: number, rationing: Rationing, room: readonly number[]): ProductRules {
  const pairs = [0, 1, 2].flatMap((from) => [0, 1, 2].filter((to) => to !== from).map((to) => ({ from, to })));
  const limits = pairs.map(({ from, to }, position) => ({ from, to, capacity: wh(room[position] ?? 0) }));
  return {
    product: epochMs(0),
    mechanism: 'call',
    rationing,
    tick: TICK,
    band: { lowest: pricePerKwh(0), highest: pricePerKwh(6 * TICK) },
    importPrice: pricePerKwh(6 * TICK),
    penalty: pricePerKwh(0),
    maxVolume: wh(2 ** 31 - 1),
    fees: [0, 30, 100].slice(0, zones).map(pricePerKwh),
    zoneLimits: limits.filter(({ from, to }) => from < zones && to < zones),
  };
}

/** The call after its gate. Orders keep their client order id wherever they stand in the list. */
function cleared(rules: ProductRules, orders: readonly CallRow[]): Market {
  const market = fastMarket([rules]);
  for (let member = 0; member < MEMBERS; member += 1) {
    const zone = member % rules.fees.length;
    market.members.admit(`home-${(member * 5) % 11}`, {
      capability: wh(2 ** 31 - 1),
      collateral: null,
      group: member,
      zone,
    });
  }
  for (const [position, { member, ticks, energy, id }] of orders.entries()) {
    const fixed = { type: 0, replaces: -1, clockOffMs: 0, sequence: position + 1 };
    const clientOrderId = id ?? position;
    place(bookOf(market, 0), { member, clientOrderId, side: member % 2, limit: ticks * TICK, energy, ...fixed });
  }
  bookOf(market, 0).closeGate();
  return market;
}

function withIds(orders: readonly CallRow[]): CallRow[] {
  return orders.map((order, id) => ({ ...order, id }));
}

function outcomeOf(market: Market) {
  const book = bookOf(market, 0);
  const orders = ordersOf(book).map((order) => ({
    key: `${order.member} ${order.clientOrderId}`,
    filled: order.filled,
    fate: fateOf(order),
  }));
  const byKey = orders.sort((a, b) => (a.key < b.key ? -1 : 1));
  return { prices: book.clearingPrices(), trades: tradesOf(book), orders: byKey };
}

const totalOf = (trades: readonly BookTrade[]) => trades.reduce((sum, { energy }) => sum + energy, 0);

describe('the order of arrival', () => {
  test('changes nothing in a pro-rata call: price, fills, fates and trades', () => {
    const permuted = rows.chain((list) =>
      fc.tuple(fc.constant(withIds(list)), fc.shuffledSubarray(withIds(list), { minLength: list.length })),
    );
    fc.assert(
      fc.property(permuted, zoneCounts, capacities, ([orders, shuffled], zones, room) => {
        const rules = callRules(zones, 'pro-rata', room);
        expect(outcomeOf(cleared(rules, shuffled))).toEqual(outcomeOf(cleared(rules, orders)));
      }),
      { numRuns: 300 },
    );
  });

  test('changes neither price nor volume of a price-time call', () => {
    const permuted = rows.chain((list) =>
      fc.tuple(fc.constant(withIds(list)), fc.shuffledSubarray(withIds(list), { minLength: list.length })),
    );
    fc.assert(
      fc.property(permuted, zoneCounts, capacities, ([orders, shuffled], zones, room) => {
        const rules = callRules(zones, 'price-time', room);
        const [one, other] = [outcomeOf(cleared(rules, orders)), outcomeOf(cleared(rules, shuffled))];
        expect(other.prices).toEqual(one.prices);
        expect(totalOf(other.trades)).toBe(totalOf(one.trades));
      }),
      { numRuns: 300 },
    );
  });
});

describe('the partly filled level of a call', () => {
  test.each<Rationing>(['pro-rata', 'price-time'])('is shared by %s, and no better level is short', (rationing) => {
    fc.assert(
      fc.property(rows, (list) => {
        const book = bookOf(cleared(callRules(1, rationing, []), list), 0);
        for (const side of [0, 1])
          expectShared(
            ordersOf(book).filter((order) => order.side === side),
            rationing,
          );
      }),
      { numRuns: 300 },
    );
  });
});

function expectShared(side: readonly OrderState[], rationing: Rationing): void {
  const worst = side.filter((order) => order.filled > 0).map((order) => order.limit);
  const marginal = side[0]?.side === 0 ? Math.min(...worst) : Math.max(...worst);
  const isBetter = ({ limit, side: of }: OrderState) => (of === 0 ? limit > marginal : limit < marginal);
  expect(side.filter((order) => isBetter(order) && order.filled < order.energy)).toEqual([]);
  const level = side.filter((order) => order.limit === marginal);
  const [asked, given] = [level.reduce((n, o) => n + o.energy, 0), level.reduce((n, o) => n + o.filled, 0)];
  if (rationing === 'pro-rata') {
    const far = level.filter((order) => Math.abs(order.filled * asked - order.energy * given) >= asked);
    expect(far).toEqual([]);
  } else {
    const firstShort = level.findIndex((order) => order.filled < order.energy);
    expect(level.filter((order, turn) => firstShort >= 0 && turn > firstShort && order.filled > 0)).toEqual([]);
  }
}

describe('the scale of prices', () => {
  const FACTOR = 3;

  test('leaves every answer, fill and fate as it was, and multiplies the prices', () => {
    for (let seed = 1; seed <= 120; seed += 1) {
      const source = new BookCommands(seed, 300);
      if (source.products.some(({ tick }) => tick > 1000)) continue;
      const market = fastMarket(source.products);
      const scaled = fastMarket(source.products.map((rules) => scaledProduct(rules)));
      for (let count = 0; count < 300; count += 1) {
        const command = source.next(market);
        if (command.kind === 'place' && Math.abs(command.limit * FACTOR) >= 2 ** 31) continue;
        expect(apply(scaled, scaledCommand(command)), `seed ${seed}`).toBe(apply(market, command));
      }
      for (const [position, book] of market.books.entries()) {
        expect(contentOf(bookOf(scaled, position)), `seed ${seed}`).toEqual(scaledContent(contentOf(book)));
      }
    }
  });

  const scale = (price: number) => pricePerKwh(price * FACTOR);

  function scaledProduct(rules: ProductRules): ProductRules {
    const { tick, band, importPrice, penalty, fees } = rules;
    return {
      ...rules,
      tick: tick * FACTOR,
      band: { lowest: scale(band.lowest), highest: scale(band.highest) },
      importPrice: scale(importPrice),
      penalty: scale(penalty),
      fees: fees.map(scale),
    };
  }

  function scaledMember(rules: MemberRules): MemberRules {
    const { collateral } = rules;
    return { ...rules, collateral: collateral === null ? null : Math.min(2 ** 53 - 1, collateral * FACTOR) };
  }

  function scaledCommand(command: MarketCommand): MarketCommand {
    if (command.kind === 'place') return { ...command, limit: command.limit * FACTOR };
    return command.kind === 'admit' || command.kind === 'change'
      ? { ...command, rules: scaledMember(command.rules) }
      : command;
  }

  function scaledContent({ orders, trades, prices, ...rest }: BookContent): BookContent {
    return {
      ...rest,
      orders: orders.map((order) => ({ ...order, limit: order.limit * FACTOR })),
      trades: trades.map((t) => ({ ...t, price: t.price * FACTOR, sellerPrice: t.sellerPrice * FACTOR })),
      prices: prices.map((price) => (price === null ? null : price * FACTOR)),
    };
  }
});
