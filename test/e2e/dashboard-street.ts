import { clearCall } from '../../src/domain/market/call-auction.ts';
import type { RestingOrder } from '../../src/domain/market/order.ts';
import type { Clearing } from '../../src/domain/market/trade.ts';
import type { IntervalSettlement } from '../../src/domain/settlement/interval-settlement.ts';
import { settleInterval } from '../../src/domain/settlement/single-supply.ts';
import { wh } from '../../src/domain/units/energy.ts';
import type { MarketId, MemberId } from '../../src/domain/units/identity.ts';
import { pricePerKwh } from '../../src/domain/units/price.ts';
import { epochMs } from '../../src/domain/units/time.ts';

/** The market behind the dashboard's tests: plans of twelve homes, cleared and settled by the domain. */

export const MARKET = 'elm-street' as MarketId;
export const LENGTH_MS = 900_000;
const TICK = 100;
export const TARIFF = { importPrice: pricePerKwh(300_000), exportPrice: pricePerKwh(80_000) };
/** 2026-06-21 06:00 in Berlin. */
export const FIRST = Date.UTC(2026, 5, 21, 4, 0);
const HOMES = 12;

export interface Cleared {
  readonly interval: number;
  readonly clearing: Clearing;
  readonly orders: number;
}

export function memberIds(): MemberId[] {
  return Array.from({ length: HOMES }, (_, index) => `home-${String(index + 1).padStart(2, '0')}` as MemberId);
}

/** What a home wants from the street in an interval: surplus positive. Two of three have a roof, every fourth a battery. */
export function plan(
  home: number,
  interval: number,
): { readonly pv: number; readonly load: number; readonly battery: number } {
  const hour = ((interval - FIRST) / 3_600_000 + 6) % 24;
  const sun = Math.max(0, Math.sin(((hour - 5) / 16) * Math.PI));
  const pv = home % 3 === 2 ? 0 : Math.round((900 + ((home * 370) % 700)) * sun);
  const load = 110 + ((home * 157 + Math.floor(hour * 4) * 89) % 260) + (hour > 6.5 && hour < 9 ? 180 : 0);
  const battery = home % 4 === 0 && pv > load ? Math.min(400, Math.floor((pv - load) / 2)) : 0;
  return { pv, load, battery };
}

function surplus(home: number, interval: number): number {
  const { pv, load, battery } = plan(home, interval);
  return pv - load - battery;
}

export function clearAt(interval: number): Cleared {
  const orders = memberIds().flatMap((member, home): RestingOrder[] => {
    const energy = surplus(home, interval);
    if (energy === 0) return [];
    const side = energy > 0 ? 'sell' : 'buy';
    const limit = pricePerKwh(side === 'sell' ? 80_000 + (home % 3) * 35_000 : 300_000 - (home % 4) * 41_000);
    const key = { market: MARKET, product: epochMs(interval), member, clientOrderId: 1 };
    return [{ ...key, side, type: 'limit', limit, energy: wh(Math.abs(energy)), sequence: home + 1 }];
  });
  return { interval, clearing: clearCall(orders, { tick: TICK, rationing: 'pro-rata' }), orders: orders.length };
}

/** The meters say a little more or less than was planned. */
export function settlementOf({ interval, clearing }: Cleared): IntervalSettlement {
  let feeder = 0;
  const members = memberIds().map((member, home) => {
    const metered = surplus(home, interval) + ((home * 31 + interval / LENGTH_MS) % 41) - 20;
    feeder -= metered;
    const [exported, imported] = [wh(Math.max(0, metered)), wh(Math.max(0, -metered))];
    const bought = sum(clearing.trades.filter((trade) => trade.buyer === member).map(({ energy }) => energy));
    const sold = sum(clearing.trades.filter((trade) => trade.seller === member).map(({ energy }) => energy));
    return { member, bought: wh(bought), sold: wh(sold), energy: { imported, exported, origin: 'metered' as const } };
  });
  return settleInterval({
    market: MARKET,
    interval: { start: epochMs(interval), lengthMs: LENGTH_MS },
    tariff: TARIFF,
    tick: TICK,
    clearingPrice: clearing.price,
    members,
    feeder: { imported: wh(Math.max(0, feeder)), exported: wh(Math.max(0, -feeder)) },
    balancing: true,
  });
}

export function sum(terms: readonly number[]): number {
  return terms.reduce((total, term) => total + term, 0);
}
