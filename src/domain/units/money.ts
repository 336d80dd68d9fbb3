import { assert } from './assert.ts';
import type { Brand } from './brand.ts';
import { formatDecimal } from './decimal.ts';
import type { Wh } from './energy.ts';
import type { PricePerKwh } from './price.ts';

/** One posting in nano-currency: price x energy, exact, no rounding. Positive is received, negative is paid. */
export type Nano = Brand<number, 'Nano'>;

/** A running total in nano-currency. */
export type NanoTotal = Brand<bigint, 'NanoTotal'>;

export const ZERO_NANO = 0 as Nano;
export const ZERO_TOTAL = 0n as NanoTotal;

const DECIMAL_PLACES = 9;

/** micro-currency/kWh x Wh = nano-currency. @throws a bug where the product leaves the safe integers */
export function amountOf(price: PricePerKwh, energy: Wh): Nano {
  const amount = price * energy;
  assert(Number.isSafeInteger(amount), `amount of ${energy} Wh at ${price} is not exact`);
  return (amount === 0 ? 0 : amount) as Nano;
}

/** The sum in nano-currency, exact whatever its size. */
export function sumNano(terms: Iterable<Nano | NanoTotal>): NanoTotal {
  let sum = 0n;
  for (const term of terms) sum += BigInt(term);
  return sum as NanoTotal;
}

/** What the other side of a posting gets. Never -0. */
export function negate(amount: Nano): Nano {
  return (amount === 0 ? 0 : -amount) as Nano;
}

/** A decimal string with up to nine places and no trailing zeros: `'3062.14462'`, `'0'`. */
export function formatMoney(amount: Nano | NanoTotal): string {
  return formatDecimal(amount, DECIMAL_PLACES);
}
