import fc from 'fast-check';
import { expect, test } from 'vitest';
import { epochMs, formatUtc, parseUtc, plusMs } from './time.ts';

test.each([
  ['1970-01-01T00:00Z', 0],
  ['2021-02-14T23:00Z', 1_613_343_600_000],
  ['2021-02-14T23:00:00Z', 1_613_343_600_000],
  ['2021-02-14T23:00:07Z', 1_613_343_607_000],
  ['2021-02-14T23:00:00.5Z', 1_613_343_600_500],
  ['2021-02-14T23:00:00.005Z', 1_613_343_600_005],
  ['2024-02-29T00:00Z', 1_709_164_800_000],
  ['1969-12-31T23:59Z', -60_000],
])('%s is %i ms', (text, at) => {
  expect(parseUtc(text)).toBe(at);
});

test.each([
  ['a day that the month lacks', '2021-02-29T00:00Z'],
  ['the thirteenth month', '2021-13-01T00:00Z'],
  ['hour 24', '2021-02-14T24:00Z'],
  ['minute 60', '2021-02-14T23:60Z'],
  ['a leap second, which epoch time has not', '2016-12-31T23:59:60Z'],
  ['no zone', '2021-02-14T23:00'],
  ['an offset', '2021-02-14T23:00+01:00'],
  ['a date alone', '2021-02-14'],
  ['a space for the T', '2021-02-14 23:00Z'],
  ['more than milliseconds', '2021-02-14T23:00:00.0001Z'],
  ['spaces around', ' 2021-02-14T23:00Z '],
  ['a two-digit year in disguise', '0021-02-14T23:00Z'],
  ['nothing', ''],
])('%s is no instant', (_, text) => {
  expect(parseUtc(text)).toBeNull();
});

test('every instant of four digits of year survives being written and read, in the shortest text', () => {
  const years = { min: Date.UTC(100, 0, 1), max: Date.UTC(9999, 11, 31) };
  fc.assert(
    fc.property(fc.integer(years), (at) => {
      expect(parseUtc(formatUtc(epochMs(at)))).toBe(at);
    }),
  );
  expect(formatUtc(epochMs(0))).toBe('1970-01-01T00:00Z');
  expect(formatUtc(epochMs(1000))).toBe('1970-01-01T00:00:01Z');
  expect(formatUtc(epochMs(1))).toBe('1970-01-01T00:00:00.001Z');
  expect(formatUtc(epochMs(Date.UTC(12_345, 0, 1)))).toBe('+012345-01-01T00:00Z');
});

test('an instant is a whole number of milliseconds', () => {
  expect(() => epochMs(0.5)).toThrow('bug');
  expect(() => epochMs(Number.NaN)).toThrow('bug');
  expect(plusMs(epochMs(5), -10)).toBe(-5);
});
