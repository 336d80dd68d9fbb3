import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { wh } from '../units/energy.ts';
import type { CallResult } from './call-clearing.ts';
import { pairCallFills } from './call-trades.ts';
import { ORDER_FATES, type Rationing } from './order.ts';
import { bestOf, bookPrice, buy, clear, flat, limit, type Street, sell, surplusOf, TICK } from './zonal-street.ts';

function streets(options: { zones: number; orders: number; energy: number; ticks: number; capacity: number }) {
  return fc.integer({ min: 2, max: options.zones }).chain((zones) => {
    const zone = fc.nat(zones - 1);
    const row = fc.record({
      zone,
      isBuy: fc.boolean(),
      limit: fc.integer({ min: -options.ticks, max: options.ticks }).map((ticks) => ticks * TICK),
      energy: fc.integer({ min: 1, max: options.energy }),
      member: fc.nat(5),
    });
    const line = fc
      .record({
        from: zone,
        to: zone,
        capacity: fc.integer({ min: 0, max: options.capacity }).map((energy) => wh(energy)),
      })
      .filter(({ from, to }) => from !== to);
    return fc.record({
      rows: fc.array(row, { maxLength: options.orders }),
      fees: fc.array(fc.constantFrom(0, 0, 7, 10, 25), { minLength: zones, maxLength: zones }),
      limits: fc.array(line, { maxLength: zones * 2 }),
    });
  });
}

const small = streets({ zones: 4, orders: 9, energy: 3, ticks: 4, capacity: 4 });
const large = streets({ zones: 6, orders: 120, energy: 5000, ticks: 25, capacity: 20_000 });
const any = fc.oneof(small, streets({ zones: 3, orders: 30, energy: 9, ticks: 2, capacity: 12 }), large);
const rationings = fc.constantFrom<Rationing>('pro-rata', 'price-time');

