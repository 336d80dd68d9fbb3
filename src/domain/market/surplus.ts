import type { NanoTotal } from '../units/money.ts';
import type { Order } from './order.ts';
import type { OrderFill } from './trade.ts';

/**
 * What the trades gain against the stated limits, nano-currency: what buyers would have paid at most less what sellers
 * would have taken at least; the prices between cancel out. `fills` answer `orders` position by position.
 */
export function surplusOf(fills: readonly OrderFill[], orders: readonly Pick<Order, 'side' | 'limit'>[]): NanoTotal {
  let surplus = 0n;
  for (const [position, { filled }] of fills.entries()) {
    const order = orders[position];
    if (order === undefined || filled === 0) continue;
    const worth = BigInt(order.limit) * BigInt(filled);
    surplus += order.side === 'buy' ? worth : -worth;
  }
  return surplus as NanoTotal;
}
