import { describe, expect, test } from 'vitest';
import type { IntervalView, NowView } from '../../adapters/http/api-schema.ts';
import type { EpochMs } from '../../domain/units/time.ts';
import { jsonNarrator, lineNarrator } from './narrator.ts';

const TELLING = { homes: 12, speed: 60, seed: 1, interlock: true, timezone: 'Europe/Berlin', currency: 'EUR' };
const URLS = {
  dashboard: 'http://127.0.0.1:8081/',
  broker: 'mqtt://127.0.0.1:1884',
  ledger: 'http://127.0.0.1:8546',
};
const START = Date.parse('2026-06-21T09:00Z') as EpochMs;
const VIEW: IntervalView = {
  interval: START,
  pricePerKwh: '0.0855',
  tradedWh: 294,
  balancedWh: 820,
  orders: 8,
  deliveredWh: 294,
  importPerKwh: '0.3',
  exportPerKwh: '0.08',
  feederImportWh: 0,
  feederExportWh: 5,
  substituted: 0,
  settledBlock: 3,
  conservation: { energyWh: '0', money: '0' },
};
const now = (energyWh: string, money: string) => ({ conservation: { energyWh, money } }) as NowView;

describe('lines', () => {
  test('heading and rows are one table, in the time of the street', () => {
    const narrator = lineNarrator(TELLING);
    const heading = narrator.opened(URLS, null).split('\n').at(-1) ?? '';
    const rows = [VIEW, { ...VIEW, pricePerKwh: null, tradedWh: 123_456, settledBlock: 100_000 }].map((view) =>
      narrator.interval(view),
    );
    expect(rows[0]).toBe('  11:00 - 11:15    0.0855 EUR     294 Wh     820 Wh     294 Wh       block 3');
    expect(rows.map(({ length }) => length)).toEqual([heading.length, heading.length]);
  });

  test('the opening says where everything listens, and where an earlier run was left', () => {
    const narrator = lineNarrator(TELLING);
    for (const url of Object.values(URLS)) expect(narrator.opened(URLS, null)).toContain(url);
    expect(narrator.opened(URLS, null)).not.toContain('goes on at');
    expect(narrator.opened(URLS, START)).toContain('It goes on at 11:00');
  });

  test('without the interlock every line says so', () => {
    const narrator = lineNarrator({ ...TELLING, interlock: false });
    expect(narrator.interval(VIEW)).toMatch(/NO INTERLOCK$/);
    expect(narrator.opened(URLS, null)).toMatch(/NO INTERLOCK$/);
  });

  test('the last line says whether every sum is zero', () => {
    const narrator = lineNarrator(TELLING);
    expect(narrator.summary(now('0', '0'), [VIEW])).toMatch(/1 interval settled, 294 Wh traded.*every sum is zero/);
    expect(narrator.summary(now('-1', '-0.00008'), [VIEW, VIEW])).toMatch(
      /2 intervals .*NOT ZERO: -1 Wh, -0.00008 EUR/,
    );
  });
});

test('as JSON every told line is one object and the opening is none', () => {
  const narrator = jsonNarrator(TELLING);
  expect(narrator.opened(URLS, START)).toBe('');
  expect(JSON.parse(narrator.interval(VIEW))).toEqual({
    ...VIEW,
    interval: '2026-06-21T09:00:00.000Z',
    interlock: true,
  });
  expect(JSON.parse(narrator.summary(now('0', '0'), [VIEW, VIEW]))).toEqual({
    intervals: 2,
    tradedWh: 588,
    balancedWh: 1640,
    deliveredWh: 588,
    conservation: { energyWh: '0', money: '0' },
  });
});
