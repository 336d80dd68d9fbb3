import { assert } from '../units/assert.ts';
import { compareIds } from '../units/identity.ts';
import type { Rationing } from './order.ts';

/** An order as it stands at the gate. `price` is its book price, `energy` what is open of it. */
export interface StandingOrder {
  readonly memberId: string;
  readonly clientOrderId: number;
  readonly sequence: number;
  readonly isBuy: boolean;
  readonly price: number;
  readonly energy: number;
  readonly zone: number;
}

/**
 * The price of one area, the slow way: the whole of both sides is added up at every tick where either may change. `null`
 * where nothing can trade.
 */
export function naiveAreaPrice(orders: readonly StandingOrder[], tick: number): number | null {
  const rows = candidatePrices(orders, tick).map((price) => {
    const demand = energyOf(orders.filter((order) => order.isBuy && order.price >= price));
    const supply = energyOf(orders.filter((order) => !order.isBuy && order.price <= price));
    return { price, demand, supply, volume: Math.min(demand, supply), imbalance: Math.abs(demand - supply) };
  });
  const most = Math.max(0, ...rows.map((row) => row.volume));
  if (most === 0) return null;
  const largest = rows.filter((row) => row.volume === most);
  const least = Math.min(...largest.map((row) => row.imbalance));
  const left = largest.filter((row) => row.imbalance === least);
  const [low, high] = [left.at(0), left.at(-1)];
  assert(low !== undefined && high !== undefined, 'no price is left');
  const offset = (BigInt(high.price - low.price) * BigInt(low.demand)) / (BigInt(low.demand) + BigInt(high.supply));
  return low.price + Number(offset) - (Number(offset) % tick);
}

/** Every limit and the ticks beside it: between two neighbouring limits, all ticks have the same demand and supply. */
function candidatePrices(orders: readonly StandingOrder[], tick: number): number[] {
  const limits = orders.map((order) => order.price);
  const [lowest, highest] = [Math.min(...limits), Math.max(...limits)];
  const near = limits.flatMap((limit) => [limit - tick, limit, limit + tick]);
  return [...new Set(near)].filter((price) => price >= lowest && price <= highest).sort((a, b) => a - b);
}

/** Better prices first; then by time, or, where time must not matter, by name. */
export function inPriority(side: readonly StandingOrder[], rationing: Rationing): StandingOrder[] {
  return [...side].sort(
    (a, b) =>
      (a.isBuy ? b.price - a.price : a.price - b.price) ||
      (rationing === 'price-time'
        ? a.sequence - b.sequence
        : compareIds(a.memberId, b.memberId) || a.clientOrderId - b.clientOrderId),
  );
}

/** What each order of one side gets of `volume`: level by level, the last one shared by `rationing`. */
export function naiveShares(
  side: readonly StandingOrder[],
  volume: number,
  rationing: Rationing,
): Map<StandingOrder, number> {
  const ranked = inPriority(side, rationing);
  const shares = new Map<StandingOrder, number>();
  let left = volume;
  for (const price of new Set(ranked.map((order) => order.price))) {
    const level = ranked.filter((order) => order.price === price);
    const given = Math.min(left, energyOf(level));
    const part = rationing === 'pro-rata' ? proRata(level, given) : inTurn(level, given);
    level.forEach((order, position) => {
      shares.set(order, part[position] ?? 0);
    });
    left -= given;
  }
  assert(left === 0, `${left} Wh of ${volume} found no order`);
  return shares;
}

function inTurn(level: readonly StandingOrder[], given: number): number[] {
  let left = given;
  return level.map(({ energy }) => {
    const share = Math.min(left, energy);
    left -= share;
    return share;
  });
}

/** Largest remainder in exact fractions; `level` comes in the order in which ties are broken. */
function proRata(level: readonly StandingOrder[], given: number): number[] {
  const total = BigInt(energyOf(level));
  const rows = level.map(({ energy }, position) => {
    const product = BigInt(given) * BigInt(energy);
    return { position, share: Number(product / total), remainder: product % total };
  });
  const left = given - rows.reduce((sum, row) => sum + row.share, 0);
  const byRemainder = [...rows].sort((a, b) =>
    a.remainder === b.remainder ? a.position - b.position : a.remainder > b.remainder ? -1 : 1,
  );
  for (const row of byRemainder.slice(0, left)) row.share += 1;
  return rows.map((row) => row.share);
}

function energyOf(orders: readonly StandingOrder[]): number {
  return orders.reduce((sum, order) => sum + order.energy, 0);
}