describe('zones', () => {
  test('no trades within the limits and fees have a larger surplus, or the same and more volume', () => {
    fc.assert(
      fc.property(small, rationings, (street, rationing) => {
        const { filled, volume } = clear(street, rationing);
        expect({ surplus: surplusOf(street, filled), volume }).toEqual(bestOf(street));
      }),
      { numRuns: 1000 },
    );
  });

  test('every flow is within its limit, and carries what the zones sell and buy', () => {
    fc.assert(
      fc.property(any, rationings, (street, rationing) => {
        const { filled, flows, deliveries, volume } = clear(street, rationing);
        for (const { from, to, energy } of flows) {
          const capacities = street.limits.filter((line) => line.from === from && line.to === to);
          expect(energy).toBeGreaterThan(0);
          expect(energy).toBeLessThanOrEqual(capacities.reduce((sum, line) => sum + line.capacity, 0));
        }
        const net = street.fees.map(() => ({ traded: 0, flowing: 0, delivered: 0 }));
        const add = (zone: number, word: 'traded' | 'flowing' | 'delivered', energy: number) => {
          const row = net[zone];
          if (row !== undefined) row[word] += energy;
        };
        street.rows.forEach((row, at) => {
          add(row.zone, 'traded', (row.isBuy ? -1 : 1) * (filled[at] ?? 0));
        });
        for (const { from, to, energy } of flows) [add(from, 'flowing', energy), add(to, 'flowing', -energy)];
        for (const { from, to, energy } of deliveries) [add(from, 'delivered', energy), add(to, 'delivered', -energy)];
        for (const { traded, flowing, delivered } of net) expect([flowing, delivered]).toEqual([traded, traded]);
        expect(deliveries.reduce((sum, { energy }) => sum + energy, 0)).toBe(volume);
      }),
      { numRuns: 500 },
    );
  });

  test('flows take the fewest limits: none could be turned round and come out shorter', () => {
    fc.assert(
      fc.property(any, rationings, (street, rationing) => {
        const { flows } = clear(street, rationing);
        const flowOf = (from: number, to: number) => flows.find((f) => f.from === from && f.to === to)?.energy ?? 0;
        const zones = [...street.fees.keys()];
        const costs = zones.map((from) =>
          zones.map((to) => {
            const lines = street.limits.filter((line) => line.from === from && line.to === to);
            const room = lines.reduce((sum, line) => sum + line.capacity, 0) - flowOf(from, to);
            if (flowOf(to, from) > 0) return -1;
            return room > 0 ? 1 : Number.POSITIVE_INFINITY;
          }),
        );
        const cost = (from: number, to: number) => costs[from]?.[to] ?? Number.POSITIVE_INFINITY;
        for (const via of zones) {
          for (const from of zones) {
            for (const to of zones) {
              const row = costs[from];
              if (row !== undefined) row[to] = Math.min(cost(from, to), cost(from, via) + cost(via, to));
            }
          }
        }
        for (const zone of zones) expect(cost(zone, zone)).toBeGreaterThanOrEqual(0);
      }),
      { numRuns: 500 },
    );
  });

  test('a flow that turns out to be in the way is taken back', () => {
    const rows = [sell(0, 80, 1), sell(1, 80, 1), buy(2, 300, 1), buy(3, 300, 1)];
    const limits = [limit(0, 2, 1), limit(0, 3, 1), limit(1, 2, 1), limit(1, 4, 1), limit(4, 3, 1)];
    const { flows } = clear({ rows, fees: [0, 0, 0, 0, 0], limits });
    expect(flows).toEqual([
      { from: 0, to: 3, energy: 1 },
      { from: 1, to: 2, energy: 1 },
    ]);
  });

  test('what buyers pay is what sellers get and the rent, which is never below zero, trade by trade', () => {
    fc.assert(
      fc.property(any, rationings, (street, rationing) => {
        const result = clear(street, rationing);
        let [paid, received, rent] = [0n, 0n, 0n];
        const calls = flat(street);
        const { buys, sells, energies } = pairCallFills(calls, result, rationing);
        const traded = new Int32Array(street.rows.length);
        for (const [at, energy] of energies.entries()) {
          const [buyer, seller] = [buys[at] ?? -1, sells[at] ?? -1];
          const [buyPrice, sellPrice] = [result.prices[calls.zone(buyer)], result.prices[calls.zone(seller)]];
          expect(buyPrice).toBeGreaterThanOrEqual(sellPrice ?? Number.POSITIVE_INFINITY);
          rent += BigInt((buyPrice ?? 0) - (sellPrice ?? 0)) * BigInt(energy);
          traded[buyer] = (traded[buyer] ?? 0) + energy;
          traded[seller] = (traded[seller] ?? 0) + energy;
        }
        expect(traded).toEqual(result.filled);
        street.rows.forEach(({ zone, isBuy }, at) => {
          const amount = BigInt(result.prices[zone] ?? 0) * BigInt(result.filled[at] ?? 0);
          if (isBuy) paid += amount;
          else received += amount;
        });
        expect(paid - received).toBe(result.rent);
        expect(rent).toBe(result.rent);
      }),
      { numRuns: 500 },
    );
  });

  test('energy flows from a price to one that is not below it, and stops short of its limit only at one price', () => {
    fc.assert(
      fc.property(any, rationings, (street, rationing) => {
        const { prices, flows } = clear(street, rationing);
        const zones = street.fees.length;
        for (let from = 0; from < zones; from++) {
          for (let to = 0; to < zones; to++) {
            const [source, target] = [prices[from] ?? null, prices[to] ?? null];
            if (source === null || target === null || from === to) continue;
            const lines = street.limits.filter((line) => line.from === from && line.to === to);
            const capacity = lines.reduce((sum, line) => sum + line.capacity, 0);
            const flow = flows.find((other) => other.from === from && other.to === to)?.energy ?? 0;
            if (flow > 0) expect(target).toBeGreaterThanOrEqual(source);
            if (flow > 0 && flow < capacity) expect(target).toBe(source);
            // With room left there is nothing to gain by sending more.
            if (flow < capacity) expect(target).toBeLessThanOrEqual(source);
          }
        }
      }),
      { numRuns: 500 },
    );
  });

  test('nobody trades beyond its limit, better prices are served first, and each fate says why', () => {
    fc.assert(
      fc.property(any, rationings, (street, rationing) => {
        const { prices, filled, fate } = clear(street, rationing);
        street.rows.forEach((row, at) => {
          const [own, price, got] = [bookPrice(street, row), prices[row.zone] ?? null, filled[at] ?? 0];
          const reaches = price !== null && (row.isBuy ? own >= price : own <= price);
          if (got > 0) expect(reaches).toBe(true);
          const unfilled = price === null ? 'no_trade' : reaches ? 'rationed_out' : 'price_not_reached';
          const expected = got === row.energy ? 'filled' : got > 0 ? 'partly_filled' : unfilled;
          expect(ORDER_FATES[fate[at] ?? -1]).toBe(expected);
          if (got === row.energy) return;
          street.rows.forEach((other, place) => {
            if (other.zone !== row.zone || other.isBuy !== row.isBuy) return;
            const isWorse = row.isBuy ? bookPrice(street, other) < own : bookPrice(street, other) > own;
            if (isWorse) expect(filled[place]).toBe(0);
          });
        });
      }),
      { numRuns: 300 },
    );
  });

  test('who reached a price strictly and is not filled has no counterpart left that energy could flow to or from', () => {
    fc.assert(
      fc.property(any, rationings, (street, rationing) => {
        const { filled, flows } = clear(street, rationing);
        const reach = reachOf(street, flows);
        const open = street.rows.filter((row, at) => (filled[at] ?? 0) < row.energy);
        for (const seller of open.filter((row) => !row.isBuy)) {
          for (const buyer of open.filter((row) => row.isBuy)) {
            const isJoined = reach[seller.zone]?.[buyer.zone];
            if (isJoined) expect(bookPrice(street, buyer)).toBeLessThan(bookPrice(street, seller));
          }
        }
      }),
      { numRuns: 300 },
    );
  });

  test('where the limits do not bind, price, volume and fills are those of one zone', () => {
    fc.assert(
      fc.property(any, rationings, (street, rationing) => {
        const ring = street.fees.flatMap((_, zone) => {
          const next = (zone + 1) % street.fees.length;
          return [limit(zone, next, 10_000_000), limit(next, zone, 10_000_000)];
        });
        const wide = clear({ ...street, limits: ring }, rationing);
        const fees = street.rows.map((row) => (row.isBuy ? bookPrice(street, row) : row.limit));
        const rows = street.rows.map((row, at) => ({ ...row, zone: 0, limit: fees[at] ?? 0 }));
        const one = clear({ rows, fees: [0], limits: [] }, rationing);
        expect(wide.prices).toEqual(street.fees.map(() => one.prices[0]));
        expect([wide.volume, wide.rent]).toEqual([one.volume, 0n]);
        expect([wide.filled, wide.fate]).toEqual([one.filled, one.fate]);
      }),
      { numRuns: 300 },
    );
  });

  test('limits that carry just what one zone would send do not bind', () => {
    fc.assert(
      fc.property(any, rationings, (street, rationing) => {
        const everywhere = street.fees.flatMap((_, from) =>
          street.fees.flatMap((__, to) => (from === to ? [] : [limit(from, to, 10_000_000)])),
        );
        const wide = clear({ ...street, limits: everywhere }, rationing);
        // Lines that carry nothing still say that all this is one market.
        const tight = everywhere.map((line) => {
          const flow = wide.flows.find(({ from, to }) => from === line.from && to === line.to)?.energy ?? 0;
          return { ...line, capacity: wh(Math.max(1, flow)) };
        });
        const again = clear({ ...street, limits: tight }, rationing);
        expect({ ...again, deliveries: [], flows: [] }).toEqual({ ...wide, deliveries: [], flows: [] });
      }),
      { numRuns: 200 },
    );
  });

  test('zones that nothing joins are markets of their own', () => {
    fc.assert(
      fc.property(any, rationings, (street, rationing) => {
        const apart = clear({ ...street, limits: [] }, rationing);
        street.fees.forEach((_, zone) => {
          const places = [...street.rows.keys()].filter((at) => street.rows[at]?.zone === zone);
          const rows = places.flatMap((at) => {
            const row = street.rows[at];
            return row === undefined ? [] : [{ ...row, zone: 0, limit: bookPrice(street, row) }];
          });
          const own = clear({ rows, fees: [0], limits: [] }, rationing);
          expect(apart.prices[zone]).toBe(own.prices[0]);
          expect(places.map((at) => apart.filled[at])).toEqual([...own.filled]);
        });
      }),
      { numRuns: 200 },
    );
  });

  test('nothing depends on arrival under pro-rata', () => {
    const shuffled = any.chain((street) =>
      fc.record({
        street: fc.constant(street),
        places: fc.shuffledSubarray([...street.rows.keys()], { minLength: street.rows.length }),
      }),
    );
    fc.assert(
      fc.property(shuffled, ({ street, places }) => {
        // One member an order, so that the tie does not go by the client order id, which is the position here.
        const rows = street.rows.map((row, member) => ({ ...row, member }));
        const moved = places.flatMap((place) => rows[place] ?? []);
        const [first, second] = [clear({ ...street, rows }), clear({ ...street, rows: moved })];
        expect({ ...second, filled: 0, fate: 0 }).toEqual({ ...first, filled: 0, fate: 0 });
        expect([...second.filled]).toEqual(places.map((place) => first.filled[place]));
      }),
      { numRuns: 300 },
    );
  });
});

