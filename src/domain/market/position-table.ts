import { KEY, LINE_WORDS, NO_ORDER, OPEN, type OrderLines } from './order-lines.ts';
import type { OrderRecords } from './order-records.ts';

/** Words of one member's row. */
const ROW_WORDS = 8;
/** Open and filled Wh of its sells. */
const SELLS = 0;
/** Tick, position and newest order of its buys, then the same of its sells. */
const BEST_TICK = 1;
const BEST_ORDER = 2;
const NEWEST = 3;
const SELL_OFFSET = 3;
/** Member + 1; 0: the row is free. */
const MEMBER = 7;

const NO_BUY = -1;
const NO_SELL = 2 ** 30;
const EMPTY_ROW = [0, NO_BUY, NO_ORDER, NO_ORDER, NO_SELL, NO_ORDER, NO_ORDER];
const FIRST_ROWS = 4;

/**
 * What each member of one book holds: its sells against its capability, and its best own order of each side, which an
 * order of the other side must not meet. A best order may have ended since; that is noticed when it would refuse
 * something, so that fills and withdrawals cost nothing here. A row is named by its first word.
 */
export class PositionTable {
  readonly #lines: OrderLines;
  readonly #records: OrderRecords;
  /** A member's row is the one of its number, modulo the rows there are, or the first free one behind it. */
  #rows = new Int32Array(FIRST_ROWS * ROW_WORDS);
  #count = 0;

  constructor(lines: OrderLines, records: OrderRecords) {
    this.#lines = lines;
    this.#records = records;
  }

  get bytesHeld(): number {
    return this.#rows.byteLength;
  }

  /** The row of a member; where it has none, the complement of the free row for it: below 0. */
  find(member: number): number {
    const rows = this.#rows;
    let row = (member * ROW_WORDS) & (rows.length - 1);
    for (;;) {
      const found = rows[row + MEMBER] as number;
      if (found === member + 1) return row;
      if (found === 0) return ~row;
      row = (row + ROW_WORDS) & (rows.length - 1);
    }
  }

  /** The row of a member, made where it has none. */
  open(member: number): number {
    const row = this.find(member);
    return row >= 0 ? row : this.#create(member, ~row);
  }

  /** Wh of the member's open and filled sells. */
  sells(row: number): number {
    return row < 0 ? 0 : (this.#rows[row + SELLS] as number);
  }

  /** Counts sells as accepted, or, below 0, as withdrawn. */
  addSells(row: number, energy: number): void {
    this.#rows[row + SELLS] = (this.#rows[row + SELLS] as number) + energy;
  }

  /** Notes that an order of the row's member rests. */
  rest(row: number, position: number): void {
    const key = this.#lines.words[position * LINE_WORDS + KEY] as number;
    const side = key & 1;
    const at = row + side * SELL_OFFSET;
    const rows = this.#rows;
    this.#records.setOlder(position, rows[at + NEWEST] as number);
    rows[at + NEWEST] = position;
    if (isBetter(side, key >> 1, rows[at + BEST_TICK] as number)) {
      rows[at + BEST_TICK] = key >> 1;
      rows[at + BEST_ORDER] = position;
    }
  }

  /** Whether an order of `side` at `tick` would meet an open order of the row's member. */
  meets(row: number, side: number, tick: number): boolean {
    if (row < 0) return false;
    const other = row + (1 - side) * SELL_OFFSET;
    const best = this.#rows[other + BEST_TICK] as number;
    return (side === 0 ? tick >= best : tick <= best) && this.#reallyMeets(other, side, tick);
  }

  #reallyMeets(other: number, side: number, tick: number): boolean {
    if (this.#lines.openOf(this.#rows[other + BEST_ORDER] as number) > 0) return true;
    this.#renew(other, 1 - side);
    const best = this.#rows[other + BEST_TICK] as number;
    return side === 0 ? tick >= best : tick <= best;
  }

  /** Walks the member's orders of one side, forgets those that have ended, and finds the best of the others. */
  #renew(row: number, side: number): void {
    const rows = this.#rows;
    const records = this.#records;
    let position = rows[row + NEWEST] as number;
    let kept = NO_ORDER;
    rows[row + NEWEST] = NO_ORDER;
    rows[row + BEST_TICK] = side === 0 ? NO_BUY : NO_SELL;
    rows[row + BEST_ORDER] = NO_ORDER;
    while (position !== NO_ORDER) {
      const older = records.older(position);
      if ((this.#lines.words[position * LINE_WORDS + OPEN] as number) > 0) {
        if (kept === NO_ORDER) rows[row + NEWEST] = position;
        else records.setOlder(kept, position);
        kept = position;
        this.#improve(row, side, position);
      }
      position = older;
    }
    if (kept !== NO_ORDER) records.setOlder(kept, NO_ORDER);
  }

  #improve(row: number, side: number, position: number): void {
    const tick = this.#lines.keyOf(position) >> 1;
    if (!isBetter(side, tick, this.#rows[row + BEST_TICK] as number)) return;
    this.#rows[row + BEST_TICK] = tick;
    this.#rows[row + BEST_ORDER] = position;
  }

  #create(member: number, free: number): number {
    if ((this.#count + 1) * ROW_WORDS * 4 > this.#rows.length * 3) {
      this.#grow();
      return this.open(member);
    }
    this.#count += 1;
    this.#rows.set(EMPTY_ROW, free);
    this.#rows[free + MEMBER] = member + 1;
    return free;
  }

  #grow(): void {
    const before = this.#rows;
    this.#rows = new Int32Array(before.length * 2);
    for (let row = 0; row < before.length; row += ROW_WORDS) {
      const member = (before[row + MEMBER] as number) - 1;
      if (member >= 0) this.#rows.set(before.subarray(row, row + ROW_WORDS), ~this.find(member));
    }
  }
}

/** Whether a tick is the better one for the other side. */
function isBetter(side: number, tick: number, best: number): boolean {
  return side === 0 ? tick > best : tick < best;
}
