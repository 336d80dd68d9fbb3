import { LADDER_STEPS } from './command-stream.ts';
import type { TradeTape } from './trade-tape.ts';

const NONE = -1;

/**
 * The books as the maker of a stream sees them: it must know which orders live to name them in cancels, and it says
 * which trades every engine has to make. Written apart from all engines: lists by price step, ended orders skipped late.
 */
export class StreamBook {
  readonly #left: Int32Array;
  readonly #bookOf: Int32Array;
  readonly #nextInQueue: Int32Array;
  readonly #first: Int32Array;
  readonly #last: Int32Array;
  /** No open sell stands below, no open buy above. */
  readonly #lowestSell: Int32Array;
  readonly #highestBuy: Int32Array;
  readonly #live: number[] = [];
  readonly #placeInLive: Int32Array;
  readonly #tape: number[] = [];

  constructor(books: number, maxOrders: number) {
    this.#left = new Int32Array(maxOrders);
    this.#bookOf = new Int32Array(maxOrders);
    this.#nextInQueue = new Int32Array(maxOrders).fill(NONE);
    this.#placeInLive = new Int32Array(maxOrders);
    this.#first = new Int32Array(books * LADDER_STEPS).fill(NONE);
    this.#last = new Int32Array(books * LADDER_STEPS).fill(NONE);
    this.#lowestSell = new Int32Array(books).fill(LADDER_STEPS);
    this.#highestBuy = new Int32Array(books).fill(-1);
  }

  get liveCount(): number {
    return this.#live.length;
  }

  liveAt(place: number): number {
    return this.#live[place] ?? NONE;
  }

  bookOf(order: number): number {
    return this.#bookOf[order] ?? 0;
  }

  tape(): TradeTape {
    return { words: Int32Array.from(this.#tape), trades: this.#tape.length / 4 };
  }

  place(order: number, book: number, isSell: boolean, step: number, energy: number, rests: boolean): void {
    this.#bookOf[order] = book;
    const left = isSell ? this.#sell(order, book, step, energy) : this.#buy(order, book, step, energy);
    if (left === 0 || !rests) return;
    const level = book * LADDER_STEPS + step;
    const last = this.#last[level] ?? NONE;
    if (last === NONE) this.#first[level] = order;
    else this.#nextInQueue[last] = order;
    this.#last[level] = order;
    this.#left[order] = left;
    this.#placeInLive[order] = this.#live.push(order) - 1;
    if (isSell) this.#lowestSell[book] = Math.min(this.#lowestSell[book] ?? 0, step);
    else this.#highestBuy[book] = Math.max(this.#highestBuy[book] ?? 0, step);
  }

  cancel(order: number): void {
    if ((this.#left[order] ?? 0) > 0) this.#end(order);
  }

  #buy(order: number, book: number, limit: number, energy: number): number {
    let left = energy;
    let step = this.#lowestSell[book] ?? 0;
    for (; step <= limit; step += 1) {
      left = this.#take(order, book, step, left);
      if (left === 0) break;
    }
    this.#lowestSell[book] = step;
    return left;
  }

  #sell(order: number, book: number, limit: number, energy: number): number {
    let left = energy;
    let step = this.#highestBuy[book] ?? 0;
    for (; step >= limit; step -= 1) {
      left = this.#take(order, book, step, left);
      if (left === 0) break;
    }
    this.#highestBuy[book] = step;
    return left;
  }

  /** What the queue at one price gives; what has ended is dropped from its head. */
  #take(taker: number, book: number, step: number, energy: number): number {
    const level = book * LADDER_STEPS + step;
    let left = energy;
    let maker = this.#first[level] ?? NONE;
    while (maker !== NONE && left > 0) {
      const open = this.#left[maker] ?? 0;
      const traded = Math.min(open, left);
      if (traded > 0) this.#tape.push(taker, maker, step, traded);
      left -= traded;
      if (traded < open) this.#left[maker] = open - traded;
      else {
        if (open > 0) this.#end(maker);
        maker = this.#nextInQueue[maker] ?? NONE;
      }
    }
    this.#first[level] = maker;
    if (maker === NONE) this.#last[level] = NONE;
    return left;
  }

  #end(order: number): void {
    this.#left[order] = 0;
    const place = this.#placeInLive[order] ?? 0;
    const moved = this.#live.pop() ?? NONE;
    if (moved === order) return;
    this.#live[place] = moved;
    this.#placeInLive[moved] = place;
  }
}
