import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { MAX_ORDER_WH, wh } from '../units/energy.ts';
import type { MarketId, MemberId } from '../units/identity.ts';
import { pricePerKwh } from '../units/price.ts';
import { epochMs } from '../units/time.ts';
import { naiveClearCall } from './naive-call-auction.ts';
import type { CancelVerdict, Order, OrderRefusal, OrderVerdict, RestingOrder, Side } from './order.ts';
import { ORDER_REFUSALS } from './order.ts';
import { type BookTerms, MAX_PRODUCT_WH, OrderBook, type SubmitContext } from './order-book.ts';

const TERMS: BookTerms = {
  market: 'elm' as MarketId,
  product: epochMs(900_000),
  band: { lowest: pricePerKwh(80_000), highest: pricePerKwh(300_000) },
  tick: 100,
  maxVolume: MAX_PRODUCT_WH,
};

const FINE: SubmitContext = { marketHalted: false, memberHalted: false, clockOffMs: 0, capability: wh(10_000) };

const ann = 'ann' as MemberId;
const bea = 'bea' as MemberId;

function order(changes: Partial<Order> = {}): Order {
  return {
    market: TERMS.market,
    product: TERMS.product,
    member: ann,
    clientOrderId: 1,
    side: 'sell',
    type: 'limit',
    limit: pricePerKwh(100_000),
    energy: wh(500),
    ...changes,
  };
}

describe('the same order again', () => {
  test('gets its first answer and changes nothing, while open, withdrawn and after the gate', () => {
    const book = new OrderBook(TERMS);
    expect(book.submit(order(), 7, FINE)).toEqual({ ok: true, code: 'accepted', sequence: 7 });
    const again = { ok: true, code: 'exists', sequence: 7 };
    expect(book.submit(order(), 8, FINE)).toEqual(again);
    expect(book.openOrders()).toHaveLength(1);
    book.cancel(ann, 1, 9);
    expect(book.submit(order(), 10, FINE)).toEqual(again);
    expect(book.openOrders()).toEqual([]);
    book.closeGate('pro-rata');
    expect(book.submit(order(), 11, FINE)).toEqual(again);
  });

  test('is filled once', () => {
    const book = new OrderBook(TERMS);
    book.submit(order(), 1, FINE);
    book.submit(order(), 2, FINE);
    book.submit(order({ member: bea, side: 'buy', limit: pricePerKwh(200_000), energy: wh(2000) }), 3, FINE);
    const clearing = book.closeGate('price-time');
    expect(clearing.traded).toBe(500);
    expect(book.submit(order(), 4, FINE)).toEqual({ ok: true, code: 'exists', sequence: 1 });
    expect(book.closeGate('price-time')).toBe(clearing);
  });

  test('is refused again for the first reason, even when that reason is gone', () => {
    const book = new OrderBook(TERMS);
    const refusal = { ok: false, code: 'market_halted' };
    expect(book.submit(order(), 1, { ...FINE, marketHalted: true })).toEqual(refusal);
    expect(book.submit(order(), 2, FINE)).toEqual(refusal);
    expect(book.closeGate('pro-rata').fills).toEqual([]);
    expect(book.submit(order(), 3, FINE)).toEqual(refusal);
  });

  test('of another member is another order', () => {
    const book = new OrderBook(TERMS);
    book.submit(order(), 1, FINE);
    expect(book.submit(order({ member: bea }), 2, FINE)).toEqual({ ok: true, code: 'accepted', sequence: 2 });
  });
});

test.each<[OrderRefusal, Partial<Order>]>([
  ['exists_with_different_side', { side: 'buy', type: 'market', limit: pricePerKwh(1), energy: wh(1) }],
  ['exists_with_different_type', { type: 'market', limit: pricePerKwh(1), energy: wh(1) }],
  ['exists_with_different_limit', { limit: pricePerKwh(1), energy: wh(1) }],
  ['exists_with_different_energy', { energy: wh(1) }],
])('a taken key says %s, whatever else differs and whatever became of the first', (code, changes) => {
  const refused = { ok: false, code };
  const states: ((book: OrderBook) => void)[] = [
    (book) => book.submit(order(), 1, FINE),
    (book) => book.submit(order(), 1, { ...FINE, memberHalted: true }),
    (book) => {
      book.submit(order(), 1, FINE);
      book.cancel(ann, 1, 2);
    },
    (book) => {
      book.submit(order(), 1, FINE);
      book.closeGate('pro-rata');
    },
  ];
  for (const arrange of states) {
    const book = new OrderBook(TERMS);
    arrange(book);
    const before = book.snapshot();
    expect(book.submit(order(changes), 3, { ...FINE, marketHalted: true })).toEqual(refused);
    expect(book.snapshot()).toEqual(before);
  }
});

