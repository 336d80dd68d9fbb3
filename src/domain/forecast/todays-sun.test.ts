import { expect, test } from 'vitest';
import { wh } from '../units/energy.ts';
import { type EpochMs, epochMs } from '../units/time.ts';
import type { Load } from './load.ts';
import { correctedForTodaysSun } from './todays-sun.ts';

const QUARTER = 900_000;
const DAY = 86_400_000;
const now = epochMs(Date.UTC(2026, 5, 21, 12, 2));
const end = epochMs(Date.UTC(2026, 5, 21, 12));
const terms = { lengthMs: QUARTER, timezone: 'Europe/Berlin' } as const;
const expected: Load = { consumption: wh(100), generation: wh(1001) };

/** The last hour of today and of yesterday, each of four quarters of that generation. */
function hours(today: number | null, yesterday: number) {
  return (start: EpochMs): Load | null => {
    const isToday = start >= end - 4 * QUARTER && start < end;
    const isYesterday = start >= end - DAY - 4 * QUARTER && start < end - DAY;
    if (isToday) return today === null ? null : { consumption: wh(0), generation: wh(today) };
    return isYesterday ? { consumption: wh(0), generation: wh(yesterday) } : null;
  };
}

test.each([
  ['half the sun of yesterday gives half, floored', 50, 100, 500],
  ['the same sun changes nothing', 100, 100, 1001],
  ['a clearer day is believed up to twice', 900, 100, 2002],
  ['no sun today is no generation', 0, 100, 0],
  ['a dark hour yesterday says nothing', 40, 0, 1001],
  ['an hour that was not measured says nothing', null, 100, 1001],
])('%s', (_, today, yesterday, generation) => {
  const corrected = correctedForTodaysSun(expected, hours(today, yesterday), now, terms);
  expect(corrected).toEqual({ consumption: 100, generation });
});
