import { withRoom } from './growing-words.ts';

/** Words of one order in `OrderLines.words`. Four words are a quarter of a cache line. */
export const LINE_WORDS = 4;
/** The next and the previous order of the same price level, by position; `NO_ORDER` at its ends. */
export const NEXT = 0;
export const PREV = 1;
/** Wh that stand. */
export const OPEN = 2;
/** Tick index x 2 + side, 0 buy, 1 sell. Kept when the order has ended. */
export const KEY = 3;

export const NO_ORDER = -1;

const FIRST_CAPACITY = 16;

/**
 * What matching reads and writes of every order that a book was ever sent, and nothing else, so that a busy book stays
 * in the processor's cache. A position is the order of arrival and is never used again.
 */
export class OrderLines {
  words = new Int32Array(FIRST_CAPACITY * LINE_WORDS);
  count = 0;

  /** Takes over the content of another table. */
  load(content: Int32Array): void {
    this.words = withRoom(content, FIRST_CAPACITY * LINE_WORDS);
    this.count = content.length / LINE_WORDS;
  }

  /** The words in use. */
  content(): Int32Array {
    return this.words.subarray(0, this.count * LINE_WORDS);
  }

  /** Adds an order of which nothing stands yet. Returns its position. */
  append(key: number): number {
    const position = this.count;
    const at = position * LINE_WORDS;
    if (at === this.words.length) this.words = withRoom(this.words, at * 2);
    this.words[at + KEY] = key;
    this.count = position + 1;
    return position;
  }

  openOf(position: number): number {
    return this.words[position * LINE_WORDS + OPEN] as number;
  }

  keyOf(position: number): number {
    return this.words[position * LINE_WORDS + KEY] as number;
  }
}
