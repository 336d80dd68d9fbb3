import type { Book, BookTrade, OrderState } from '../../src/domain/market/book.ts';
import { ORDER_FATES } from '../../src/domain/market/order.ts';

export function ordersOf(book: Book): OrderState[] {
  return Array.from({ length: book.orderCount }, (_, position) => book.orderAt(position));
}

export function tradesOf(book: Book, from = 0): BookTrade[] {
  return Array.from({ length: book.tradeCount - from }, (_, position) => book.tradeAt(from + position));
}

export function fateOf(order: OrderState): string {
  return ORDER_FATES[order.fate] ?? `no fate ${order.fate}`;
}

/** The Wh that each order traded, by `member order`. */
export function tradedEnergies(book: Book): Map<string, number> {
  const sums = new Map<string, number>();
  const add = (key: string, energy: number) => sums.set(key, (sums.get(key) ?? 0) + energy);
  for (const { buyer, buyOrder, seller, sellOrder, energy } of tradesOf(book)) {
    add(`${buyer} ${buyOrder}`, energy);
    add(`${seller} ${sellOrder}`, energy);
  }
  return sums;
}

export interface BookContent {
  readonly orders: readonly OrderState[];
  readonly trades: readonly BookTrade[];
  readonly isClosed: boolean;
  readonly prices: readonly (number | null)[];
}

/** All that the doors of the book show. */
export function contentOf(book: Book): BookContent {
  return {
    orders: ordersOf(book),
    trades: tradesOf(book),
    isClosed: book.isClosed,
    prices: [...book.clearingPrices()],
  };
}
