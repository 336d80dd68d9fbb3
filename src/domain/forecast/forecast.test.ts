import { expect, test } from 'vitest';
import { type Wh, wh } from '../units/energy.ts';
import { type EpochMs, epochMs, formatUtc, parseUtc } from '../units/time.ts';
import { deficitOf, type Load, surplusOf } from './load.ts';
import { perfectForecast } from './perfect.ts';
import { sameTimeYesterday, yesterdayForecast } from './yesterday.ts';

const HOUR = 3_600_000;

function load(consumption: number, generation = 0): Load {
  return { consumption: wh(consumption), generation: wh(generation) };
}

function utc(text: string): EpochMs {
  const at = parseUtc(text);
  if (at === null) throw new Error(text);
  return at;
}

test.each([
  ['an ordinary day', '2021-02-16T11:00Z', '2021-02-15T11:00Z'],
  ['the day after the clock went forward', '2021-03-29T10:00Z', '2021-03-28T10:00Z'],
  ['noon of the day the clock went forward', '2021-03-28T10:00Z', '2021-03-27T11:00Z'],
  ['an instant that the clock skipped the day before', '2021-03-29T00:30Z', '2021-03-28T01:30Z'],
  ['noon of the day the clock went back', '2021-10-31T11:00Z', '2021-10-30T10:00Z'],
  ['the second two o clock of that day', '2021-10-31T01:15Z', '2021-10-30T00:15Z'],
])('yesterday is the same local time: %s', (_, at, before) => {
  expect(formatUtc(sameTimeYesterday(utc(at), 'Europe/Berlin'))).toBe(before);
});

test('the yesterday forecast falls back to the last complete interval, then to nothing', () => {
  const at = utc('2021-02-16T11:00Z');
  const interval = { start: at, lengthMs: HOUR } as const;
  const gate = epochMs(at - 300_000);
  const yesterday = epochMs(at - 24 * HOUR);
  const measured = (known: Record<number, Load>) => (start: EpochMs) => known[start] ?? null;
  const day = { [yesterday]: load(1), [at - 2 * HOUR]: load(2), [at - HOUR]: load(3), [at]: load(4) };
  expect(yesterdayForecast(measured(day), interval, gate, yesterday)).toEqual(load(1));
  expect(yesterdayForecast(measured({ ...day, [yesterday]: undefined } as never), interval, gate, yesterday)).toEqual(
    load(2),
  );
  expect(yesterdayForecast(measured({}), interval, gate, yesterday)).toEqual(load(0));
  expect(perfectForecast(measured(day), interval)).toEqual(load(4));
});

test('own generation serves own consumption first', () => {
  const rows: [Load, number, number][] = [
    [load(300, 1000), 700, 0],
    [load(1000, 300), 0, 700],
    [load(500, 500), 0, 0],
  ];
  for (const [each, surplus, deficit] of rows) {
    expect([surplusOf(each), deficitOf(each)]).toEqual([surplus as Wh, deficit as Wh]);
  }
});
