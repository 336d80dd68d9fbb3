import fc from 'fast-check';
import { expect, test } from 'vitest';
import { INTERVAL_LENGTHS, MINUTE_MS } from '../units/interval.ts';
import { type EpochMs, epochMs, formatUtc, parseUtc } from '../units/time.ts';
import {
  DEFAULT_GATE_LEAD_MS,
  DEFAULT_LOOK_AHEAD_MS,
  gateClosureOf,
  isProductOpen,
  openingOf,
  openProducts,
  type ProductSchedule,
  productsToOpen,
} from './products.ts';

const SCHEDULE: ProductSchedule = {
  lengthMs: INTERVAL_LENGTHS['15m'],
  lookAheadMs: DEFAULT_LOOK_AHEAD_MS,
  gateLeadMs: DEFAULT_GATE_LEAD_MS,
};

function utc(text: string): EpochMs {
  const at = parseUtc(text);
  if (at === null) throw new Error(text);
  return at;
}

test('a product opens four hours before delivery and its gate closes five minutes before', () => {
  const product = utc('2026-06-21T09:00Z');
  expect(formatUtc(openingOf(product, SCHEDULE))).toBe('2026-06-21T05:00Z');
  expect(formatUtc(gateClosureOf(product, SCHEDULE))).toBe('2026-06-21T08:55Z');
});

test.each([
  ['2026-06-21T08:54Z', '2026-06-21T09:00Z', '2026-06-21T12:45Z'],
  ['2026-06-21T08:54:59.999Z', '2026-06-21T09:00Z', '2026-06-21T12:45Z'],
  ['2026-06-21T08:55Z', '2026-06-21T09:15Z', '2026-06-21T12:45Z'],
  ['2026-06-21T09:00Z', '2026-06-21T09:15Z', '2026-06-21T13:00Z'],
])('at %s the products from %s to %s are open', (now, first, last) => {
  const open = openProducts(utc(now), SCHEDULE).map(({ start }) => formatUtc(start));
  expect([open.at(0), open.at(-1)]).toEqual([first, last]);
});

test('after a pause only what still takes orders is opened', () => {
  const now = utc('2026-06-21T09:00Z');
  const last = utc('2026-06-21T06:30Z');
  expect(productsToOpen(now, SCHEDULE, last)).toEqual(openProducts(now, SCHEDULE));
  expect(productsToOpen(now, SCHEDULE, utc('2026-06-21T12:45Z')).map(({ start }) => formatUtc(start))).toEqual([
    '2026-06-21T13:00Z',
  ]);
  expect(productsToOpen(now, SCHEDULE, utc('2026-06-21T13:00Z'))).toEqual([]);
});

test('a product is open from its opening until just before its gate closes', () => {
  const product = utc('2026-06-21T09:00Z');
  const open = ['04:59:59.999Z', '05:00Z', '08:54:59.999Z', '08:55Z'].map((time) => {
    return isProductOpen(product, utc(`2026-06-21T${time}`), SCHEDULE);
  });
  expect(open).toEqual([false, true, true, false]);
});

test('a schedule that closes before it opens is a bug', () => {
  expect(() => openProducts(epochMs(0), { ...SCHEDULE, lookAheadMs: DEFAULT_GATE_LEAD_MS })).toThrow('bug');
});

test('the open products are exactly the aligned ones that are open, for every length, look-ahead and lead', () => {
  const schedules = fc.record({
    lengthMs: fc.constantFrom(...Object.values(INTERVAL_LENGTHS)),
    gateLeadMs: fc.integer({ min: 0, max: 90 }).map((minutes) => minutes * MINUTE_MS),
    lookAheadMs: fc.integer({ min: 91, max: 400 }).map((minutes) => minutes * MINUTE_MS),
  });
  fc.assert(
    fc.property(schedules, fc.integer({ min: -1e12, max: 4e12 }), (schedule, at) => {
      const now = epochMs(at);
      const expected: number[] = [];
      const from = Math.floor(at / schedule.lengthMs) * schedule.lengthMs;
      for (let start = from; start <= at + schedule.lookAheadMs + schedule.lengthMs; start += schedule.lengthMs) {
        if (isProductOpen(epochMs(start), now, schedule)) expected.push(start);
      }
      expect(openProducts(now, schedule).map(({ start }) => start)).toEqual(expected);
    }),
  );
});
