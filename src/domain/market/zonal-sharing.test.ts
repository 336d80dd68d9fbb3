import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { shareByLargestRemainder } from '../units/division.ts';
import { wh } from '../units/energy.ts';
import type { ZoneLimit } from './book.ts';
import type { Rationing } from './order.ts';
import { buy, clear, fits, sell } from './zonal-street.ts';

const rationings = fc.constantFrom<Rationing>('pro-rata', 'price-time');

describe('one level in several zones', () => {
  /** One seller a zone, all at one limit; one buyer that takes some of it. */
  const levels = fc.integer({ min: 2, max: 4 }).chain((zones) => {
    const zone = fc.nat(zones - 1);
    const line = fc.record({
      from: zone,
      to: zone,
      capacity: fc.integer({ min: 0, max: 6 }).map((energy) => wh(energy)),
    });
    return fc.record({
      sells: fc.array(fc.integer({ min: 1, max: 9 }), { minLength: zones, maxLength: zones }),
      wanted: fc.integer({ min: 1, max: 20 }),
      home: zone,
      places: fc.shuffledSubarray([...new Array(zones).keys()], { minLength: zones }),
      limits: fc.array(
        line.filter(({ from, to }) => from !== to),
        { minLength: zones, maxLength: zones * 2 },
      ),
    });
  });

  test('is shared as in one zone where that can flow, else as evenly, or as early, as can flow', () => {
    fc.assert(
      fc.property(levels, rationings, ({ sells, wanted, home, places, limits }, rationing) => {
        const rows = [...places.map((zone) => sell(zone, 100, sells[zone] ?? 0, zone)), buy(home, 200, wanted, 9)];
        const street = { rows, fees: sells.map(() => 0), limits };
        const { filled, volume } = clear(street, rationing);
        const got = sells.map((_, zone) => filled[places.indexOf(zone)] ?? 0);
        const splits = splitsOf(volume, sells).filter((split) =>
          fits(
            street,
            split.map((energy, zone) => energy - (zone === home ? volume : 0)),
          ),
        );
        // A zone that no limit joins to the buyer's does not compete.
        const rivals = joinedTo(home, limits);
        const shares = shareByLargestRemainder(
          volume,
          sells.map((energy, zone) => (rivals.has(zone) ? energy : 0)),
        );
        const isAllowed = splits.some((split) => split.every((energy, zone) => energy === shares[zone]));
        if (rationing === 'price-time') {
          const inTurn = (split: readonly number[]) => places.map((zone) => split[zone] ?? 0);
          const byTurn = splits.map(inTurn).sort((a, b) => firstDifference(b, a));
          expect(inTurn(got)).toEqual(byTurn[0] ?? inTurn(got));
        } else if (isAllowed) expect(got).toEqual(shares);
        else expect(unevenness(got, sells)).toBe(Math.min(...splits.map((split) => unevenness(split, sells))));
      }),
      { numRuns: 1000 },
    );
  });
});

function joinedTo(home: number, limits: readonly ZoneLimit[]): Set<number> {
  const joined = new Set([home]);
  for (const zone of joined) {
    for (const { from, to, capacity } of limits) {
      if (capacity > 0 && (from === zone || to === zone)) joined.add(from).add(to);
    }
  }
  return joined;
}

/** Every way to take so many Wh from these. */
function splitsOf(energy: number, sells: readonly number[]): number[][] {
  const [first, ...rest] = sells;
  if (first === undefined) return energy === 0 ? [[]] : [];
  const parts = Array.from({ length: Math.min(first, energy) + 1 }, (_, part) => part);
  return parts.flatMap((part) => splitsOf(energy - part, rest).map((others) => [part, ...others]));
}

/** The sum of given^2 / offered, in whole numbers: 2520 is a multiple of 1 to 9. */
function unevenness(split: readonly number[], sells: readonly number[]): number {
  return split.reduce((sum, energy, zone) => sum + (energy * energy * 2520) / (sells[zone] ?? 1), 0);
}

function firstDifference(a: readonly number[], b: readonly number[]): number {
  const at = a.findIndex((energy, place) => energy !== b[place]);
  return at < 0 ? 0 : (a[at] ?? 0) - (b[at] ?? 0);
}
