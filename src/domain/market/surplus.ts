import type { NanoTotal } from '../units/money.ts';
import type { RestingOrder } from './order.ts';
import type { Clearing } from './trade.ts';

/**
 * What the trades gain against the stated limits, nano-currency: buyers (limit - price) x energy, sellers
 * (price - limit) x energy. `orders` are those that `clearing.fills` answers, position by position.
 */
export function surplusOf(clearing: Clearing, orders: readonly RestingOrder[]): NanoTotal {
  let surplus = 0n;
  if (clearing.price === null) return surplus as NanoTotal;
  for (const [position, { filled }] of clearing.fills.entries()) {
    const order = orders[position];
    if (order === undefined || filled === 0) continue;
    const gain = order.side === 'buy' ? order.limit - clearing.price : clearing.price - order.limit;
    surplus += BigInt(gain) * BigInt(filled);
  }
  return surplus as NanoTotal;
}