describe('a new order', () => {
  const unfit: [OrderRefusal, Partial<Order>, Partial<SubmitContext>][] = [
    ['market_halted', {}, { marketHalted: true }],
    ['member_halted', {}, { memberHalted: true }],
    ['price_mismatch', {}, { clockOffMs: -51 }],
    ['energy_not_positive', { energy: wh(0) }, {}],
    ['energy_not_positive', { energy: wh(-5) }, {}],
    ['energy_too_large', { energy: wh(MAX_ORDER_WH + 1) }, {}],
    ['tick_size', { limit: pricePerKwh(100_050) }, {}],
    ['outside_band', { limit: pricePerKwh(79_900) }, {}],
    ['outside_band', { limit: pricePerKwh(300_100) }, {}],
    ['exceeds_capability', { energy: wh(10_001) }, {}],
  ];

  test.each(unfit)('is refused: %s', (code, changes, context) => {
    const book = new OrderBook(TERMS);
    expect(book.submit(order(changes), 1, { ...FINE, ...context })).toEqual({ ok: false, code });
    expect(book.openOrders()).toEqual([]);
  });

  test('with several faults is told the first in the order of ORDER_REFUSALS', () => {
    const codes = unfit.map(([code]) => code);
    expect(codes).toEqual(codes.toSorted((a, b) => ORDER_REFUSALS.indexOf(a) - ORDER_REFUSALS.indexOf(b)));
    for (let from = 0; from < unfit.length; from += 1) {
      const rest = unfit.slice(from);
      const worst = Object.assign({}, ...rest.toReversed().map(([, changes]) => changes));
      const context = Object.assign({ ...FINE }, ...rest.map(([, , changes]) => changes));
      expect(new OrderBook(TERMS).submit(order(worst), 1, context)).toEqual({ ok: false, code: rest[0]?.[0] });
    }
  });

  test('may be at the edges of everything', () => {
    const book = new OrderBook(TERMS);
    const edges: [Partial<Order>, Partial<SubmitContext>][] = [
      [{ limit: TERMS.band.lowest, energy: wh(10_000) }, { clockOffMs: 50 }],
      [{ member: bea, side: 'buy', limit: TERMS.band.highest, energy: wh(MAX_ORDER_WH) }, { clockOffMs: -50 }],
    ];
    edges.forEach(([changes, context], at) => {
      expect(book.submit(order(changes), at + 1, { ...FINE, ...context }).code).toBe('accepted');
    });
  });

  test('is refused after the gate, for ever', () => {
    const book = new OrderBook(TERMS);
    book.closeGate('pro-rata');
    expect(book.submit(order(), 1, FINE)).toEqual({ ok: false, code: 'gate_closed' });
    expect(book.submit(order(), 2, FINE)).toEqual({ ok: false, code: 'gate_closed' });
    expect(book.closeGate('pro-rata').fills).toEqual([]);
  });

  test('must not cross an own open order; a withdrawn one is no obstacle', () => {
    const book = new OrderBook(TERMS);
    const at = (price: number) => pricePerKwh(price);
    expect(book.submit(order({ limit: at(200_000) }), 1, FINE).code).toBe('accepted');
    expect(book.submit(order({ clientOrderId: 2, side: 'buy', limit: at(200_000) }), 2, FINE).code).toBe('self_cross');
    expect(book.submit(order({ clientOrderId: 3, side: 'buy', limit: at(199_900) }), 3, FINE).code).toBe('accepted');
    expect(book.submit(order({ clientOrderId: 4, limit: at(199_900) }), 4, FINE).code).toBe('self_cross');
    expect(book.submit(order({ member: bea, limit: at(100_000) }), 5, FINE).code).toBe('accepted');
    book.cancel(ann, 1, 6);
    expect(book.submit(order({ clientOrderId: 5, side: 'buy', limit: at(300_000) }), 7, FINE).code).toBe('accepted');
  });

  test('must not cross the second of two own orders at one limit after the first is withdrawn', () => {
    const book = new OrderBook(TERMS);
    const sell = (clientOrderId: number, price: number) =>
      book.submit(order({ clientOrderId, limit: pricePerKwh(price) }), clientOrderId, FINE);
    for (const [id, price] of [
      [1, 200_000],
      [2, 200_000],
      [3, 100_000],
    ] as const)
      sell(id, price);
    book.cancel(ann, 1, 4);
    book.cancel(ann, 3, 5);
    const buy = order({ clientOrderId: 6, side: 'buy', limit: pricePerKwh(200_000) });
    expect(book.submit(buy, 6, FINE).code).toBe('self_cross');
  });

  test('may not sell more than the devices can deliver, over all open sells', () => {
    const book = new OrderBook(TERMS);
    expect(book.submit(order({ energy: wh(6000) }), 1, FINE).code).toBe('accepted');
    expect(book.submit(order({ clientOrderId: 2, energy: wh(4001) }), 2, FINE).code).toBe('exceeds_capability');
    expect(book.submit(order({ clientOrderId: 3, energy: wh(4000) }), 3, FINE).code).toBe('accepted');
    book.cancel(ann, 1, 4);
    expect(book.submit(order({ clientOrderId: 4, energy: wh(6000) }), 5, FINE).code).toBe('accepted');
    expect(book.submit(order({ clientOrderId: 5, energy: wh(1) }), 6, FINE).code).toBe('exceeds_capability');
  });

  test('may not take one side over what a product can hold', () => {
    const book = new OrderBook({ ...TERMS, maxVolume: wh(700) });
    expect(book.submit(order(), 1, FINE).code).toBe('accepted');
    expect(book.submit(order({ clientOrderId: 2, energy: wh(201) }), 2, FINE).code).toBe('energy_too_large');
    expect(book.submit(order({ clientOrderId: 3, energy: wh(200) }), 3, FINE).code).toBe('accepted');
    book.cancel(ann, 1, 4);
    expect(book.submit(order({ clientOrderId: 4 }), 5, FINE).code).toBe('accepted');
  });

  test('of another product or with a sequence that does not rise is a bug', () => {
    const book = new OrderBook(TERMS);
    expect(() => book.submit(order({ product: epochMs(0) }), 1, FINE)).toThrow('bug');
    book.submit(order(), 5, FINE);
    expect(() => book.submit(order({ clientOrderId: 2 }), 5, FINE)).toThrow('does not rise');
  });
});

