import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { wh } from '../units/energy.ts';
import { pricePerKwh } from '../units/price.ts';
import { epochMs } from '../units/time.ts';
import type { ProductRules } from './book.ts';
import { MemberTable } from './member-table.ts';
import { ORDER_TYPES, SIDES } from './order.ts';
import { ProductBook } from './product-book.ts';
import { VERDICTS } from './verdict.ts';

const BUY = SIDES.indexOf('buy');
const SELL = SIDES.indexOf('sell');
const LIMIT = ORDER_TYPES.indexOf('limit');

describe('snapshots', () => {
  const command = fc.record({
    kind: fc.nat(19),
    member: fc.nat(5),
    id: fc.nat(30),
    other: fc.nat(30),
    side: fc.nat(1),
    type: fc.constantFrom(0, 0, 0, 0, 1, 2, 3),
    tick: fc.integer({ min: 0, max: 12 }),
    energy: fc.integer({ min: 1, max: 60 }),
  });
  const rules = (mechanism: 'call' | 'continuous', zones: number): ProductRules => ({
    product: epochMs(1_800_000_000_000),
    mechanism,
    rationing: mechanism === 'call' ? 'pro-rata' : 'price-time',
    tick: 100,
    importPrice: pricePerKwh(300_000),
    penalty: pricePerKwh(50_000),
    band: { lowest: pricePerKwh(80_000), highest: pricePerKwh(81_000) },
    fees: [0, 250, 0].slice(0, zones).map(pricePerKwh),
    zoneLimits: [
      { from: 0, to: 1, capacity: wh(40) },
      { from: 1, to: 0, capacity: wh(15) },
    ].slice(0, zones > 1 ? 2 : 0),
    maxVolume: wh(2000),
  });
  const admit = (members: MemberTable, zones: number) => {
    for (let member = 0; member < 6; member += 1) {
      const collateral = member % 2 === 0 ? 20_000_000 : null;
      members.admit(`home-${9 - member}`, {
        capability: wh(150),
        collateral,
        group: member < 2 ? 0 : member,
        zone: member % zones,
      });
    }
  };
  const smallBook = () => {
    const own = rules('continuous', 1);
    const members = new MemberTable();
    admit(members, 1);
    return { own, members, book: new ProductBook(own, members) };
  };
  type Command = typeof command extends fc.Arbitrary<infer T> ? T : never;
  const send = (book: ProductBook, members: MemberTable, sequence: number, { kind, ...sent }: Command) => {
    const { member, id, other, side, type, tick, energy } = sent;
    if (kind < 5) return book.cancel(member, id, sequence);
    if (kind === 5) return members.halt(member, side === 0);
    if (kind === 6) {
      return members.change(member, { capability: wh(150), collateral: 1e7, group: id % 6, zone: 0 });
    }
    const replaces = kind < 11 ? other : -1;
    return book.place(member, id, side, type, 79_900 + tick * 100, energy, replaces, 0, sequence);
  };
  const statesOf = (book: ProductBook, members: MemberTable) => ({
    orders: Array.from({ length: book.orderCount }, (_, position) => book.orderAt(position)),
    trades: Array.from({ length: book.tradeCount }, (_, position) => book.tradeAt(position)),
    prices: book.clearingPrices(),
    reserved: Array.from({ length: members.count }, (_, member) => members.reserved(member)),
    closed: book.isClosed,
    bytes: [...book.snapshot(), ...members.snapshot()],
  });

  test.each([
    ['continuous', 1],
    ['continuous', 2],
    ['call', 1],
    ['call', 2],
  ] as const)('a restored %s book with %i zones goes on as the book itself', (mechanism, zones) => {
    const property = (commands: Command[], cut: number, gate: number) => {
      const own = rules(mechanism, zones);
      let members = new MemberTable();
      admit(members, zones);
      let book = new ProductBook(own, members);
      const twinMembers = new MemberTable();
      admit(twinMembers, zones);
      const twin = new ProductBook(own, twinMembers);
      for (const [index, sent] of commands.entries()) {
        if (index === Math.floor((commands.length * gate) / 100)) {
          book.closeGate();
          twin.closeGate();
        }
        if (index % cut === 0) {
          members = MemberTable.restore(members.snapshot());
          book = ProductBook.restore(book.snapshot(), own, members);
        }
        expect(send(book, members, index + 1, sent)).toBe(send(twin, twinMembers, index + 1, sent));
      }
      expect(statesOf(book, members)).toEqual(statesOf(twin, twinMembers));
      book.closeGate();
      twin.closeGate();
      book.release();
      twin.release();
      book = ProductBook.restore(book.snapshot(), own, members);
      expect(statesOf(book, members)).toEqual(statesOf(twin, twinMembers));
      expect(statesOf(book, members).reserved).toEqual([0, 0, 0, 0, 0, 0]);
    };
    const commands = fc.array(command, { minLength: 5, maxLength: 150 });
    const cut = fc.integer({ min: 1, max: 40 });
    fc.assert(fc.property(commands, cut, fc.integer({ min: 50, max: 110 }), property), { numRuns: 60 });
  });

  test('the snapshot of a restored book is the snapshot, byte by byte', () => {
    const { book, members, own } = smallBook();
    for (const id of [1, 2, 3]) book.place(0, id, SELL, LIMIT, 80_500, 10, -1, 0, id);
    book.cancel(0, 2, 4);
    const bytes = book.snapshot();
    expect(ProductBook.restore(bytes, own, members).snapshot()).toEqual(bytes);
    book.cancel(0, 1, 5);
    expect(VERDICTS[book.place(0, 4, BUY, LIMIT, 80_600, 10, -1, 0, 6)]).toBe('self_cross');
    const later = book.snapshot();
    expect(ProductBook.restore(later, own, members).snapshot()).toEqual(later);
  });

  test('bytes at an odd place are read as well', () => {
    const { book, members, own } = smallBook();
    book.place(0, 1, SELL, LIMIT, 80_500, 10, -1, 0, 1);
    const bytes = book.snapshot();
    const odd = new Uint8Array(bytes.length + 1).subarray(1);
    odd.set(bytes);
    expect(ProductBook.restore(odd, own, members).orderAt(0)).toEqual(book.orderAt(0));
  });

  test('a snapshot of another product or cut short is a bug', () => {
    const { book, members, own } = smallBook();
    const bytes = book.snapshot();
    expect(() => ProductBook.restore(bytes, { ...own, product: epochMs(900_000) }, members)).toThrow(/product/);
    expect(() => ProductBook.restore(bytes.slice(0, -4), own, members)).toThrow(/too short/);
  });
});
