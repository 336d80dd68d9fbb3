import { withRoom } from './growing-words.ts';

/** Taker, maker, Wh. */
const TRADE_WORDS = 3;
const FIRST_CAPACITY = 16;

/** The trades of a continuous book in the order in which they were made. Orders are named by their positions. */
export class TradeTape {
  words = new Int32Array(FIRST_CAPACITY * TRADE_WORDS);
  count = 0;

  /** Takes over the content of another tape. */
  load(content: Int32Array): void {
    this.words = withRoom(content, FIRST_CAPACITY * TRADE_WORDS);
    this.count = content.length / TRADE_WORDS;
  }

  push(taker: number, maker: number, energy: number): void {
    const at = this.count * TRADE_WORDS;
    if (at === this.words.length) this.words = withRoom(this.words, at * 2);
    const words = this.words;
    words[at] = taker;
    words[at + 1] = maker;
    words[at + 2] = energy;
    this.count += 1;
  }

  /** The order that came and found a counterpart. */
  taker(trade: number): number {
    return this.words[trade * TRADE_WORDS] as number;
  }

  /** The order that stood, and named the price. */
  maker(trade: number): number {
    return this.words[trade * TRADE_WORDS + 1] as number;
  }

  energy(trade: number): number {
    return this.words[trade * TRADE_WORDS + 2] as number;
  }

  /** The words in use. */
  content(): Int32Array {
    return this.words.subarray(0, this.count * TRADE_WORDS);
  }
}
