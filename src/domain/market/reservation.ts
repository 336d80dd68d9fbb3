import type { ProductRules } from './book.ts';

const BUY = 0;

/**
 * What one Wh of an order holds reserved at most, in nano-currency: a buyer may have to pay its limit, which its grid
 * fee is part of; a seller that does not deliver the import price beyond what it asked, and the penalty.
 */
export function reservedPerWh(rules: ProductRules, side: number, limit: number): number {
  return side === BUY ? Math.max(0, limit) : Math.max(0, rules.importPrice - limit) + rules.penalty;
}
