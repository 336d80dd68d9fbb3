import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { formatDecimal, parseDecimal } from './decimal.ts';

describe('reading', () => {
  test.each([
    ['0.30', 6, 300_000],
    ['0.3000000000', 6, 300_000],
    ['-0.08', 6, -80_000],
    ['+1', 6, 1_000_000],
    [' 12 ', 0, 12],
    ['12.0', 0, 12],
    ['007.5', 1, 75],
    ['0.000001', 6, 1],
    ['9007199254740991', 0, Number.MAX_SAFE_INTEGER],
    ['-9007199254740991', 0, -Number.MAX_SAFE_INTEGER],
  ])('%s to %i places is %i', (text, places, scaled) => {
    expect(parseDecimal(text, places)).toBe(scaled);
  });

  test('minus nothing is plain zero', () => {
    expect(parseDecimal('-0.00', 6)).toBe(0);
  });

  test.each([
    ['more places than there are', '0.0000001', 6],
    ['a fraction where whole numbers are asked for', '1.5', 0],
    ['an exponent', '1e3', 6],
    ['a comma', '0,30', 6],
    ['hexadecimal', '0x10', 6],
    ['no digit before the point', '.5', 6],
    ['no digit after it', '5.', 6],
    ['two signs', '--1', 6],
    ['a sign alone', '-', 6],
    ['nothing', '', 6],
    ['not a number', 'NaN', 6],
    ['endless', 'Infinity', 6],
    ['grouped digits', '1_000', 6],
    ['other digits', '٣', 6],
    ['a size that no double holds exactly', '9007199254740993', 0],
    ['a size that scaling takes out of the safe integers', '9007199254.740993', 6],
    ['digits without end', '9'.repeat(400), 0],
  ])('refuses %s', (_, text, places) => {
    expect(parseDecimal(text, places)).toBeNull();
  });
});

describe('writing', () => {
  test.each([
    [300_000, 6, '0.3'],
    [-80_000, 6, '-0.08'],
    [0, 6, '0'],
    [-0, 6, '0'],
    [1, 9, '0.000000001'],
    [-1, 9, '-0.000000001'],
    [100, 0, '100'],
    [3_062_144_620_000n, 9, '3062.14462'],
    [-(10n ** 30n), 9, `-1${'0'.repeat(21)}`],
  ])('%s with %i places is %s', (scaled, places, text) => {
    expect(formatDecimal(scaled, places)).toBe(text);
  });

  test('and reading are inverse, and the text has no trailing zero', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), fc.integer({ min: 0, max: 12 }), (scaled, places) => {
        const text = formatDecimal(scaled, places);
        expect(parseDecimal(text, places)).toBe(scaled);
        expect(text).not.toMatch(/\.\d*0$|\.$|^-0$/);
      }),
    );
  });
});
