import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isIdentifier } from '../../domain/units/identity.ts';
import { localTime } from '../../domain/units/interval.ts';
import { type EpochMs, epochMs, parseUtc } from '../../domain/units/time.ts';
import { createHomeProfile } from './home-profile.ts';
import { between, hash32, shuffled, unit } from './prng.ts';
import { clearSkyIrradiance, sinElevation } from './solar.ts';
import { planStreet } from './street-plan.ts';

const seeds = fc.integer({ min: 0, max: 2 ** 31 });

function instant(text: string): EpochMs {
  const at = parseUtc(text);
  if (at === null) throw new Error(text);
  return at;
}

const ELEVEN = instant('2026-06-21T09:00Z');

describe('a planned street', () => {
  test('is the same for the same seed and another for another', () => {
    expect(planStreet({ homes: 12, seed: 1 })).toEqual(planStreet({ homes: 12, seed: 1 }));
    expect(planStreet({ homes: 12, seed: 1 }).homes).not.toEqual(planStreet({ homes: 12, seed: 2 }).homes);
  });

  test('has PV and no PV from two homes on, whatever the seed', () => {
    const property = fc.property(seeds, fc.integer({ min: 2, max: 40 }), (seed, homes) => {
      const street = planStreet({ homes, seed });
      const withPv = street.homes.filter(({ pv }) => pv !== null).length;
      expect(withPv).toBeGreaterThan(0);
      expect(withPv).toBeLessThan(homes);
      expect(street.homes.map(({ id }) => id)).toEqual(street.homes.map(({ id }) => id).toSorted());
      expect(street.homes.every(({ id }) => isIdentifier(id))).toBe(true);
    });
    fc.assert(property);
  });

  test('has two thirds with PV and a third with a battery, every battery beside PV', () => {
    const { homes } = planStreet({ homes: 12, seed: 1 });
    expect(homes.map(({ id }) => id)).toContain('home-01');
    expect(homes.filter(({ pv }) => pv !== null)).toHaveLength(8);
    expect(homes.filter(({ battery }) => battery !== null)).toHaveLength(4);
    expect(homes.filter(({ battery, pv }) => battery !== null && pv === null)).toHaveLength(0);
  });

  test('has preferences inside the band or none', () => {
    for (const { sellAtLeastPermille, buyAtMostPermille, pv } of planStreet({ homes: 60, seed: 5 }).homes) {
      for (const place of [sellAtLeastPermille ?? 0, buyAtMostPermille ?? 1000]) {
        expect(place).toBeGreaterThanOrEqual(0);
        expect(place).toBeLessThanOrEqual(1000);
      }
      expect(pv !== null || sellAtLeastPermille === null).toBe(true);
    }
  });

  test.each([1, 2, 3, 4, 5, 6, 7, 8, 9, 10])('of seed %i has surplus and deficit on 21 June at eleven', (seed) => {
    const nets = planStreet({ homes: 12, seed }).homes.map((home) => {
      const { consumption, generation } = createHomeProfile(home).intervalEnergy(ELEVEN, 900_000);
      return generation - consumption;
    });
    expect(nets.filter((net) => net > 0).length).toBeGreaterThan(2);
    expect(nets.filter((net) => net < 0).length).toBeGreaterThan(2);
  });
});