describe('a street of two zones', () => {
  const fees = [0, 0];

  test('a limit that binds parts the prices, and its rent is the difference', () => {
    const rows = [sell(0, 80, 10), buy(1, 300, 10)];
    const { prices, volume, rent, flows, filled } = clear({ rows, fees, limits: [limit(0, 1, 4)] });
    expect(prices).toEqual([80, 300]);
    expect([volume, rent]).toEqual([4, 880n]);
    expect(flows).toEqual([{ from: 0, to: 1, energy: 4 }]);
    expect([...filled]).toEqual([4, 4]);
  });

  test('nothing flows against the only direction there is', () => {
    const rows = [buy(0, 300, 5), sell(1, 80, 5)];
    const { prices, volume, fate } = clear({ rows, fees, limits: [limit(0, 1, 100)] });
    expect([prices, volume]).toEqual([[null, null], 0]);
    expect([...fate].map((code) => ORDER_FATES[code])).toEqual(['no_trade', 'no_trade']);
  });

  test('the level that both zones share is shared as in one zone, as far as the limit lets it', () => {
    const rows = [sell(0, 100, 10), sell(1, 100, 10), buy(1, 100, 10)];
    expect([...clear({ rows, fees, limits: [limit(0, 1, 9)] }).filled]).toEqual([5, 5, 10]);
    expect([...clear({ rows, fees, limits: [limit(0, 1, 5)] }).filled]).toEqual([5, 5, 10]);
    expect([...clear({ rows, fees, limits: [limit(0, 1, 3)] }).filled]).toEqual([3, 7, 10]);
    const byTime = clear({ rows, fees, limits: [limit(0, 1, 9)] }, 'price-time');
    expect([...byTime.filled]).toEqual([9, 1, 10]);
  });
});

