import { describe, expect, test } from 'vitest';
import type { Book, OrderState } from '../../src/domain/market/book.ts';
import { contentOf, fateOf, ordersOf, tradedEnergies, tradesOf } from './book-reading.ts';
import { bookOf, type Market, type MarketCommand, place } from './market-command.ts';
import { observeSeeds } from './observed-seeds.ts';
import { zonalFaults } from './zonal-optimality.ts';

const SEEDS = 40;

/** Long lists that are nearly always equal: the text is compared first, for that is quick. */
function expectSame(actual: unknown, expected: unknown): void {
  if (JSON.stringify(actual) !== JSON.stringify(expected)) expect(actual).toEqual(expected);
}

function bookTouched(market: Market, command: MarketCommand): Book | null {
  return 'book' in command ? bookOf(market, command.book) : null;
}

function heldSells(book: Book, member: number): number {
  const own = ordersOf(book).filter((order) => order.member === member && order.side === 1);
  return own.reduce((sum, order) => sum + order.open + order.filled, 0);
}

describe('energy and money', () => {
  test('are conserved: every fill is the sum of its trades, and both sides fill the same', () => {
    observeSeeds(SEEDS, {
      after: ({ market, command }) => {
        const book = bookTouched(market, command);
        if (book === null) return;
        const traded = tradedEnergies(book);
        const orders = ordersOf(book);
        const keyOf = ({ member, clientOrderId }: OrderState) => `${member} ${clientOrderId}`;
        expect(orders.filter((order) => order.filled !== (traded.get(keyOf(order)) ?? 0))).toEqual([]);
        const fills = [0, 0];
        for (const { side, filled } of orders) fills[side] = (fills[side] ?? 0) + filled;
        expect(fills[0]).toBe(fills[1]);
      },
    });
  });

  test('balance, fees included: buyers pay what sellers get, the grid fee and the rent between zones', () => {
    observeSeeds(SEEDS, {
      after: ({ market, command, log }) => {
        if (command.kind !== 'close-gate') return;
        const book = bookOf(market, command.book);
        const prices = book.clearingPrices();
        let [paid, got, fees, rent] = [0n, 0n, 0n, 0n];
        for (const { buyer, buyOrder, seller, sellOrder, energy, price, sellerPrice } of tradesOf(book)) {
          const from = log.zoneOf(command.book, { member: seller, clientOrderId: sellOrder });
          const to = log.zoneOf(command.book, { member: buyer, clientOrderId: buyOrder });
          const fee = book.rules.fees[to] ?? 0;
          paid += BigInt(price + fee) * BigInt(energy);
          fees += BigInt(fee) * BigInt(energy);
          got += BigInt(sellerPrice) * BigInt(energy);
          if (book.rules.mechanism === 'call') rent += BigInt((prices[to] ?? 0) - (prices[from] ?? 0)) * BigInt(energy);
        }
        expect(paid).toBe(got + fees + rent);
        expect(rent).toBeGreaterThanOrEqual(0n);
      },
    });
  });

  test('nobody trades at a loss: a buyer pays at most its limit, its fee included; a seller gets at least its own', () => {
    observeSeeds(SEEDS, {
      before: (market, command) => bookTouched(market, command)?.tradeCount ?? 0,
      after: ({ market, command, log }, tradesBefore) => {
        const book = bookTouched(market, command);
        if (book === null || !('book' in command)) return;
        for (const { buyer, buyOrder, seller, sellOrder, price, sellerPrice } of tradesOf(book, tradesBefore)) {
          const fee = book.rules.fees[log.zoneOf(command.book, { member: buyer, clientOrderId: buyOrder })] ?? 0;
          expect(price + fee).toBeLessThanOrEqual(book.find(buyer, buyOrder)?.limit ?? -Infinity);
          expect(sellerPrice).toBeGreaterThanOrEqual(book.find(seller, sellOrder)?.limit ?? Infinity);
        }
      },
    });
  });

  test('no order is filled beyond what it asked for', () => {
    observeSeeds(SEEDS, {
      after: ({ market, command }) => {
        const book = bookTouched(market, command);
        const isOver = ({ filled, open, energy }: OrderState) =>
          filled < 0 || open < 0 || filled + open > Math.max(0, energy);
        expect((book === null ? [] : ordersOf(book)).filter(isOver)).toEqual([]);
      },
    });
  });

  test('the open and filled sells of a member never come to more than its capability when one is accepted', () => {
    observeSeeds(SEEDS, {
      after: ({ market, command, answer, log }) => {
        if (command.kind !== 'place' || answer !== 'accepted' || command.side !== 1) return;
        const { capability } = log.rulesOf(command.member);
        expect(heldSells(bookOf(market, command.book), command.member)).toBeLessThanOrEqual(capability);
      },
    });
  });

  test('a member never has more reserved than its collateral when an order is accepted', () => {
    observeSeeds(SEEDS, {
      after: ({ market, command, answer, log }) => {
        if (command.kind !== 'place' || answer !== 'accepted') return;
        const { collateral } = log.rulesOf(command.member);
        if (collateral !== null) expect(market.members.reserved(command.member)).toBeLessThanOrEqual(collateral);
      },
    });
  });

  test('after the release of all books nothing is reserved', () => {
    observeSeeds(SEEDS, {
      after: ({ market, command }) => {
        if (command.kind !== 'release') return;
        for (const book of market.books) {
          book.closeGate();
          book.release();
        }
        for (let member = 0; member < market.members.count; member += 1)
          expect(market.members.reserved(member)).toBe(0);
      },
    });
  });
});

