import { expect, test } from 'vitest';
import { addWh, excessWh, MAX_ORDER_WH, minWh, sumWh, wh } from './energy.ts';
import { compareIds, isIdentifier } from './identity.ts';
import { amountOf, formatMoney, negate, sumNano } from './money.ts';
import { energyOf, meanPower, watt } from './power.ts';
import { pricePerKwh } from './price.ts';

test('energy is whole watt-hours', () => {
  expect(() => wh(0.5)).toThrow('bug');
  expect(addWh(wh(2), wh(-3))).toBe(-1);
  expect([minWh(wh(2), wh(3)), excessWh(wh(3), wh(2)), excessWh(wh(2), wh(3))]).toEqual([2, 1, 0]);
  expect(sumWh([wh(Number.MAX_SAFE_INTEGER), wh(Number.MAX_SAFE_INTEGER)])).toBe(18_014_398_509_481_982n);
});

test('the dearest order of the largest size still is exact money', () => {
  const dearest = pricePerKwh(2 ** 31 - 1);
  expect(BigInt(amountOf(dearest, wh(MAX_ORDER_WH)))).toBe(BigInt(dearest) * BigInt(MAX_ORDER_WH));
  expect(() => amountOf(dearest, wh(2 ** 23))).toThrow('not exact');
});

test('money is written with up to nine places and has no negative zero', () => {
  expect(formatMoney(amountOf(pricePerKwh(245_000), wh(10)))).toBe('0.00245');
  expect(Object.is(amountOf(pricePerKwh(-5), wh(0)), 0)).toBe(true);
  expect(Object.is(negate(amountOf(pricePerKwh(5), wh(0))), 0)).toBe(true);
  expect(formatMoney(sumNano([amountOf(pricePerKwh(-1), wh(1)), sumNano([])]))).toBe('-0.000000001');
});

test('power over time is energy, floored toward minus infinity', () => {
  expect(energyOf(watt(4000), 900_000)).toBe(1000);
  expect(energyOf(watt(1), 900_000)).toBe(0);
  expect(energyOf(watt(-1), 900_000)).toBe(-1);
  expect(meanPower(wh(1000), 900_000)).toBe(4000);
});

test('an identifier is lower case letters, digits and hyphens, at most 32', () => {
  for (const id of ['home-01', '7', 'a'.repeat(32)]) expect(isIdentifier(id)).toBe(true);
  for (const id of ['', '-a', 'Home', 'a/b', 'a.b', 'a+', 'ä', 'a'.repeat(33), 'a\n'])
    expect(isIdentifier(id)).toBe(false);
});

test('members are ordered by code unit, not by language', () => {
  expect(['home-2', 'home-10', 'b', 'B', 'ä'].sort(compareIds)).toEqual(['B', 'b', 'home-10', 'home-2', 'ä']);
});

test('power and energy convert exactly over any time, also where their product leaves the safe integers', () => {
  const year = 365 * 86_400_000;
  expect(energyOf(watt(1_000_003), year)).toBe(8_760_026_280);
  expect(energyOf(watt(-1_000_003), year)).toBe(-8_760_026_280);
  expect(meanPower(wh(8_760_026_280), year)).toBe(1_000_003);
});