test('a zone between two others carries their energy and has a price only where it trades', () => {
  const rows = [sell(0, 80, 10), buy(2, 300, 10)];
  const limits = [limit(0, 1, 4), limit(1, 2, 4)];
  const { prices, flows, deliveries, rent } = clear({ rows, fees: [0, 0, 0], limits });
  expect(prices).toEqual([80, null, 300]);
  expect(flows.map(({ energy }) => energy)).toEqual([4, 4]);
  expect(deliveries).toEqual([{ from: 0, to: 2, energy: 4 }]);
  expect(rent).toBe(880n);
});

/** Where a further Wh could flow: along a limit that has room, or against what flows. */
function reachOf({ fees, limits }: Street, flows: CallResult['flows']): boolean[][] {
  const reach = fees.map((_, from) => fees.map((__, to) => from === to));
  const flowOf = (from: number, to: number) => flows.find((f) => f.from === from && f.to === to)?.energy ?? 0;
  fees.forEach((_, from) => {
    fees.forEach((__, to) => {
      const capacity = limits.filter((l) => l.from === from && l.to === to).reduce((sum, l) => sum + l.capacity, 0);
      const row = reach[from];
      if (row !== undefined && capacity - flowOf(from, to) + flowOf(to, from) > 0) row[to] = true;
    });
  });
  fees.forEach((_, via) => {
    fees.forEach((__, from) => {
      fees.forEach((___, to) => {
        const row = reach[from];
        if (row?.[via] && reach[via]?.[to]) row[to] = true;
      });
    });
  });
  return reach;
}