describe('a continuous book', () => {
  test('is never crossed after a command', () => {
    observeSeeds(SEEDS, {
      after: ({ market, command, log }) => {
        const book = bookTouched(market, command);
        if (book === null || !('book' in command) || book.rules.mechanism === 'call') return;
        const standing = log.standingIn(book, command.book);
        const bids = standing.filter((order) => order.isBuy).map((order) => order.price);
        const asks = standing.filter((order) => !order.isBuy).map((order) => order.price);
        expect(Math.max(-Infinity, ...bids)).toBeLessThan(Math.min(Infinity, ...asks));
      },
    });
  });

  test('serves the better price first, then the earlier order, at the price of the one that stood', () => {
    observeSeeds(SEEDS, {
      before: (market, command, log) => {
        const book = bookTouched(market, command);
        if (book === null || command.kind !== 'place' || book.rules.mechanism === 'call') return null;
        const makers = log.standingIn(book, command.book).filter((order) => order.isBuy !== (command.side === 0));
        return { tradeCount: book.tradeCount, makers };
      },
      after: ({ market, command }, before) => {
        if (before === null || before === undefined || !('book' in command)) return;
        const book = bookOf(market, command.book);
        const ranked = before.makers.sort((a, b) => (a.isBuy ? b.price - a.price : a.price - b.price));
        for (const [turn, trade] of tradesOf(book, before.tradeCount).entries()) {
          const maker = ranked[turn];
          expect(trade.price).toBe(maker?.price);
          const served = maker?.isBuy === true ? [trade.buyer, trade.buyOrder] : [trade.seller, trade.sellOrder];
          const isOfLevel = ranked.filter((other) => other.price === maker?.price);
          // A replacement may hold the place of an earlier order, so only levels without one tell the sequence.
          const isPlain = isOfLevel.every((other) => book.find(other.member, other.clientOrderId)?.replaces === -1);
          if (isPlain) expect(served).toEqual([maker?.member, maker?.clientOrderId]);
        }
      },
    });
  });

  test('fills a fill-or-kill order whole or not at all', () => {
    observeSeeds(SEEDS, {
      after: ({ market, command, answer }) => {
        if (command.kind !== 'place' || command.type !== 3 || answer !== 'accepted') return;
        const order = bookOf(market, command.book).find(command.member, command.clientOrderId);
        expect([0, command.energy]).toContain(order?.filled);
        expect(order === null ? '' : fateOf(order)).toBe(order?.filled === 0 ? 'killed' : 'filled');
      },
    });
  });
});

describe('a call', () => {
  test('takes the whole surplus, fees and limits between zones considered, and shares it by the rule', () => {
    observeSeeds(SEEDS * 4, {
      before: (market, command, log) => {
        const book = bookTouched(market, command);
        if (book === null || command.kind !== 'close-gate' || book.isClosed) return null;
        return book.rules.mechanism === 'call' ? log.standingIn(book, command.book) : null;
      },
      after: ({ market, command }, standing) => {
        const book = bookTouched(market, command);
        if (book === null || standing === null || standing === undefined) return;
        expect(zonalFaults(book, standing)).toEqual([]);
      },
    });
  });
});

describe('what is over', () => {
  test('a cancelled, replaced, expired or lapsed order never trades again', () => {
    observeSeeds(SEEDS, {
      before: (market, command) => {
        const book = bookTouched(market, command);
        return book === null ? [] : ordersOf(book).filter((order) => fateOf(order) !== 'open');
      },
      after: ({ market, command }, ended) => {
        const book = bookTouched(market, command);
        if (book === null || ended === undefined) return;
        expectSame(
          ended.map((order) => book.find(order.member, order.clientOrderId)),
          ended,
        );
      },
    });
  });

  test('members of one owner group do not trade with each other', () => {
    observeSeeds(SEEDS, {
      before: (market, command) => bookTouched(market, command)?.tradeCount ?? 0,
      after: ({ market, command, log }, tradesBefore) => {
        const book = bookTouched(market, command);
        if (book === null || (book.rules.mechanism === 'call' && log.hasMovedGroups)) return;
        for (const { buyer, seller } of tradesOf(book, tradesBefore)) {
          expect(log.rulesOf(buyer).group).not.toBe(log.rulesOf(seller).group);
        }
      },
    });
  });

  test('after the gate nothing changes: known orders keep their answer, new ones are refused', () => {
    observeSeeds(SEEDS, {
      before: (market, command) => {
        const book = bookTouched(market, command);
        return book?.isClosed === true ? contentOf(book) : null;
      },
      after: ({ market, command, answer }, before) => {
        const book = bookTouched(market, command);
        if (book === null || before === null || before === undefined) return;
        const after = contentOf(book);
        if (command.kind === 'place' && answer === 'gate_closed') {
          const known = before.orders.length;
          expectSame({ ...after, orders: after.orders.slice(0, known) }, before);
        } else expectSame(after, before);
      },
    });
  });

  test('an order sent again changes nothing and gets its first answer', () => {
    observeSeeds(SEEDS, {
      after: ({ market, command, answer }) => {
        if (command.kind !== 'place' || answer === null) return;
        const book = bookOf(market, command.book);
        const before = [contentOf(book), market.members.reserved(command.member)];
        const again = place(book, { ...command, clockOffMs: 9999, sequence: command.sequence });
        expect(again).toBe(answer === 'accepted' ? 'exists' : answer);
        expectSame([contentOf(book), market.members.reserved(command.member)], before);
      },
    });
  });
});
