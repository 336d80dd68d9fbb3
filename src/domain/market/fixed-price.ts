import { floorDivide } from '../units/division.ts';
import { floorToTick, type PricePerKwh } from '../units/price.ts';
import type { PriceBand } from '../units/tariff.ts';
import { clearMidMarket, type MeteredPosition, type PoolClearing } from './mid-market.ts';

/**
 * The pool of the mid-market at a price that the community fixed, micro-currency per kWh: floored to the tick and, where
 * it lies outside the tariff band of the interval, the nearest edge of the band. So nobody is worse off than with the
 * utility, whatever the tariff does.
 */
export function clearFixedPrice(
  positions: readonly MeteredPosition[],
  band: PriceBand,
  tick: number,
  fixed: PricePerKwh,
): PoolClearing {
  const pool = clearMidMarket(positions, band, tick);
  return { ...pool, price: pool.price === null ? null : intoBand(floorToTick(fixed, tick), band) };
}

/** Without a price of its own a community shares at the middle of the band, floored to the tick. */
export function middleOf({ lowest, highest }: PriceBand, tick: number): PricePerKwh {
  return floorToTick(floorDivide(lowest + highest, 2), tick);
}

function intoBand(price: PricePerKwh, { lowest, highest }: PriceBand): PricePerKwh {
  if (price < lowest) return lowest;
  return price > highest ? highest : price;
}
