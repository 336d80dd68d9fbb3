import { wh, ZERO_WH } from '../units/energy.ts';
import { compareIds } from '../units/identity.ts';
import { type PricePerKwh, pricePerKwh } from '../units/price.ts';
import type { CallRules } from './call-auction.ts';
import type { OrderFate, RestingOrder, Side } from './order.ts';
import type { Clearing, CurveStep, OrderFill, Trade } from './trade.ts';

/**
 * The slow twin of `clearCall`: it tries every tick, shares in exact fractions and compares every buyer with every
 * seller. The oracle of its tests and the baseline of its benchmark; nothing else may call it.
 */
export function naiveClearCall(orders: readonly RestingOrder[], { tick, rationing }: CallRules): Clearing {
  const curves = { demand: curveOf(orders, 'buy'), supply: curveOf(orders, 'sell') };
  const price = naivePrice(orders, tick);
  if (price === null) {
    const fills = orders.map((order) => fill(order, 0, 'no_trade'));
    return { price, traded: ZERO_WH, trades: [], fills, ...curves };
  }
  const volume = Math.min(energyAt(orders, 'buy', price), energyAt(orders, 'sell', price));
  const shares = new Map([
    ...naiveShares(inPriority(orders, 'buy', rationing), volume, rationing),
    ...naiveShares(inPriority(orders, 'sell', rationing), volume, rationing),
  ]);
  const fills = orders.map((order) => {
    const filled = shares.get(order) ?? 0;
    return fill(order, filled, naiveFate(order, filled, price));
  });
  const [buys, sells] = [inPriority(orders, 'buy', rationing), inPriority(orders, 'sell', rationing)];
  return { price, traded: wh(volume), trades: naiveTrades(buys, sells, shares, price), fills, ...curves };
}

function energyAt(orders: readonly RestingOrder[], side: Side, price: number): number {
  const reached = orders.filter((o) => o.side === side && (side === 'buy' ? o.limit >= price : o.limit <= price));
  return reached.reduce((sum, order) => sum + order.energy, 0);
}

function naivePrice(orders: readonly RestingOrder[], tick: number): PricePerKwh | null {
  const limits = orders.map((order) => order.limit);
  const [lowest, highest] = [limits.reduce((a, b) => Math.min(a, b), Infinity), Math.max(-Infinity, ...limits)];
  const rows: { price: number; demand: number; supply: number }[] = [];
  for (let price = lowest; price <= highest; price += tick) {
    rows.push({ price, demand: energyAt(orders, 'buy', price), supply: energyAt(orders, 'sell', price) });
  }
  const most = rows.reduce((max, row) => Math.max(max, Math.min(row.demand, row.supply)), 0);
  if (most === 0) return null;
  const largest = rows.filter((row) => Math.min(row.demand, row.supply) === most);
  const least = largest.reduce((min, row) => Math.min(min, Math.abs(row.demand - row.supply)), Infinity);
  const left = largest.filter((row) => Math.abs(row.demand - row.supply) === least);
  const [first, last] = [left.at(0), left.at(-1)];
  if (first === undefined || last === undefined) return null;
  const offset = (BigInt(last.price - first.price) * BigInt(first.demand)) / BigInt(first.demand + last.supply);
  let price = first.price;
  while (price + tick <= first.price + Number(offset)) price += tick;
  return pricePerKwh(price);
}

function inPriority(orders: readonly RestingOrder[], side: Side, rationing: CallRules['rationing']): RestingOrder[] {
  const sign = side === 'buy' ? -1 : 1;
  const tie = (a: RestingOrder, b: RestingOrder) =>
    rationing === 'price-time'
      ? a.sequence - b.sequence
      : compareIds(a.member, b.member) || a.clientOrderId - b.clientOrderId;
  return orders.filter((o) => o.side === side).sort((a, b) => sign * (a.limit - b.limit) || tie(a, b));
}

