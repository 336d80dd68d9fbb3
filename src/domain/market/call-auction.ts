import { assert } from '../units/assert.ts';
import { MAX_ORDER_WH, wh, ZERO_WH } from '../units/energy.ts';
import type { PricePerKwh } from '../units/price.ts';
import { clearingPoint } from './clearing-price.ts';
import { type Level, levelsOf, stepsOf } from './curve.ts';
import type { OrderFate, Rationing, RestingOrder } from './order.ts';
import { pairAllotments } from './pairing.ts';
import { type Allotment, allot } from './rationing.ts';
import type { Clearing, OrderFill } from './trade.ts';

/** `tick`: micro-currency per kWh, the grid of every limit and of the price. */
export interface CallRules {
  readonly tick: number;
  readonly rationing: Rationing;
}

/**
 * Clears a sealed uniform-price double auction. It takes the whole surplus of the stated orders; price and
 * volume do not depend on the order of `orders`. `fills` answers `orders` position by position.
 * `naiveClearCall` says the same the slow way.
 */
export function clearCall(orders: readonly RestingOrder[], rules: CallRules): Clearing {
  for (const order of orders) assertOrder(order, rules.tick);
  const buys = levelsOf(orders, 'buy');
  const sells = levelsOf(orders, 'sell');
  const curves = { demand: stepsOf(buys), supply: stepsOf(sells) };
  const point = clearingPoint(curves.demand, curves.supply, rules.tick);
  if (point === null) return { price: null, traded: ZERO_WH, trades: [], fills: unfilled(orders), ...curves };
  const { price, volume } = point;
  const bought = allot(buys, volume, orders, rules.rationing);
  const sold = allot(sells, volume, orders, rules.rationing);
  const trades = pairAllotments(bought, sold, orders, price);
  const fills = fillsOf(orders, price, bought, sold);
  assertSums(volume, fills, orders, trades, [...buys, ...sells]);
  return { price, traded: volume, trades, fills, ...curves };
}

function unfilled(orders: readonly RestingOrder[]): OrderFill[] {
  return orders.map(({ member, clientOrderId }) => ({ member, clientOrderId, filled: ZERO_WH, fate: 'no_trade' }));
}

function fillsOf(
  orders: readonly RestingOrder[],
  price: PricePerKwh,
  bought: readonly Allotment[],
  sold: readonly Allotment[],
): OrderFill[] {
  const filled = new Float64Array(orders.length);
  for (const { position, energy } of bought) filled[position] = energy;
  for (const { position, energy } of sold) filled[position] = energy;
  return orders.map((order, position) => {
    const energy = filled[position] ?? 0;
    const { member, clientOrderId } = order;
    return { member, clientOrderId, filled: wh(energy), fate: fateOf(order, energy, price) };
  });
}

function fateOf(order: RestingOrder, filled: number, price: PricePerKwh): OrderFate {
  assert(filled <= order.energy, `order ${order.clientOrderId} of ${order.member} was overfilled`);
  if (filled === order.energy) return 'filled';
  if (filled > 0) return 'partly_filled';
  const reached = order.side === 'buy' ? order.limit >= price : order.limit <= price;
  return reached ? 'rationed_out' : 'price_not_reached';
}

function assertOrder({ energy, limit }: RestingOrder, tick: number): void {
  assert(Number.isSafeInteger(energy) && energy > 0 && energy <= MAX_ORDER_WH, `an order of ${energy} Wh`);
  assert(limit % tick === 0, `limit ${limit} is off the tick ${tick}`);
}

function assertSums(
  volume: number,
  fills: readonly OrderFill[],
  orders: readonly RestingOrder[],
  trades: Clearing['trades'],
  levels: readonly Level[],
): void {
  const sums = { buy: 0, sell: 0 };
  fills.forEach(({ filled }, position) => {
    const side = orders[position]?.side;
    if (side !== undefined) sums[side] += filled;
  });
  assert(sums.buy === volume && sums.sell === volume, `fills ${sums.buy} and ${sums.sell} differ from ${volume} Wh`);
  assert(trades.reduce((sum, trade) => sum + trade.energy, 0) === volume, 'the trades differ from the volume');
  const placed = levels.reduce((count, level) => count + level.positions.length, 0);
  assert(placed === orders.length, 'an order is in no level');
}
