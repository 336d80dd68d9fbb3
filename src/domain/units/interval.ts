import { assert } from './assert.ts';
import { floorDivide } from './division.ts';
import { type EpochMs, epochMs } from './time.ts';

/** A delivery interval: half-open `[start, start + lengthMs)`, aligned to its length in UTC. */
export interface DeliveryInterval {
  readonly start: EpochMs;
  readonly lengthMs: IntervalLengthMs;
}

export type IntervalLengthMs = 300_000 | 900_000 | 1_800_000 | 3_600_000;

export const MINUTE_MS = 60_000;
export const INTERVAL_LENGTHS = { '5m': 300_000, '15m': 900_000, '30m': 1_800_000, '1h': 3_600_000 } as const;

/** Whether an interval of that length may begin at `at`: aligned in UTC. */
export function isAligned(at: EpochMs, lengthMs: IntervalLengthMs): boolean {
  return at % lengthMs === 0;
}

/** The interval that `at` lies in. */
export function intervalAt(at: EpochMs, lengthMs: IntervalLengthMs): DeliveryInterval {
  return { start: epochMs(floorDivide(at, lengthMs) * lengthMs), lengthMs };
}

/** The first instant that the interval no longer holds. */
export function intervalEnd(interval: DeliveryInterval): EpochMs {
  return epochMs(interval.start + interval.lengthMs);
}

/** The intervals of one local calendar day: at a quarter-hour 96, and 92 or 100 on the days the clocks change. */
export function intervalsOfLocalDay(
  day: { year: number; month: number; day: number },
  timezone: string,
  lengthMs: IntervalLengthMs,
): DeliveryInterval[] {
  const first = startOfLocalDay(day, timezone);
  const next = startOfLocalDay(followingDay(day), timezone);
  assert(
    isAligned(first, lengthMs) && isAligned(next, lengthMs),
    `a day of ${timezone} is not aligned to ${lengthMs} ms`,
  );
  const intervals: DeliveryInterval[] = [];
  for (let start = first; start < next; start = epochMs(start + lengthMs)) intervals.push({ start, lengthMs });
  return intervals;
}

/** Local midnight, or where the clock skips midnight, the first instant of that day. */
export function startOfLocalDay(day: { year: number; month: number; day: number }, timezone: string): EpochMs {
  const asIfUtc = Date.UTC(day.year, day.month - 1, day.day);
  const before = utcOffsetMs(epochMs(asIfUtc - 86_400_000), timezone);
  const after = utcOffsetMs(epochMs(asIfUtc + 86_400_000), timezone);
  const candidates = [asIfUtc - before, asIfUtc - after].sort((a, b) => a - b);
  const match = candidates.find((at) => utcOffsetMs(epochMs(at), timezone) === asIfUtc - at);
  return epochMs(match ?? asIfUtc - Math.min(before, after));
}

function followingDay(day: { year: number; month: number; day: number }): { year: number; month: number; day: number } {
  const next = new Date(Date.UTC(day.year, day.month - 1, day.day + 1));
  return { year: next.getUTCFullYear(), month: next.getUTCMonth() + 1, day: next.getUTCDate() };
}

/** How far the local clock is ahead of UTC at that instant. */
export function utcOffsetMs(at: EpochMs, timezone: string): number {
  const local = localTime(at, timezone);
  const asIfUtc = Date.UTC(local.year, local.month - 1, local.day, local.hour, local.minute, local.second);
  return asIfUtc - floorDivide(at, 1000) * 1000;
}

export interface LocalTime {
  readonly year: number;
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
}

const FORMATS = new Map<string, Intl.DateTimeFormat>();

/** The wall clock of that place. @throws RangeError for a time zone that the runtime does not know */
export function localTime(at: EpochMs, timezone: string): LocalTime {
  let format = FORMATS.get(timezone);
  if (format === undefined) {
    format = new Intl.DateTimeFormat('en-GB', { timeZone: timezone, hourCycle: 'h23', ...NUMERIC_PARTS });
    FORMATS.set(timezone, format);
  }
  const parts = new Map(format.formatToParts(at).map(({ type, value }) => [type, Number(value)]));
  const part = (name: keyof LocalTime) => parts.get(name) ?? 0;
  return {
    year: part('year'),
    month: part('month'),
    day: part('day'),
    hour: part('hour'),
    minute: part('minute'),
    second: part('second'),
  };
}

const NUMERIC_PARTS = {
  year: 'numeric',
  month: 'numeric',
  day: 'numeric',
  hour: 'numeric',
  minute: 'numeric',
  second: 'numeric',
} as const;
