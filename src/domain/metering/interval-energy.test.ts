import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { wh } from '../units/energy.ts';
import { type DeliveryInterval, MINUTE_MS } from '../units/interval.ts';
import { watt } from '../units/power.ts';
import { epochMs } from '../units/time.ts';
import { acceptReading, bookSubstitute, closeInterval, type MeterTrack, NEW_METER } from './interval-energy.ts';
import type { MeterReading, ReadingQuality } from './meter-reading.ts';
import { substituteEnergy } from './substitute-reading.ts';

const LENGTH = 900_000;
const LIMITS = { maxPower: watt(20_000), lengthMs: LENGTH };

function reading(minute: number, imported: number, exported = 0, quality: ReadingQuality = 'good'): MeterReading {
  const at = epochMs(minute * MINUTE_MS);
  return { at, importRegister: wh(imported), exportRegister: wh(exported), power: watt(0), quality };
}

function quarter(index: number): DeliveryInterval {
  return { start: epochMs(index * LENGTH), lengthMs: LENGTH };
}

function tracked(...readings: MeterReading[]): MeterTrack {
  return readings.reduce((track, next) => acceptReading(track, next, LIMITS).track, NEW_METER);
}

describe('a reading', () => {
  const REFUSED: [string, MeterReading, string][] = [
    ['of a stale link', reading(20, 110, 0, 'stale'), 'reading_not_good'],
    ['of bad quality', reading(20, 110, 0, 'bad'), 'reading_not_good'],
    ['of the same instant', reading(10, 100), 'reading_not_newer'],
    ['that was overtaken', reading(5, 90), 'reading_not_newer'],
    ['with a lower import register', reading(20, 99), 'counter_went_back'],
    ['with a lower export register', reading(20, 100, -1), 'counter_went_back'],
    ['that jumps further than 20 kW for 10 minutes', reading(20, 100 + 3335), 'implausible_jump'],
    ['whose export jumps', reading(20, 100, 3335), 'implausible_jump'],
  ];
  test.each(REFUSED)('%s is refused and changes nothing', (_, next, code) => {
    const track = tracked(reading(10, 100));
    expect(acceptReading(track, next, LIMITS)).toEqual({ track, verdict: { ok: false, code } });
  });

  test('at the full power of the connection is taken', () => {
    const track = tracked(reading(10, 100));
    expect(acceptReading(track, reading(20, 100 + 3334), LIMITS).verdict).toEqual({ ok: true });
  });
});

describe('the energy of an interval', () => {
  test('is the difference of both registers at its boundaries', () => {
    const { energy } = closeInterval(
      tracked(reading(0, 1000, 500), reading(7, 1020, 510), reading(15, 1050, 530)),
      quarter(0),
    );
    expect(energy).toEqual({ imported: 50, exported: 30, origin: 'metered' });
  });

  test('a reading after the end does not count yet', () => {
    const first = closeInterval(tracked(reading(0, 0), reading(14, 90), reading(16, 110)), quarter(0));
    expect(first.energy).toMatchObject({ imported: 90 });
    const next = acceptReading(first.track, reading(30, 200), LIMITS).track;
    expect(closeInterval(next, quarter(1)).energy).toMatchObject({ imported: 110 });
  });

  test('is unknown without a reading of its own, and what flowed falls into the next interval', () => {
    const silent = closeInterval(tracked(reading(0, 0)), quarter(0));
    expect(silent.energy).toBeNull();
    const next = acceptReading(silent.track, reading(30, 200), LIMITS).track;
    expect(closeInterval(next, quarter(1)).energy).toMatchObject({ imported: 200 });
  });

  test('a large connection that was silent for half a year is read like any other', () => {
    const large = { ...LIMITS, maxPower: watt(1_000_000) };
    const back = acceptReading(tracked(reading(0, 0)), reading(180 * 1440, 4_000_000), large);
    expect(back.verdict).toEqual({ ok: true });
  });

  test('a reading that comes after its interval was closed falls into the next one', () => {
    const closed = closeInterval(tracked(reading(0, 0), reading(5, 40)), quarter(0));
    const late = acceptReading(closed.track, reading(15, 90), LIMITS).track;
    const next = acceptReading(late, reading(30, 150), LIMITS).track;
    expect(closeInterval(next, quarter(1)).energy).toMatchObject({ imported: 110 });
  });

  test('what a substitute charged is not charged again', () => {
    const silent = closeInterval(tracked(reading(0, 0)), quarter(0));
    const booked = bookSubstitute(silent.track, substituteEnergy(wh(300), null));
    const second = closeInterval(acceptReading(booked, reading(30, 200), LIMITS).track, quarter(1));
    expect(second.energy).toMatchObject({ imported: 0 });
    const third = closeInterval(acceptReading(second.track, reading(45, 450), LIMITS).track, quarter(2));
    expect(third.energy).toMatchObject({ imported: 150 });
  });

  test('whatever comes late, twice or never: over time the intervals sum to the registers', () => {
    const step = fc.record({
      imported: fc.nat(100),
      exported: fc.nat(100),
      readAt: fc.constantFrom(1, 8, 15, 0),
      twice: fc.boolean(),
    });
    fc.assert(
      fc.property(fc.array(step, { minLength: 1, maxLength: 30 }), (steps) => {
        let track = tracked(reading(0, 0));
        const sum = { imported: 0, exported: 0 };
        const register = { imported: 0, exported: 0 };
        steps.concat([{ imported: 0, exported: 0, readAt: 15, twice: false }]).forEach((each, index) => {
          register.imported += each.imported;
          register.exported += each.exported;
          const next = reading(index * 15 + each.readAt, register.imported, register.exported);
          for (let n = 0; each.readAt > 0 && n < (each.twice ? 2 : 1); n += 1)
            track = acceptReading(track, next, LIMITS).track;
          const closed = closeInterval(track, quarter(index));
          track = closed.track;
          sum.imported += closed.energy?.imported ?? 0;
          sum.exported += closed.energy?.exported ?? 0;
        });
        expect(sum).toEqual(register);
      }),
    );
  });
});

