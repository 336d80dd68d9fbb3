import type { ProductRules } from './book.ts';
import { type CallOrders, type CallResult, clearCallOrders } from './call-clearing.ts';
import { type CallTrades, pairCallFills } from './call-trades.ts';
import type { MemberTable } from './member-table.ts';
import { KEY, LINE_WORDS, OPEN, type OrderLines } from './order-lines.ts';
import type { OrderRecords } from './order-records.ts';
import type { PriceLadder } from './price-ladder.ts';

/** The parts of a book that a clearing reads. */
export interface CallBook {
  readonly rules: ProductRules;
  readonly lines: OrderLines;
  readonly records: OrderRecords;
  readonly members: MemberTable;
  readonly ladder: PriceLadder;
}

/**
 * The clearing of one call: what it gave is taken over by the book at the gate, prices and trades are asked for later.
 * The trades are made when somebody first asks.
 */
export class ClosedCall {
  readonly result: CallResult;
  readonly #book: CallBook;
  /** Orders at the gate; those that come later are refused and not part of it. */
  readonly #count: number;
  #trades: CallTrades | null = null;

  /** `hot`: the lines of the book as they stood at the gate. */
  constructor(book: CallBook, hot: Int32Array) {
    this.#book = book;
    this.#count = book.lines.count;
    this.result = clearCallOrders(ordersOf(book, hot, this.#count), book.rules);
  }

  get trades(): CallTrades {
    const { lines, rules } = this.#book;
    this.#trades ??= pairCallFills(ordersOf(this.#book, lines.words, this.#count), this.result, rules.rationing);
    return this.#trades;
  }
}

/** The lines of a closed call as they stood at the gate. `stood`: whether the order at a position did. */
export function linesAtGate({ lines, records }: CallBook, stood: (position: number) => boolean): Int32Array {
  const words = new Int32Array(lines.count * LINE_WORDS);
  for (let position = 0; position < lines.count; position += 1) {
    words[position * LINE_WORDS + KEY] = lines.keyOf(position);
    words[position * LINE_WORDS + OPEN] = stood(position) ? records.energy(position) : 0;
  }
  return words;
}

function ordersOf({ records, members, ladder }: CallBook, hot: Int32Array, count: number): CallOrders {
  return {
    hot,
    count,
    base: ladder.base,
    ticks: ladder.ticks,
    memberRank: (position) => members.rank(records.member(position)),
    clientOrderId: (position) => records.clientOrderId(position),
    zone: (position) => records.zone(position),
  };
}