describe('a withdrawal', () => {
  test('twice is once, and never touches another order', () => {
    const book = new OrderBook(TERMS);
    book.submit(order(), 1, FINE);
    book.submit(order({ member: bea }), 2, FINE);
    expect(book.cancel(ann, 1, 3)).toEqual({ ok: true, code: 'cancelled', sequence: 3 });
    expect(book.cancel(ann, 1, 4)).toEqual({ ok: true, code: 'exists', sequence: 3 });
    expect(book.openOrders().map(({ member }) => member)).toEqual([bea]);
    expect(book.closeGate('pro-rata').fills.map(({ fate }) => fate)).toEqual(['cancelled', 'no_trade']);
    expect(book.cancel(ann, 1, 5)).toEqual({ ok: true, code: 'exists', sequence: 3 });
  });

  test('of what never came, never stood, or is past the gate is refused', () => {
    const book = new OrderBook(TERMS);
    book.submit(order(), 1, { ...FINE, memberHalted: true });
    book.submit(order({ clientOrderId: 2 }), 2, FINE);
    expect(book.cancel(ann, 9, 3)).toEqual({ ok: false, code: 'unknown_order' });
    expect(book.cancel(bea, 1, 4)).toEqual({ ok: false, code: 'unknown_order' });
    expect(book.cancel(ann, 1, 5)).toEqual({ ok: false, code: 'not_open' });
    book.closeGate('pro-rata');
    expect(book.cancel(ann, 2, 6)).toEqual({ ok: false, code: 'gate_closed' });
  });
});

type Command =
  | { readonly kind: 'submit'; readonly order: Order; readonly context: SubmitContext }
  | { readonly kind: 'cancel'; readonly member: MemberId; readonly clientOrderId: number }
  | { readonly kind: 'gate' }
  | { readonly kind: 'restart' };

const members = fc.constantFrom(ann, bea, 'cem' as MemberId);
const ids = fc.integer({ min: 1, max: 4 });

const commands = fc.array(
  fc.oneof(
    {
      weight: 12,
      arbitrary: fc.record({
        kind: fc.constant('submit' as const),
        order: fc.record({
          market: fc.constant(TERMS.market),
          product: fc.constant(TERMS.product),
          member: members,
          clientOrderId: ids,
          side: fc.constantFrom<Side>('buy', 'sell'),
          type: fc.constantFrom('limit' as const, 'market' as const),
          limit: fc.constantFrom(79_900, 80_000, 150_000, 150_050, 200_000, 300_000).map(pricePerKwh),
          energy: fc.constantFrom(0, 1, 400, 700, MAX_ORDER_WH + 1).map(wh),
        }),
        context: fc.record({
          marketHalted: fc.constantFrom(false, false, false, false, true),
          memberHalted: fc.constantFrom(false, false, false, false, true),
          clockOffMs: fc.constantFrom(0, 0, 0, 50, 51),
          capability: fc.constantFrom(500, 1100, 5000).map(wh),
        }),
      }),
    },
    { weight: 4, arbitrary: fc.record({ kind: fc.constant('cancel' as const), member: members, clientOrderId: ids }) },
    { weight: 1, arbitrary: fc.constant({ kind: 'restart' as const }) },
    { weight: 1, arbitrary: fc.constant({ kind: 'gate' as const }) },
  ),
  { maxLength: 40 },
);

