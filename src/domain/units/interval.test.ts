import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  INTERVAL_LENGTHS,
  intervalAt,
  intervalEnd,
  intervalsOfLocalDay,
  isAligned,
  localTime,
  startOfLocalDay,
  utcOffsetMs,
} from './interval.ts';
import { epochMs, formatUtc, parseUtc } from './time.ts';

const lengths = fc.constantFrom(...Object.values(INTERVAL_LENGTHS));
const day = (text: string) => {
  const [year = 0, month = 0, date = 0] = text.split('-').map(Number);
  return { year, month, day: date };
};

test('every instant lies in exactly one aligned, half-open interval', () => {
  fc.assert(
    fc.property(fc.integer({ min: -1e13, max: 1e13 }), lengths, (at, lengthMs) => {
      const interval = intervalAt(epochMs(at), lengthMs);
      expect(isAligned(interval.start, lengthMs)).toBe(true);
      expect(interval.start <= at && at < intervalEnd(interval)).toBe(true);
      expect(intervalAt(intervalEnd(interval), lengthMs).start).toBe(intervalEnd(interval));
    }),
  );
});

describe('a local day has', () => {
  test.each([
    ['an ordinary day in Berlin', 'Europe/Berlin', '2026-06-21', 24],
    ['Berlin, clocks forward', 'Europe/Berlin', '2026-03-29', 23],
    ['Berlin, clocks back', 'Europe/Berlin', '2026-10-25', 25],
    ['Los Angeles, clocks forward', 'America/Los_Angeles', '2016-03-13', 23],
    ['Los Angeles, clocks back', 'America/Los_Angeles', '2016-11-06', 25],
    ['New York, leap day', 'America/New_York', '2024-02-29', 24],
    ['Sydney, clocks back in April', 'Australia/Sydney', '2026-04-05', 25],
    ['Sao Paulo, midnight skipped', 'America/Sao_Paulo', '2018-11-04', 23],
    ['Sao Paulo, the day that ends twice', 'America/Sao_Paulo', '2018-02-17', 25],
    ['Havana, midnight twice', 'America/Havana', '2019-11-03', 25],
    ['UTC', 'UTC', '2026-03-29', 24],
  ])('%s', (_, timezone, text, hours) => {
    for (const lengthMs of Object.values(INTERVAL_LENGTHS)) {
      const intervals = intervalsOfLocalDay(day(text), timezone, lengthMs);
      expect(intervals).toHaveLength((hours * 3_600_000) / lengthMs);
      for (const { start } of intervals) expect(localTime(start, timezone)).toMatchObject(day(text));
      const first = intervals[0]?.start ?? epochMs(0);
      expect(localTime(epochMs(first - 1), timezone).day).not.toBe(day(text).day);
    }
  });

  test('92, 96 or 100 quarter-hours', () => {
    const counts = ['2026-03-29', '2026-06-21', '2026-10-25'].map(
      (text) => intervalsOfLocalDay(day(text), 'Europe/Berlin', 900_000).length,
    );
    expect(counts).toEqual([92, 96, 100]);
  });

  test('half-hours also where the clock moves by half an hour', () => {
    expect(intervalsOfLocalDay(day('2026-04-05'), 'Australia/Lord_Howe', 1_800_000)).toHaveLength(49);
    expect(() => intervalsOfLocalDay(day('2026-04-05'), 'Australia/Lord_Howe', 3_600_000)).toThrow('not aligned');
  });
});

test('the days of a year in any zone follow each other without gap or overlap', () => {
  const zones = ['Europe/Berlin', 'America/Sao_Paulo', 'Australia/Lord_Howe', 'Asia/Kathmandu', 'Pacific/Auckland'];
  for (const timezone of zones) {
    let end = startOfLocalDay(day('2018-01-01'), timezone);
    for (let date = 0; date < 365; date += 1) {
      const local = new Date(Date.UTC(2018, 0, 1 + date)).toISOString().slice(0, 10);
      const intervals = intervalsOfLocalDay(day(local), timezone, 900_000);
      expect(intervals[0]?.start).toBe(end);
      end = epochMs((intervals.at(-1)?.start ?? 0) + 900_000);
    }
    expect(end).toBe(startOfLocalDay(day('2019-01-01'), timezone));
  }
});

test.each([
  ['2026-06-21T08:54Z', 'Europe/Berlin', '10:54'],
  ['2026-12-21T23:30Z', 'Europe/Berlin', '0:30'],
  ['2026-06-21T00:00Z', 'Asia/Kathmandu', '5:45'],
  ['2026-06-21T03:00Z', 'America/Los_Angeles', '20:0'],
])('at %s the clocks of %s show %s', (text, timezone, clock) => {
  const at = parseUtc(text) ?? epochMs(0);
  const { hour, minute } = localTime(at, timezone);
  expect(`${hour}:${minute}`).toBe(clock);
});

test('the offset counts the clock ahead of UTC, before 1970 too', () => {
  expect(utcOffsetMs(epochMs(0), 'Europe/Berlin')).toBe(3_600_000);
  expect(utcOffsetMs(epochMs(-1), 'America/New_York')).toBe(-5 * 3_600_000);
  expect(formatUtc(startOfLocalDay(day('2026-06-21'), 'Europe/Berlin'))).toBe('2026-06-20T22:00Z');
});

test('a zone that does not exist is a RangeError', () => {
  expect(() => localTime(epochMs(0), 'Europe/Elm_Street')).toThrow(RangeError);
});
