import { KEY, LINE_WORDS, NEXT, NO_ORDER, type OrderLines, PREV } from './order-lines.ts';
import { TickSet } from './tick-set.ts';

/** First and last order of a price level. */
const ENDS = 2;

/**
 * The queues of a ladder of prices: at each tick the open orders, first come first served. The links lie in the orders'
 * own lines. Both sides share the ladder, for no tick holds buys and sells at once: they would have traded.
 * Nothing is allocated before the first order rests; a call never rests one here.
 */
export class PriceLevels {
  readonly ticks: number;
  /** Tick of the dearest buy; -1: none. */
  bestBuy = -1;
  /** Tick of the cheapest sell; `ticks`: none. */
  bestSell: number;
  readonly #lines: OrderLines;
  #ends = new Int32Array(0);
  #set = new TickSet(0);

  constructor(ticks: number, lines: OrderLines) {
    this.ticks = ticks;
    this.bestSell = ticks;
    this.#lines = lines;
  }

  get bytesHeld(): number {
    return this.#ends.byteLength + this.#set.bytesHeld;
  }

  /** The order that is served first at a tick; `NO_ORDER`: the level is empty. */
  first(tick: number): number {
    return this.#ends[tick * ENDS] as number;
  }

  /** The order behind this one at the same tick; `NO_ORDER`: it is the last. */
  next(position: number): number {
    return this.#lines.words[position * LINE_WORDS + NEXT] as number;
  }

  /** The next worse price of the side that is matched against. */
  nextSell(tick: number): number {
    return this.#set.above(tick);
  }

  nextBuy(tick: number): number {
    return this.#set.below(tick);
  }

  /** Puts an order at the end of the queue of its price. */
  append(position: number): void {
    if (this.#ends.length === 0) this.#allocate();
    const words = this.#lines.words;
    const ends = this.#ends;
    const at = position * LINE_WORDS;
    const key = words[at + KEY] as number;
    const tick = key >> 1;
    const last = ends[tick * ENDS + 1] as number;
    words[at + NEXT] = NO_ORDER;
    words[at + PREV] = last;
    ends[tick * ENDS + 1] = position;
    if (last !== NO_ORDER) {
      words[last * LINE_WORDS + NEXT] = position;
      return;
    }
    ends[tick * ENDS] = position;
    this.#set.add(tick);
    if ((key & 1) === 0) {
      if (tick > this.bestBuy) this.bestBuy = tick;
    } else if (tick < this.bestSell) this.bestSell = tick;
  }

  /** Takes an order out of its queue, wherever it stands. */
  unlink(position: number): void {
    const words = this.#lines.words;
    const at = position * LINE_WORDS;
    const next = words[at + NEXT] as number;
    const previous = words[at + PREV] as number;
    const tick = (words[at + KEY] as number) >> 1;
    if (previous !== NO_ORDER) words[previous * LINE_WORDS + NEXT] = next;
    else this.#ends[tick * ENDS] = next;
    if (next !== NO_ORDER) words[next * LINE_WORDS + PREV] = previous;
    else this.#ends[tick * ENDS + 1] = previous;
    if (next === NO_ORDER && previous === NO_ORDER) this.#empty(tick);
  }

  /** The first orders of a level are filled: `first` is served next; `NO_ORDER`: the level is empty now. */
  advance(tick: number, first: number): void {
    this.#ends[tick * ENDS] = first;
    if (first !== NO_ORDER) {
      this.#lines.words[first * LINE_WORDS + PREV] = NO_ORDER;
      return;
    }
    this.#ends[tick * ENDS + 1] = NO_ORDER;
    this.#empty(tick);
  }

  /** Puts one order into the place of another of the same price. */
  exchange(leaving: number, entering: number): void {
    const words = this.#lines.words;
    const next = words[leaving * LINE_WORDS + NEXT] as number;
    const previous = words[leaving * LINE_WORDS + PREV] as number;
    const tick = (words[leaving * LINE_WORDS + KEY] as number) >> 1;
    words[entering * LINE_WORDS + NEXT] = next;
    words[entering * LINE_WORDS + PREV] = previous;
    if (previous !== NO_ORDER) words[previous * LINE_WORDS + NEXT] = entering;
    else this.#ends[tick * ENDS] = entering;
    if (next !== NO_ORDER) words[next * LINE_WORDS + PREV] = entering;
    else this.#ends[tick * ENDS + 1] = entering;
  }

  /** Builds the ladder of orders whose lines are linked already. */
  relink(): void {
    for (let position = 0; position < this.#lines.count; position += 1) {
      if (this.#lines.openOf(position) > 0) this.#relinkOne(position);
    }
  }

  /** Forgets the ladder; the orders keep their lines. */
  clear(): void {
    this.#ends = new Int32Array(0);
    this.#set = new TickSet(0);
    this.bestBuy = -1;
    this.bestSell = this.ticks;
  }

  #relinkOne(position: number): void {
    if (this.#ends.length === 0) this.#allocate();
    const words = this.#lines.words;
    const at = position * LINE_WORDS;
    const key = words[at + KEY] as number;
    const tick = key >> 1;
    if (words[at + NEXT] === NO_ORDER) this.#ends[tick * ENDS + 1] = position;
    if (words[at + PREV] !== NO_ORDER) return;
    this.#ends[tick * ENDS] = position;
    this.#set.add(tick);
    if ((key & 1) === 0) this.bestBuy = Math.max(this.bestBuy, tick);
    else this.bestSell = Math.min(this.bestSell, tick);
  }

  #empty(tick: number): void {
    this.#set.remove(tick);
    if (tick === this.bestSell) this.bestSell = this.#set.above(tick);
    else if (tick === this.bestBuy) this.bestBuy = this.#set.below(tick);
  }

  #allocate(): void {
    this.#ends = new Int32Array(this.ticks * ENDS).fill(NO_ORDER);
    this.#set = new TickSet(this.ticks);
  }
}