test('any run of commands, with restarts from a snapshot anywhere, answers as the naive book does', () => {
  fc.assert(
    fc.property(commands, (run: readonly Command[]) => {
      let book = new OrderBook(TERMS);
      const naive = new NaiveBook();
      run.forEach((command, at) => {
        if (command.kind === 'restart') book = OrderBook.restore(JSON.parse(JSON.stringify(book.snapshot())));
        else expect(answer(book, command, at)).toEqual(answer(naive, command, at));
      });
      expect(book.closeGate('pro-rata')).toEqual(naive.closeGate());
      expect(OrderBook.restore(book.snapshot()).clearing).toEqual(book.clearing);
      expect(OrderBook.restore(book.snapshot()).snapshot()).toEqual(book.snapshot());
    }),
    { numRuns: 1000 },
  );
});

type AnyBook = Pick<OrderBook, 'submit' | 'cancel'> & { closeGate(rationing: 'pro-rata'): unknown };

function answer(book: AnyBook, command: Exclude<Command, { kind: 'restart' }>, sequence: number): unknown {
  if (command.kind === 'submit') return book.submit(command.order, sequence, command.context);
  if (command.kind === 'cancel') return book.cancel(command.member, command.clientOrderId, sequence);
  return book.closeGate('pro-rata');
}

/** Keeps a list and searches it: the oracle. */
class NaiveBook {
  #all: { order: RestingOrder; answer: OrderRefusal | null; cancelled: number | null }[] = [];
  #closed = false;

  submit(order: Order, sequence: number, context: SubmitContext): OrderVerdict {
    const first = this.#all.find(
      (e) => e.order.member === order.member && e.order.clientOrderId === order.clientOrderId,
    );
    if (first === undefined) {
      const refusal = this.#refusal(order, context);
      this.#all.push({ order: { ...order, sequence }, answer: refusal, cancelled: null });
      return refusal === null ? { ok: true, code: 'accepted', sequence } : { ok: false, code: refusal };
    }
    const differs = (['side', 'type', 'limit', 'energy'] as const).find((field) => first.order[field] !== order[field]);
    if (differs !== undefined) return { ok: false, code: `exists_with_different_${differs}` };
    if (first.answer !== null) return { ok: false, code: first.answer };
    return { ok: true, code: 'exists', sequence: first.order.sequence };
  }

  #refusal(order: Order, context: SubmitContext): OrderRefusal | null {
    const own = this.#open().filter(({ member }) => member === order.member);
    const crosses = own.some((other) => {
      const [buy, sell] = order.side === 'buy' ? [order, other] : [other, order];
      return other.side !== order.side && buy.limit >= sell.limit;
    });
    const sells = own.filter(({ side }) => side === 'sell').reduce((sum, { energy }) => sum + energy, 0);
    const holds: [boolean, OrderRefusal][] = [
      [this.#closed, 'gate_closed'],
      [context.marketHalted, 'market_halted'],
      [context.memberHalted, 'member_halted'],
      [context.clockOffMs > 50, 'price_mismatch'],
      [order.energy <= 0, 'energy_not_positive'],
      [order.energy > MAX_ORDER_WH, 'energy_too_large'],
      [order.limit % 100 !== 0, 'tick_size'],
      [order.limit < 80_000 || order.limit > 300_000, 'outside_band'],
      [crosses, 'self_cross'],
      [order.side === 'sell' && sells + order.energy > context.capability, 'exceeds_capability'],
    ];
    return holds.find(([refused]) => refused)?.[1] ?? null;
  }

  cancel(member: MemberId, clientOrderId: number, sequence: number): CancelVerdict {
    const entry = this.#all.find((e) => e.order.member === member && e.order.clientOrderId === clientOrderId);
    if (entry === undefined) return { ok: false, code: 'unknown_order' };
    if (entry.answer !== null) return { ok: false, code: 'not_open' };
    if (entry.cancelled !== null) return { ok: true, code: 'exists', sequence: entry.cancelled };
    if (this.#closed) return { ok: false, code: 'gate_closed' };
    entry.cancelled = sequence;
    return { ok: true, code: 'cancelled', sequence };
  }

  closeGate() {
    this.#closed = true;
    const open = this.#open();
    const clearing = naiveClearCall(open, { tick: 100, rationing: 'pro-rata' });
    const accepted = this.#all.filter((entry) => entry.answer === null);
    const fills = accepted.map(({ order }) => {
      const { member, clientOrderId } = order;
      return clearing.fills[open.indexOf(order)] ?? { member, clientOrderId, filled: 0, fate: 'cancelled' };
    });
    return { ...clearing, fills };
  }

  #open(): RestingOrder[] {
    return this.#all.filter((entry) => entry.answer === null && entry.cancelled === null).map(({ order }) => order);
  }
}