describe('a gap', () => {
  /** The interval without a reading, substituted and kept open. */
  function substituted(track: MeterTrack, index: number, imported: number): MeterTrack {
    const closed = closeInterval(track, quarter(index));
    expect(closed.energy).toBeNull();
    return bookSubstitute(closed.track, substituteEnergy(wh(imported), null), quarter(index));
  }

  test('of one interval is resolved by its late reading, and the next interval is its own', () => {
    const open = substituted(tracked(reading(0, 0)), 0, 300);
    const late = [reading(15, 120, 80), reading(30, 200, 90)].reduce((t, r) => acceptReading(t, r, LIMITS).track, open);
    const { track, energy, resolved } = closeInterval(late, quarter(1));
    expect(energy).toEqual({ imported: 80, exported: 10, origin: 'metered' });
    expect(resolved).toEqual([
      [
        {
          booked: { interval: quarter(0), imported: 300, exported: 0 },
          energy: { imported: 120, exported: 80, origin: 'metered' },
        },
      ],
    ]);
    expect(track).toMatchObject({ gap: [], pending: [], settled: { imported: 200, exported: 90 } });
  });

  test('takes in the interval whose reading ends it, because that one does not begin with a reading', () => {
    const open = substituted(tracked(reading(0, 0)), 0, 300);
    const ended = substituted(acceptReading(open, reading(30, 300, 41), LIMITS).track, 1, 150);
    const next = closeInterval(acceptReading(ended, reading(45, 310, 41), LIMITS).track, quarter(2));
    expect(next.energy).toEqual({ imported: 10, exported: 0, origin: 'metered' });
    expect(next.resolved.map((gap) => gap.map(({ energy }) => energy))).toEqual([
      [
        { imported: 200, exported: 21, origin: 'substituted' },
        { imported: 100, exported: 20, origin: 'substituted' },
      ],
    ]);
  });

  test('with a late reading in the middle falls into two', () => {
    const open = [0, 1, 2].reduce((track, index) => substituted(track, index, 100), tracked(reading(0, 0)));
    const late = [reading(30, 100), reading(44, 170)].reduce((t, r) => acceptReading(t, r, LIMITS).track, open);
    const { resolved } = closeInterval(late, quarter(3));
    expect(resolved.map((gap) => gap.map(({ energy }) => energy.imported))).toEqual([[50, 50], [70]]);
  });

  test('of a meter that was never read stays as it was substituted', () => {
    const silent = bookSubstitute(NEW_METER, substituteEnergy(wh(300), null), quarter(0));
    expect(silent).toBe(NEW_METER);
  });
});
