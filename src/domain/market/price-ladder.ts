import { assert } from '../units/assert.ts';
import { type PricePerKwh, pricePerKwh } from '../units/price.ts';
import type { ProductRules } from './book.ts';

/** A limit that lies on no tick. */
export const OFF_TICK = -1;

const BUY = 0;

/**
 * Prices of one product as tick numbers. A buyer's fee can push its book price below the band, where nobody sells: tick
 * 0 then stands for all those prices, which need not be told apart because nothing ever trades at them.
 */
export class PriceLadder {
  /** Price of tick 0: the lower edge of the band, or with fees the tick below it. */
  readonly base: PricePerKwh;
  /** Tick numbers are below it. */
  readonly ticks: number;
  readonly #tick: number;
  /** By zone: the ticks between a buyer's limit and its book price. */
  readonly #feeTicks: readonly number[];

  constructor({ band, tick, fees }: ProductRules) {
    assert(Number.isInteger(tick) && tick > 0, `a tick of ${tick}`);
    assert(band.lowest % tick === 0 && band.highest % tick === 0, 'an edge of the band is off the tick');
    assert(band.lowest <= band.highest && fees.length > 0, 'a product without prices or zones');
    for (const fee of fees) assert(Number.isSafeInteger(fee) && fee >= 0, `a grid fee of ${fee}`);
    this.#tick = tick;
    const hasFees = fees.some((fee) => fee > 0);
    this.base = (hasFees ? band.lowest - tick : band.lowest) as PricePerKwh;
    this.ticks = (band.highest - this.base) / tick + 1;
    // A limit is on the tick, so the floor of what is left of it is the limit less the fee rounded up.
    this.#feeTicks = fees.map((fee) => Math.ceil(fee / tick));
  }

  /** The number of a limit inside the band, or `OFF_TICK`. */
  tickOfLimit(limit: number): number {
    const above = limit - this.base;
    const number = (above / this.#tick) | 0;
    return number * this.#tick === above ? number : OFF_TICK;
  }

  /** The tick of the book price: a buyer's fee is taken off its limit first. */
  bookTick(side: number, limitTick: number, zone: number): number {
    const feeTicks = this.#feeTicks[zone];
    assert(feeTicks !== undefined, 'a member in a zone without a fee');
    return side === BUY ? Math.max(0, limitTick - feeTicks) : limitTick;
  }

  /** Micro-currency per kWh. */
  priceAt(tick: number): PricePerKwh {
    return pricePerKwh(this.base + tick * this.#tick);
  }
}
