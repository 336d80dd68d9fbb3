import fc from 'fast-check';
import { expect, test } from 'vitest';
import { wh } from '../units/energy.ts';
import type { MarketId, MemberId } from '../units/identity.ts';
import { pricePerKwh } from '../units/price.ts';
import { epochMs } from '../units/time.ts';
import type { ZoneLimit } from './book.ts';
import { naiveAreaPrice, naiveShares, type StandingOrder } from './naive-area-call.ts';
import { naiveClearCall } from './naive-call-auction.ts';
import { naiveZonalCall } from './naive-zonal-call.ts';
import type { RestingOrder } from './order.ts';

const row = fc.record({
  isBuy: fc.boolean(),
  zone: fc.integer({ min: 0, max: 2 }),
  ticks: fc.integer({ min: -4, max: 4 }),
  energy: fc.integer({ min: 1, max: 4 }),
});

type Row = typeof row extends fc.Arbitrary<infer T> ? T : never;

function standing(rows: readonly Row[], tick: number): StandingOrder[] {
  return rows.map(({ isBuy, zone, ticks, energy }, position) => ({
    memberId: `home-${position}`,
    clientOrderId: position,
    sequence: position + 1,
    isBuy,
    price: ticks === 0 ? 0 : ticks * tick,
    energy,
    zone,
  }));
}

const limits = fc.uniqueArray(
  fc.record({
    from: fc.integer({ min: 0, max: 2 }),
    to: fc.integer({ min: 0, max: 2 }),
    capacity: fc.integer({ min: 0, max: 3 }).map(wh),
  }),
  { maxLength: 4, selector: ({ from, to }) => `${from} ${to}` },
);

interface Gain {
  readonly surplus: number;
  readonly volume: number;
}

function better(a: Gain, b: Gain): Gain {
  return b.surplus > a.surplus || (b.surplus === a.surplus && b.volume > a.volume) ? b : a;
}

/** All flows on all links, and in every zone all volumes: nothing is left out. */
function exhaustiveGain(orders: readonly StandingOrder[], links: readonly ZoneLimit[]): Gain {
  let best: Gain = { surplus: 0, volume: 0 };
  for (const flows of allFlows(links)) {
    let sum: Gain | null = { surplus: 0, volume: 0 };
    for (let zone = 0; zone < 3; zone += 1) {
      const net = links.reduce((n, link, at) => {
        return n + (link.from === zone ? (flows[at] ?? 0) : 0) - (link.to === zone ? (flows[at] ?? 0) : 0);
      }, 0);
      const gain = zoneGain(
        orders.filter((order) => order.zone === zone),
        net,
      );
      sum =
        sum === null || gain === null
          ? null
          : { surplus: sum.surplus + gain.surplus, volume: sum.volume + gain.volume };
    }
    if (sum !== null) best = better(best, sum);
  }
  return best;
}

function* allFlows(links: readonly ZoneLimit[]): Generator<number[]> {
  const [first, ...rest] = links;
  if (first === undefined) yield [];
  else
    for (const others of allFlows(rest)) for (let flow = 0; flow <= first.capacity; flow += 1) yield [flow, ...others];
}

/** The best of one zone that sells `net` Wh more than it buys; `null` where it cannot. */
function zoneGain(orders: readonly StandingOrder[], net: number): Gain | null {
  const units = (isBuy: boolean) =>
    orders
      .filter((order) => order.isBuy === isBuy)
      .flatMap(({ price, energy }) => new Array<number>(energy).fill(price))
      .sort((a, b) => (isBuy ? b - a : a - b));
  const [buys, sells] = [units(true), units(false)];
  const sum = (prices: readonly number[]) => prices.reduce((a, b) => a + b, 0);
  let best: Gain | null = null;
  for (let bought = 0; bought <= buys.length; bought += 1) {
    const sold = bought + net;
    if (sold < 0 || sold > sells.length) continue;
    const gain = { surplus: sum(buys.slice(0, bought)) - sum(sells.slice(0, sold)), volume: bought };
    best = best === null ? gain : better(best, gain);
  }
  return best;
}

function gainOf(orders: readonly StandingOrder[], zones: ReturnType<typeof naiveZonalCall>): Gain {
  let [surplus, volume] = [0, 0];
  for (const [zone, { bought, sold }] of zones.entries()) {
    for (const [isBuy, energy] of [
      [true, bought],
      [false, sold],
    ] as const) {
      const side = orders.filter((order) => order.zone === zone && order.isBuy === isBuy);
      for (const [order, share] of naiveShares(side, energy, 'price-time'))
        surplus += (isBuy ? 1 : -1) * order.price * share;
    }
    volume += bought;
  }
  return { surplus, volume };
}

test('zones with limits take the surplus, then the volume, that trying all flows finds', () => {
  fc.assert(
    fc.property(fc.array(row, { maxLength: 9 }), limits, fc.constantFrom(1, 7), (rows, links, tick) => {
      const orders = standing(rows, tick);
      expect(gainOf(orders, naiveZonalCall(orders, 3, links, tick))).toEqual(exhaustiveGain(orders, links));
    }),
    { numRuns: 3000 },
  );
});

test('one area has the price and the fills of the call that tries every tick', () => {
  fc.assert(
    fc.property(fc.array(row, { maxLength: 14 }), fc.constantFrom(1, 7, 100), (rows, tick) => {
      const orders = standing(rows, tick);
      const resting = orders.map(
        ({ memberId, clientOrderId, sequence, isBuy, price, energy }): RestingOrder => ({
          market: 'elm' as MarketId,
          product: epochMs(0),
          member: memberId as MemberId,
          type: 'limit',
          side: isBuy ? 'buy' : 'sell',
          limit: pricePerKwh(price),
          energy: wh(energy),
          clientOrderId,
          sequence,
        }),
      );
      const clearing = naiveClearCall(resting, { tick, rationing: 'pro-rata' });
      expect(naiveAreaPrice(orders, tick)).toBe(clearing.price);
      const side = (isBuy: boolean) =>
        naiveShares(
          orders.filter((o) => o.isBuy === isBuy),
          clearing.traded,
          'pro-rata',
        );
      const shares = new Map([...side(true), ...side(false)]);
      expect(orders.map((order) => shares.get(order))).toEqual(clearing.fills.map(({ filled }) => filled));
    }),
    { numRuns: 300 },
  );
});
