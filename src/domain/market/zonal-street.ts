import { wh } from '../units/energy.ts';
import { floorToTick, pricePerKwh } from '../units/price.ts';
import type { ZoneLimit } from './book.ts';
import { type CallClearingRules, type CallOrders, type CallResult, clearCallOrders } from './call-clearing.ts';
import { CALL_KEY, CALL_OPEN, CALL_STRIDE } from './call-levels.ts';
import type { Rationing } from './order.ts';

/** One order of a test. `limit` is all-in; what counts is the book price. */
interface Row {
  readonly zone: number;
  readonly isBuy: boolean;
  readonly limit: number;
  readonly energy: number;
  readonly member: number;
}

/** Zones, their orders, and what may flow between them: what the tests of zonal clearing make and clear. */
export interface Street {
  readonly rows: readonly Row[];
  readonly fees: readonly number[];
  readonly limits: readonly ZoneLimit[];
}

/** Micro-currency per kWh. */
export const TICK = 10;
export const limit = (from: number, to: number, capacity: number): ZoneLimit => ({ from, to, capacity: wh(capacity) });
export const buy = (zone: number, price: number, energy: number, member = 0): Row => ({
  zone,
  isBuy: true,
  limit: price,
  energy,
  member,
});
export const sell = (zone: number, price: number, energy: number, member = 0): Row => ({
  zone,
  isBuy: false,
  limit: price,
  energy,
  member,
});

/** In ticks: a buyer's fee is taken off its limit, and the tick's floor goes down. */
export function bookPrice({ fees }: Street, { isBuy, limit: allIn, zone }: Row): number {
  return floorToTick(allIn - (isBuy ? (fees[zone] ?? 0) : 0), TICK);
}

export function flat(street: Street): CallOrders {
  const prices = street.rows.map((row) => bookPrice(street, row));
  const base = Math.min(0, ...prices);
  const steps = prices.map((price) => (price - base) / TICK);
  const hot = new Int32Array(street.rows.length * CALL_STRIDE);
  street.rows.forEach((row, position) => {
    hot[position * CALL_STRIDE + CALL_OPEN] = row.energy;
    hot[position * CALL_STRIDE + CALL_KEY] = (steps[position] ?? 0) * 2 + (row.isBuy ? 0 : 1);
  });
  return {
    hot,
    count: street.rows.length,
    base: pricePerKwh(base),
    ticks: Math.max(0, ...steps) + 1,
    memberRank: (position) => street.rows[position]?.member ?? 0,
    clientOrderId: (position) => position,
    zone: (position) => street.rows[position]?.zone ?? 0,
  };
}

function rulesOf({ fees, limits }: Street, rationing: Rationing): CallClearingRules {
  return { tick: TICK, rationing, fees: fees.map((fee) => pricePerKwh(fee)), zoneLimits: limits };
}

export function clear(street: Street, rationing: Rationing = 'pro-rata'): CallResult {
  return clearCallOrders(flat(street), rulesOf(street, rationing));
}

/** Of the book prices, nano-currency. */
export function surplusOf(street: Street, filled: Int32Array): number {
  return street.rows.reduce((sum, row, at) => {
    return sum + (row.isBuy ? 1 : -1) * bookPrice(street, row) * (filled[at] ?? 0);
  }, 0);
}

/**
 * The largest surplus, and the largest volume that has it, by trying everything. A zone by itself: for each net export
 * its best trades. Then every combination of net exports that no cut of the network forbids (Gale and Hoffman: what the
 * zones of any set sell together fits the limits that leave it).
 */
export function bestOf(street: Street): { surplus: number; volume: number } {
  const zones = street.fees.length;
  const own = street.fees.map((_, zone) => bestByExport(street, zone));
  let best = { surplus: 0, volume: 0 };
  const tryAll = (zone: number, exports: readonly number[], sum: { surplus: number; volume: number }): void => {
    if (zone === zones) {
      if (exports.reduce((a, b) => a + b, 0) !== 0 || !fits(street, exports)) return;
      if (isBetter(sum, best)) best = sum;
      return;
    }
    for (const [net, part] of own[zone] ?? []) {
      tryAll(zone + 1, [...exports, net], { surplus: sum.surplus + part.surplus, volume: sum.volume + part.volume });
    }
  };
  tryAll(0, [], best);
  return best;
}

function isBetter(a: { surplus: number; volume: number }, b: { surplus: number; volume: number }): boolean {
  return a.surplus > b.surplus || (a.surplus === b.surplus && a.volume > b.volume);
}

function bestByExport(street: Street, zone: number): Map<number, { surplus: number; volume: number }> {
  const units = (isBuy: boolean) =>
    street.rows
      .filter((row) => row.zone === zone && row.isBuy === isBuy)
      .flatMap((row) => Array.from({ length: row.energy }, () => bookPrice(street, row)))
      .sort((a, b) => (isBuy ? b - a : a - b));
  const [buys, sells] = [units(true), units(false)];
  const best = new Map<number, { surplus: number; volume: number }>();
  for (let bought = 0; bought <= buys.length; bought++) {
    for (let sold = 0; sold <= sells.length; sold++) {
      const gain = buys.slice(0, bought).reduce((a, b) => a + b, 0) - sells.slice(0, sold).reduce((a, b) => a + b, 0);
      const found = { surplus: gain, volume: bought };
      const before = best.get(sold - bought);
      if (before === undefined || isBetter(found, before)) best.set(sold - bought, found);
    }
  }
  return best;
}

/** Whether no cut of the network forbids these net exports. */
export function fits({ limits, fees }: Street, exports: readonly number[]): boolean {
  for (let set = 0; set < 2 ** fees.length; set++) {
    const isIn = (zone: number) => ((set >> zone) & 1) === 1;
    const net = exports.reduce((sum, energy, zone) => sum + (isIn(zone) ? energy : 0), 0);
    const room = limits.reduce((sum, { from, to, capacity }) => sum + (isIn(from) && !isIn(to) ? capacity : 0), 0);
    if (net > room) return false;
  }
  return true;
}
