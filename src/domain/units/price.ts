import { assert, assertSafeInteger } from './assert.ts';
import type { Brand } from './brand.ts';
import { formatDecimal, parseDecimal } from './decimal.ts';
import { floorDivide } from './division.ts';

/** Micro-currency per kWh: 0.30 EUR/kWh is 300000. May be negative. Below 2^31 in size. */
export type PricePerKwh = Brand<number, 'PricePerKwh'>;

const DECIMAL_PLACES = 6;
const LIMIT = 2 ** 31;

/** @throws a bug outside the bounds that keep price x energy exact */
export function pricePerKwh(value: number): PricePerKwh {
  assertSafeInteger(value, 'price in micro-currency per kWh');
  assert(Math.abs(value) < LIMIT, `price ${value} is outside +-2^31 micro-currency per kWh`);
  return (value === 0 ? 0 : value) as PricePerKwh;
}

/** `'0.30'` -> 300000. `null` where the text is no decimal with at most six places, or out of bounds. */
export function parsePrice(text: string): PricePerKwh | null {
  const value = parseDecimal(text, DECIMAL_PLACES);
  return value === null || Math.abs(value) >= LIMIT ? null : (value as PricePerKwh);
}

/** 300000 -> `'0.3'`. */
export function formatPrice(price: PricePerKwh): string {
  return formatDecimal(price, DECIMAL_PLACES);
}

/** The highest price on the tick grid that is not above `price`. */
export function floorToTick(price: number, tick: number): PricePerKwh {
  return pricePerKwh(floorDivide(price, tick) * tick);
}

/** The lowest price on the tick grid that is not below `price`. */
export function ceilToTick(price: number, tick: number): PricePerKwh {
  return pricePerKwh(-floorDivide(-price, tick) * tick);
}
