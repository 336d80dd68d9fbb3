import fc from 'fast-check';
import { expect, test } from 'vitest';
import { PriceTimeBook } from './price-time-book.ts';

const TICKS = 70;

interface Resting {
  readonly position: number;
  readonly side: number;
  readonly tick: number;
  open: number;
}

/** The book as a list: sorts, takes the first, forgets what is filled. */
class ListedBook {
  resting: Resting[] = [];
  readonly trades: string[] = [];

  add(position: number, side: number, tick: number, energy: number): void {
    let left = energy;
    for (const maker of this.counterparts(side, tick)) {
      const part = Math.min(left, maker.open);
      if (part > 0) this.trades.push(`${position}-${maker.position} ${part}`);
      maker.open -= part;
      left -= part;
    }
    if (left > 0) this.resting.push({ position, side, tick, open: left });
    this.resting = this.resting.filter(({ open }) => open > 0);
  }

  counterparts(side: number, tick: number): Resting[] {
    const others = this.resting.filter((other) => other.side !== side);
    const met = others.filter((other) => (side === 0 ? other.tick <= tick : other.tick >= tick));
    return met.sort((a, b) => (side === 0 ? a.tick - b.tick : b.tick - a.tick) || a.position - b.position);
  }
}

const COMMAND = fc.record({
  kind: fc.nat(4),
  side: fc.nat(1),
  tick: fc.nat(TICKS - 1),
  energy: fc.integer({ min: 1, max: 20 }),
  pick: fc.nat(),
});

test('matches as a list that is sorted every time', () => {
  const property = (commands: { kind: number; side: number; tick: number; energy: number; pick: number }[]) => {
    const book = new PriceTimeBook(TICKS);
    const listed = new ListedBook();
    for (const { kind, side, tick, energy, pick } of commands) {
      const gone = listed.resting[pick % Math.max(1, listed.resting.length)];
      if (kind === 0 && gone !== undefined) {
        expect(book.remove(gone.position)).toBe(gone.open);
        listed.resting = listed.resting.filter((order) => order !== gone);
      } else {
        const there = listed.counterparts(side, tick).reduce((sum, { open }) => sum + open, 0);
        expect(book.isMatchable(side, tick, energy)).toBe(there >= energy);
        listed.add(book.add(side, tick, energy), side, tick, energy);
      }
      const dearest = Math.max(-1, ...listed.resting.filter((order) => order.side === 0).map((order) => order.tick));
      const cheapest = Math.min(
        TICKS,
        ...listed.resting.filter((order) => order.side === 1).map((order) => order.tick),
      );
      expect([book.levels.bestBuy, book.levels.bestSell]).toEqual([dearest, cheapest]);
    }
    const tape = Array.from({ length: book.tape.count }, (_, trade) => trade);
    const trades = tape.map(
      (trade) => `${book.tape.taker(trade)}-${book.tape.maker(trade)} ${book.tape.energy(trade)}`,
    );
    expect(trades).toEqual(listed.trades);
    for (const order of listed.resting) expect(book.lines.openOf(order.position)).toBe(order.open);
  };
  fc.assert(fc.property(fc.array(COMMAND, { maxLength: 200, size: 'max' }), property), { numRuns: 100 });
});

test('an exchanged order stands where the other stood', () => {
  for (const place of [0, 1, 2]) {
    const book = new PriceTimeBook(TICKS);
    const queue = [book.add(1, 5, 10), book.add(1, 5, 10), book.add(1, 5, 10)];
    const entering = book.lines.append((5 << 1) | 1);
    expect(book.exchange(queue[place] ?? -1, entering, 4)).toBe(10);
    queue[place] = entering;
    book.add(0, 5, 24);
    expect([0, 1, 2].map((trade) => book.tape.maker(trade))).toEqual(queue);
    expect(book.levels.bestSell).toBe(TICKS);
  }
});
