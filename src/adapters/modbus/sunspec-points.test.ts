import { describe, expect, test } from 'vitest';
import { decodePoint, encodeWord, type PointType, type RawValue, scaleToInteger } from './sunspec-points.ts';

describe('a point', () => {
  const cases: [type: PointType, registers: number[], value: RawValue][] = [
    ['int16', [0xfff6], -10n],
    ['int16', [0x8000], null],
    ['uint16', [0xfffe], 65534n],
    ['uint16', [0xffff], null],
    ['acc16', [0], null],
    ['enum16', [0xffff], null],
    ['bitfield16', [0xffff], null],
    ['sunssf', [0xfffd], -3n],
    ['sunssf', [0x8000], null],
    ['pad', [0x8000], null],
    ['int32', [0xffff, 0xfffe], -2n],
    ['int32', [0x8000, 0], null],
    ['uint32', [0xffff, 0xffff], null],
    ['uint32', [0x0001, 0x0002], 65538n],
    ['acc32', [0, 0], null],
    ['acc32', [0xffff, 0xffff], 4294967295n],
    ['enum32', [0xffff, 0xffff], null],
    ['bitfield32', [0, 5], 5n],
    ['int64', [0x8000, 0, 0, 0], null],
    ['int64', [0xffff, 0xffff, 0xffff, 0xffff], -1n],
    ['uint64', [0xffff, 0xffff, 0xffff, 0xffff], null],
    ['uint64', [1, 0, 0, 0], 281474976710656n],
    ['acc64', [0, 0, 0, 0], null],
    ['float32', [0x42f6, 0xe979], 123.45600128173828],
    ['float32', [0x7fc0, 0], null],
    ['float32', [0xffc0, 1], null],
    ['float32', [0x4eff, 0x8000], null],
    ['string', [0x456c, 0x6d00, 0], 'Elm'],
    ['string', [0, 0], null],
  ];

  test.each(cases)('%s of %j is %s', (type, registers, value) => {
    expect(decodePoint(type, registers)).toBe(value);
  });

  test.each([
    [2301n, -1, 3, 230_100],
    [5000n, -2, 3, 50_000],
    [-15n, -1, 0, -2],
    [15n, -1, 0, 1],
    [7n, 3, 0, 7000],
    [2n ** 63n, 0, 0, null],
  ])('%s x 10^%i with %i places is %s', (raw, exponent, places, value) => {
    expect(scaleToInteger(raw, exponent, places)).toBe(value);
  });

  test.each([
    ['int16' as const, -32_767, 0x8001],
    ['int16' as const, -32_768, null],
    ['uint16' as const, 65_534, 0xfffe],
    ['uint16' as const, 65_535, null],
    ['uint16' as const, -1, null],
    ['uint16' as const, 1.5, null],
  ])('%s takes a set-point of %f as %s: never its own sentinel', (type, value, word) => {
    expect(encodeWord(type, value)).toBe(word);
  });
});