function naiveShares(
  ranked: readonly RestingOrder[],
  volume: number,
  rationing: CallRules['rationing'],
): [RestingOrder, number][] {
  return ranked.map((order) => {
    const better = ranked.filter((other) =>
      order.side === 'buy' ? other.limit > order.limit : other.limit < order.limit,
    );
    const level = ranked.filter((other) => other.limit === order.limit);
    const before = better.reduce((sum, other) => sum + other.energy, 0);
    const forLevel = Math.min(
      Math.max(0, volume - before),
      level.reduce((sum, other) => sum + other.energy, 0),
    );
    return [order, rationing === 'price-time' ? inTurn(order, level, forLevel) : inProportion(order, level, forLevel)];
  });
}

function inTurn(order: RestingOrder, level: readonly RestingOrder[], given: number): number {
  const earlier = level.slice(0, level.indexOf(order)).reduce((sum, other) => sum + other.energy, 0);
  return Math.min(order.energy, Math.max(0, given - earlier));
}

function inProportion(order: RestingOrder, level: readonly RestingOrder[], given: number): number {
  const total = level.reduce((sum, other) => sum + BigInt(other.energy), 0n);
  const parts = level.map((other) => {
    const product = BigInt(given) * BigInt(other.energy);
    return { other, whole: product / total, rest: product % total };
  });
  const left = BigInt(given) - parts.reduce((sum, part) => sum + part.whole, 0n);
  const mine = parts.findIndex((part) => part.other === order);
  const rest = parts[mine]?.rest ?? 0n;
  const ahead = parts.filter((part, rank) => part.rest > rest || (part.rest === rest && rank < mine)).length;
  return Number(parts[mine]?.whole ?? 0n) + (ahead < left ? 1 : 0);
}

/** Lays both sides end to end on one line of `volume` Wh: where a buyer's stretch and a seller's overlap, they trade. */
function naiveTrades(
  buys: readonly RestingOrder[],
  sells: readonly RestingOrder[],
  shares: ReadonlyMap<RestingOrder, number>,
  price: PricePerKwh,
): Trade[] {
  const trades: Trade[] = [];
  for (const buy of stretches(buys, shares)) {
    for (const sell of stretches(sells, shares)) {
      const overlap = Math.min(buy.to, sell.to) - Math.max(buy.from, sell.from);
      if (overlap > 0) trades.push(trade(buy.order, sell.order, overlap, price));
    }
  }
  return trades;
}

function stretches(orders: readonly RestingOrder[], shares: ReadonlyMap<RestingOrder, number>) {
  let from = 0;
  return orders.map((order) => {
    const to = from + (shares.get(order) ?? 0);
    const stretch = { order, from, to };
    from = to;
    return stretch;
  });
}

function trade(buy: RestingOrder, sell: RestingOrder, energy: number, price: PricePerKwh): Trade {
  const [buyer, buyOrder, seller, sellOrder] = [buy.member, buy.clientOrderId, sell.member, sell.clientOrderId];
  return { buyer, buyOrder, seller, sellOrder, energy: wh(energy), price };
}

function fill({ member, clientOrderId }: RestingOrder, filled: number, fate: OrderFate): OrderFill {
  return { member, clientOrderId, filled: wh(filled), fate };
}

function naiveFate(order: RestingOrder, filled: number, price: number): OrderFate {
  if (filled > 0) return filled < order.energy ? 'partly_filled' : 'filled';
  const outside = order.side === 'buy' ? order.limit < price : order.limit > price;
  return outside ? 'price_not_reached' : 'rationed_out';
}

function curveOf(orders: readonly RestingOrder[], side: Side): CurveStep[] {
  const limits = [...new Set(orders.filter((o) => o.side === side).map((o) => o.limit))].sort((a, b) => a - b);
  if (side === 'buy') limits.reverse();
  return limits.map((price) => {
    const level = orders.filter((order) => order.side === side && order.limit === price);
    return { price, energy: wh(level.reduce((sum, order) => sum + order.energy, 0)) };
  });
}