describe('a home over time', () => {
  const homes = planStreet({ homes: 12, seed: 1 }).homes;

  test('gives the same at an instant whatever was asked before', () => {
    const property = fc.property(
      fc.nat(11),
      fc.array(fc.nat(400 * 1440), { minLength: 1, maxLength: 12 }),
      (index, minutes) => {
        const home = homes[index];
        if (home === undefined) throw new Error('no home');
        const asked = createHomeProfile(home);
        for (const minute of minutes) {
          const at = epochMs(ELEVEN + minute * 60_000);
          expect(asked.loadAt(at)).toBe(createHomeProfile(home).loadAt(at));
          expect(asked.generationAt(at)).toBe(createHomeProfile(home).generationAt(at));
        }
      },
    );
    fc.assert(property, { numRuns: 10 });
  });

  test('loses no watt-hour between intervals, over midnight too', () => {
    const home = homes.find(({ pv }) => pv !== null);
    if (home === undefined) throw new Error('no PV');
    const profile = createHomeProfile(home);
    const start = instant('2026-06-20T22:00Z');
    const parts = Array.from({ length: 192 }, (_, index) =>
      profile.intervalEnergy(epochMs(start + index * 900_000), 900_000),
    );
    const whole = profile.intervalEnergy(start, 192 * 900_000);
    expect(parts.reduce((sum, { consumption }) => sum + consumption, 0)).toBe(whole.consumption);
    expect(parts.reduce((sum, { generation }) => sum + generation, 0)).toBe(whole.generation);
  });

  test('an interval is the integral of the power', () => {
    const property = fc.property(fc.nat(11), fc.nat(365 * 96), (index, quarter) => {
      const home = homes[index];
      if (home === undefined) throw new Error('no home');
      const profile = createHomeProfile(home);
      const start = epochMs(instant('2026-01-01T00:00Z') + quarter * 900_000);
      const minutes = Array.from({ length: 15 }, (_, minute) => epochMs(start + minute * 60_000));
      const load = minutes.reduce((sum, at) => sum + profile.loadAt(at), 0) / 60;
      const sun = minutes.reduce((sum, at) => sum + profile.generationAt(at), 0) / 60;
      const { consumption, generation } = profile.intervalEnergy(start, 900_000);
      expect(Math.abs(consumption - load)).toBeLessThan(1);
      expect(Math.abs(generation - sun)).toBeLessThan(1);
    });
    fc.assert(property, { numRuns: 40 });
  });

  test('draws about what its plan says over a year', () => {
    const [home] = homes;
    if (home === undefined) throw new Error('no home');
    const year = createHomeProfile(home).intervalEnergy(instant('2026-01-01T00:00Z'), 365 * 86_400_000);
    expect(year.consumption / home.annualConsumption).toBeGreaterThan(0.75);
    expect(year.consumption / home.annualConsumption).toBeLessThan(1.6);
  });

  test('yields in Munich between 700 and 1200 kWh a year for each kW', () => {
    const home = homes.find(({ pv }) => pv !== null);
    if (home?.pv === undefined || home.pv === null) throw new Error('no PV');
    const year = createHomeProfile(home).intervalEnergy(instant('2026-01-01T00:00Z'), 365 * 86_400_000);
    expect(year.generation / home.pv.peak).toBeGreaterThan(700);
    expect(year.generation / home.pv.peak).toBeLessThan(1200);
  });

  test('gives nothing at night', () => {
    for (const home of homes) expect(createHomeProfile(home).generationAt(instant('2026-06-21T23:00Z'))).toBe(0);
  });
});

describe('the sun', () => {
  const munich = { latitude: 48.14, longitude: 11.58 };
  const degrees = (at: string) => (Math.asin(sinElevation(instant(at), munich)) * 180) / Math.PI;

  test.each([
    ['2026-06-21T11:16Z', 65.3],
    ['2026-12-21T11:12Z', 18.4],
    ['2026-03-20T11:21Z', 41.9],
  ])('culminates over Munich at %s at %f degrees', (at, elevation) => {
    expect(Math.abs(degrees(at) - elevation)).toBeLessThan(0.7);
    expect(degrees(at)).toBeGreaterThan(degrees(`${at.slice(0, 11)}10:30Z`));
    expect(degrees(at)).toBeGreaterThan(degrees(`${at.slice(0, 11)}12:00Z`));
  });

  test('gives under a clear sky what Haurwitz says', () => {
    expect(clearSkyIrradiance(1)).toBeCloseTo(1037.2, 1);
    expect(clearSkyIrradiance(-0.2)).toBe(0);
  });

  test('stands over a street whose clock is ahead of UTC by two hours in June', () => {
    expect(localTime(ELEVEN, 'Europe/Berlin').hour).toBe(11);
  });
});

describe('numbers from a key', () => {
  test('are spread evenly', () => {
    const buckets = new Array<number>(16).fill(0);
    for (let key = 0; key < 16_000; key += 1) {
      const bucket = Math.floor(unit(7, key) * 16);
      buckets[bucket] = (buckets[bucket] ?? 0) + 1;
    }
    for (const count of buckets) expect(Math.abs(count - 1000)).toBeLessThan(150);
  });

  test('stay in their range, and a shuffle keeps every number', () => {
    const property = fc.property(seeds, fc.integer({ min: 1, max: 50 }), (seed, count) => {
      expect(between(-3, 3, seed)).toBeGreaterThanOrEqual(-3);
      expect(between(-3, 3, seed)).toBeLessThanOrEqual(3);
      expect(shuffled(count, seed).toSorted((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, i) => i));
    });
    fc.assert(property);
  });

  test('never change: homes of saved streets depend on them', () => {
    expect([hash32(), hash32(0), hash32(1), hash32(1, 2)]).toMatchInlineSnapshot(`
      [
        0,
        2339934983,
        3553795876,
        3107942039,
      ]
    `);
  });
});
