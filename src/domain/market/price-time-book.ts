import { LINE_WORDS, NEXT, NO_ORDER, OPEN, OrderLines } from './order-lines.ts';
import { PriceLevels } from './price-levels.ts';
import { TradeTape } from './trade-tape.ts';

const BUY = 0;

/**
 * The bare continuous book: better prices first, then earlier arrival, always at the resting order's price. It knows
 * ticks, Wh and positions; who may send what is decided above it. The caller keeps its words: a tick lies on the
 * ladder, energy is positive, what is removed stands.
 */
export class PriceTimeBook {
  readonly lines = new OrderLines();
  readonly tape = new TradeTape();
  readonly levels: PriceLevels;

  constructor(ticks: number) {
    this.levels = new PriceLevels(ticks, this.lines);
  }

  /** An order that matches, and rests with what is left. Returns its position. `side`: place in SIDES. */
  add(side: number, tick: number, energy: number): number {
    const position = this.lines.append((tick << 1) | side);
    const left = this.match(position, side, tick, energy);
    if (left > 0) this.rest(position, left);
    return position;
  }

  /** Matches an order against the other side down to its tick. Returns the Wh that found no counterpart. */
  match(position: number, side: number, tick: number, energy: number): number {
    const levels = this.levels;
    let left = energy;
    if (side === BUY) {
      while (left > 0 && levels.bestSell <= tick) left = this.#take(position, levels.bestSell, left);
    } else {
      while (left > 0 && levels.bestBuy >= tick) left = this.#take(position, levels.bestBuy, left);
    }
    return left;
  }

  /** Puts an order with what is left of it at the end of the queue of its price. */
  rest(position: number, left: number): void {
    this.lines.words[position * LINE_WORDS + OPEN] = left;
    this.levels.append(position);
  }

  /** Takes out an open order. Returns the Wh that stood. */
  remove(position: number): number {
    const at = position * LINE_WORDS + OPEN;
    const open = this.lines.words[at] as number;
    this.lines.words[at] = 0;
    this.levels.unlink(position);
    return open;
  }

  /** Gives the place of an open order in its queue to another of the same price. Returns the Wh that stood. */
  exchange(leaving: number, entering: number, energy: number): number {
    const words = this.lines.words;
    const open = words[leaving * LINE_WORDS + OPEN] as number;
    words[leaving * LINE_WORDS + OPEN] = 0;
    words[entering * LINE_WORDS + OPEN] = energy;
    this.levels.exchange(leaving, entering);
    return open;
  }

  /** Whether `energy` Wh would find a counterpart at once. */
  isMatchable(side: number, tick: number, energy: number): boolean {
    const levels = this.levels;
    let left = energy;
    if (side === BUY) {
      for (let at = levels.bestSell; at <= tick; at = levels.nextSell(at)) {
        left = this.#leftAfter(at, left);
        if (left <= 0) return true;
      }
    } else {
      for (let at = levels.bestBuy; at >= tick; at = levels.nextBuy(at)) {
        left = this.#leftAfter(at, left);
        if (left <= 0) return true;
      }
    }
    return false;
  }

  /** Trades with the queue of one tick until it or the taker is served. Returns the Wh that the taker still wants. */
  #take(taker: number, tick: number, energy: number): number {
    const words = this.lines.words;
    let left = energy;
    let maker = this.levels.first(tick);
    do {
      const at = maker * LINE_WORDS;
      const open = words[at + OPEN] as number;
      if (open > left) {
        words[at + OPEN] = open - left;
        this.tape.push(taker, maker, left);
        left = 0;
        break;
      }
      words[at + OPEN] = 0;
      this.tape.push(taker, maker, open);
      left -= open;
      maker = words[at + NEXT] as number;
    } while (left > 0 && maker !== NO_ORDER);
    this.levels.advance(tick, maker);
    return left;
  }

  #leftAfter(tick: number, energy: number): number {
    let left = energy;
    for (let maker = this.levels.first(tick); maker !== NO_ORDER && left > 0; maker = this.levels.next(maker)) {
      left -= this.lines.openOf(maker);
    }
    return left;
  }
}
