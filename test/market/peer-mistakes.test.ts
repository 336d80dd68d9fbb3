import { beforeEach, describe, expect, test } from 'vitest';
import type { ProductRules } from '../../src/domain/market/book.ts';
import { ORDER_TYPES, SIDES } from '../../src/domain/market/order.ts';
import { VERDICTS } from '../../src/domain/market/verdict.ts';
import { wh } from '../../src/domain/units/energy.ts';
import { pricePerKwh } from '../../src/domain/units/price.ts';
import { epochMs } from '../../src/domain/units/time.ts';
import { contentOf, fateOf, tradesOf } from './book-reading.ts';
import { bookOf, type Market, place as placeIn } from './market-command.ts';
import { fastMarket } from './twin-markets.ts';

/** What went wrong in other order books, or easily does; each once. */

const [ANN, BEA, CEM, DOV] = [0, 1, 2, 3];

const CONTINUOUS: ProductRules = {
  product: epochMs(0),
  mechanism: 'continuous',
  rationing: 'price-time',
  tick: 100,
  band: { lowest: pricePerKwh(-10_000), highest: pricePerKwh(300_000) },
  importPrice: pricePerKwh(300_000),
  penalty: pricePerKwh(0),
  maxVolume: wh(2 ** 31 - 1),
  fees: [pricePerKwh(0)],
  zoneLimits: [],
};
const CALL: ProductRules = { ...CONTINUOUS, mechanism: 'call', rationing: 'pro-rata' };

interface Extra {
  readonly type?: (typeof ORDER_TYPES)[number];
  readonly replaces?: number;
}

let market: Market;
let sequence: number;

function open(...products: ProductRules[]): void {
  market = fastMarket(products);
  sequence = 0;
  for (const [member, id] of ['ann', 'bea', 'cem', 'dov'].entries()) {
    market.members.admit(id, { capability: wh(1000), collateral: 10 ** 12, group: member, zone: 0 });
  }
}

function place(
  member: number,
  id: number,
  side: (typeof SIDES)[number],
  energy: number,
  limit: number,
  { type = 'limit', replaces = -1 }: Extra = {},
): string {
  sequence += 1;
  const [sideNumber, typeNumber] = [SIDES.indexOf(side), ORDER_TYPES.indexOf(type)];
  const placement = { member, clientOrderId: id, side: sideNumber, type: typeNumber, limit, energy, replaces };
  return placeIn(bookOf(market, 0), { ...placement, clockOffMs: 0, sequence });
}

function cancel(member: number, id: number): string {
  sequence += 1;
  return VERDICTS[bookOf(market, 0).cancel(member, id, sequence)] ?? '';
}

function orderOf(member: number, id: number) {
  const order = bookOf(market, 0).find(member, id);
  if (order === null) return null;
  const { filled, open: left } = order;
  return { filled, open: left, fate: fateOf(order) };
}

const trades = () => tradesOf(bookOf(market, 0));
const content = () => contentOf(bookOf(market, 0));

