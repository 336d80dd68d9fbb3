import { assert } from '../units/assert.ts';
import { wh } from '../units/energy.ts';
import type { PricePerKwh } from '../units/price.ts';
import type { RestingOrder } from './order.ts';
import type { Allotment } from './rationing.ts';
import type { Trade } from './trade.ts';

/**
 * Makes trades of the two sides' allotments, both walked in priority order: the first buyer with the first seller until
 * one of them is served. At most one trade fewer than there are allotments. Nobody trades with itself: orders that
 * would are refused at acceptance.
 */
export function pairAllotments(
  buys: readonly Allotment[],
  sells: readonly Allotment[],
  orders: readonly RestingOrder[],
  price: PricePerKwh,
): Trade[] {
  const trades: Trade[] = [];
  const open = { buy: buys[0]?.energy ?? 0, sell: sells[0]?.energy ?? 0 };
  for (let buy = 0, sell = 0; open.buy > 0 && open.sell > 0; ) {
    const energy = Math.min(open.buy, open.sell);
    trades.push(tradeOf(orders[buys[buy]?.position ?? -1], orders[sells[sell]?.position ?? -1], energy, price));
    open.buy -= energy;
    open.sell -= energy;
    if (open.buy === 0) open.buy = buys[++buy]?.energy ?? 0;
    if (open.sell === 0) open.sell = sells[++sell]?.energy ?? 0;
  }
  assert(open.buy === 0 && open.sell === 0, 'the two sides were given different energies');
  return trades;
}

function tradeOf(
  buy: RestingOrder | undefined,
  sell: RestingOrder | undefined,
  energy: number,
  price: PricePerKwh,
): Trade {
  assert(buy !== undefined && sell !== undefined, 'an allotment names no order');
  assert(buy.limit >= price && sell.limit <= price, 'a trade outside a limit');
  assert(buy.member !== sell.member, `member ${buy.member} would trade with itself`);
  return {
    buyer: buy.member,
    buyOrder: buy.clientOrderId,
    seller: sell.member,
    sellOrder: sell.clientOrderId,
    energy: wh(energy),
    price,
  };
}