describe('in a continuous book', () => {
  beforeEach(() => open(CONTINUOUS));

  test('an order cancelled twice takes nobody else out of the book', () => {
    place(ANN, 1, 'sell', 10, 100_000);
    place(BEA, 1, 'sell', 10, 100_000);
    expect([cancel(ANN, 1), cancel(ANN, 1)]).toEqual(['cancelled', 'exists']);
    place(CEM, 1, 'sell', 10, 100_000);
    expect(cancel(ANN, 1)).toBe('exists');
    expect([orderOf(BEA, 1), orderOf(CEM, 1)]).toEqual([
      { filled: 0, open: 10, fate: 'open' },
      { filled: 0, open: 10, fate: 'open' },
    ]);
  });

  test('an order behind the best price, or in the middle of a queue, can be cancelled', () => {
    for (const member of [ANN, BEA, CEM]) place(member, 1, 'sell', 10, 100_000);
    place(ANN, 2, 'sell', 10, 200_000);
    expect([cancel(ANN, 2), cancel(BEA, 1)]).toEqual(['cancelled', 'cancelled']);
    place(DOV, 1, 'buy', 30, 300_000, { type: 'ioc' });
    expect(trades().map(({ seller, energy }) => [seller, energy])).toEqual([
      [ANN, 10],
      [CEM, 10],
    ]);
  });

  test('a number that is taken never matches first', () => {
    place(ANN, 1, 'sell', 10, 200_000);
    place(BEA, 7, 'buy', 5, 100_000);
    const before = content();
    expect(place(BEA, 7, 'buy', 5, 200_000)).toBe('exists_with_different_limit');
    expect(content()).toEqual(before);
  });

  test('a filled order stays known: sent again it trades nothing more', () => {
    place(ANN, 1, 'sell', 10, 100_000);
    place(BEA, 1, 'buy', 10, 100_000);
    place(CEM, 1, 'sell', 10, 100_000);
    const before = content();
    expect(place(BEA, 1, 'buy', 10, 100_000)).toBe('exists');
    expect(place(ANN, 1, 'sell', 10, 100_000)).toBe('exists');
    expect(cancel(BEA, 1)).toBe('not_open');
    expect(content()).toEqual(before);
  });

  test('a cancelled order sent again stays cancelled', () => {
    place(ANN, 1, 'sell', 10, 100_000);
    cancel(ANN, 1);
    expect(place(ANN, 1, 'sell', 10, 100_000)).toBe('exists');
    expect(orderOf(ANN, 1)).toEqual({ filled: 0, open: 0, fate: 'cancelled' });
  });

  test('a refusal is remembered when its cause is gone', () => {
    market.members.halt(ANN, true);
    expect(place(ANN, 1, 'sell', 10, 100_000)).toBe('member_halted');
    market.members.halt(ANN, false);
    expect(place(ANN, 1, 'sell', 10, 100_000)).toBe('member_halted');
    expect(place(ANN, 2, 'sell', 10, 100_000)).toBe('accepted');
  });

  test('members have their numbers to themselves', () => {
    expect([place(ANN, 1, 'sell', 10, 100_000), place(BEA, 1, 'buy', 10, 50_000)]).toEqual(['accepted', 'accepted']);
    expect([cancel(CEM, 1), orderOf(CEM, 1)]).toEqual(['unknown_order', null]);
  });

  test('the largest number is a number like any other, and not the sign for none', () => {
    const largest = 2 ** 32 - 1;
    place(ANN, largest, 'sell', 10, 100_000);
    expect(place(ANN, 1, 'sell', 4, 100_000, { replaces: largest })).toBe('accepted');
    expect(orderOf(ANN, largest)).toEqual({ filled: 0, open: 0, fate: 'replaced' });
    expect(place(ANN, 1, 'sell', 4, 100_000)).toBe('exists_with_different_replaces');
    expect(place(ANN, 2, 'sell', 4, 100_000, { replaces: 2 ** 31 })).toBe('replaced_unknown');
  });

  test('what a partly filled order had sold stays counted after its cancel', () => {
    place(ANN, 1, 'sell', 600, 100_000);
    place(BEA, 1, 'buy', 200, 100_000);
    cancel(ANN, 1);
    expect(orderOf(ANN, 1)).toEqual({ filled: 200, open: 0, fate: 'cancelled' });
    expect(market.members.reserved(ANN)).toBe(200 * 200_000);
    expect(place(ANN, 2, 'sell', 801, 100_000)).toBe('exceeds_capability');
    expect(place(ANN, 3, 'sell', 800, 100_000)).toBe('accepted');
  });

  test('a fill-or-kill order that 1 Wh is missing for trades nothing', () => {
    place(ANN, 1, 'sell', 6, 100_000);
    place(BEA, 1, 'sell', 4, 110_000);
    place(CEM, 1, 'buy', 11, 110_000, { type: 'fok' });
    expect([orderOf(CEM, 1), trades().length]).toEqual([{ filled: 0, open: 0, fate: 'killed' }, 0]);
    expect(market.members.reserved(CEM)).toBe(0);
    place(CEM, 2, 'buy', 10, 110_000, { type: 'fok' });
    expect([orderOf(CEM, 2)?.fate, trades().map(({ price }) => price)]).toEqual(['filled', [100_000, 110_000]]);
  });

  test('a replacement at the same price for no more energy keeps its place, any other goes to the end', () => {
    for (const member of [ANN, BEA, CEM]) place(member, 1, 'sell', 10, 100_000);
    place(ANN, 2, 'sell', 9, 100_000, { replaces: 1 });
    place(BEA, 2, 'sell', 11, 100_000, { replaces: 1 });
    expect([cancel(ANN, 1), cancel(BEA, 1)]).toEqual(['not_open', 'not_open']);
    place(DOV, 1, 'buy', 30, 100_000);
    expect(trades().map(({ seller, energy }) => [seller, energy])).toEqual([
      [ANN, 9],
      [CEM, 10],
      [BEA, 11],
    ]);
  });

  test('a refused replacement leaves the old order where it was', () => {
    place(ANN, 1, 'sell', 10, 100_000);
    expect(place(ANN, 2, 'sell', 1001, 100_000, { replaces: 1 })).toBe('exceeds_capability');
    expect(orderOf(ANN, 1)).toEqual({ filled: 0, open: 10, fate: 'open' });
  });

  test('a fee far beyond the band leaves a buy that stands and never trades', () => {
    open({ ...CONTINUOUS, tick: 1, fees: [pricePerKwh(2_000_000_000)] });
    expect(place(ANN, 1, 'sell', 10, -10_000)).toBe('accepted');
    expect(place(BEA, 1, 'buy', 10, 300_000)).toBe('accepted');
    expect([trades().length, orderOf(BEA, 1)?.fate]).toEqual([0, 'open']);
  });

  test('the dearest buyer is served first although its limit is negative', () => {
    place(ANN, 1, 'buy', 10, -5_000);
    place(BEA, 1, 'buy', 10, -200);
    place(CEM, 1, 'sell', 10, -10_000, { type: 'market' });
    expect(trades().map(({ buyer, price }) => [buyer, price])).toEqual([[BEA, -200]]);
  });
});

describe('in a call', () => {
  beforeEach(() => open(CALL));

  test('the cheapest sellers are served, not the dearest that a buyer would still take', () => {
    place(ANN, 1, 'sell', 10, 90_000);
    place(BEA, 1, 'sell', 10, 140_000);
    place(CEM, 1, 'buy', 10, 150_000);
    place(DOV, 1, 'buy', 10, 95_000);
    bookOf(market, 0).closeGate();
    expect(trades().map(({ seller, buyer, energy }) => [seller, buyer, energy])).toEqual([[ANN, CEM, 10]]);
  });

  test('nothing is cleared with one side only, or where the sides do not meet', () => {
    place(ANN, 1, 'sell', 10, 90_000);
    place(BEA, 1, 'buy', 10, 80_000);
    bookOf(market, 0).closeGate();
    expect([bookOf(market, 0).clearingPrices(), orderOf(ANN, 1)?.fate]).toEqual([[null], 'no_trade']);
    expect([market.members.reserved(ANN), market.members.reserved(BEA)]).toEqual([0, 0]);
  });

  test('the gate closes once: a second time nothing trades again', () => {
    place(ANN, 1, 'sell', 10, 80_000);
    place(BEA, 1, 'buy', 10, 80_000);
    bookOf(market, 0).closeGate();
    const before = content();
    bookOf(market, 0).closeGate();
    expect(content()).toEqual(before);
    expect([place(CEM, 1, 'buy', 10, 80_000), cancel(ANN, 1)]).toEqual(['gate_closed', 'gate_closed']);
  });
});
