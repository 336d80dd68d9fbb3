import { expect, test } from 'vitest';
import { createFormat, shift, signum } from './format.ts';

const english = createFormat('en-GB', 'EUR', 'Europe/Berlin');
const german = createFormat('de-DE', 'EUR', 'Europe/Berlin');
/** ICU sets no-break and narrow spaces; which one is not our matter. */
const plain = (text: string) => text.replace(/\s/gu, ' ');

test('moves the decimal point of an integer without arithmetic', () => {
  const rows: [number, number, string][] = [
    [0, 3, '0.000'],
    [7, 3, '0.007'],
    [-1234, 3, '-1.234'],
    [1_000_000, 3, '1000.000'],
    [995, 1, '99.5'],
  ];
  for (const [value, digits, text] of rows) expect(shift(value, digits)).toBe(text);
});

test('prints money of any size from its text, rounded toward minus infinity', () => {
  expect(english.money('3062.14462')).toBe('€3,062.144');
  expect(english.money('-0.0001')).toBe('-€0.001');
  expect(english.money('12345678901234567.123999999')).toBe('€12,345,678,901,234,567.123');
  expect(plain(german.money('1234.5'))).toBe('1.234,500 €');
});

test('gives a change its sign and zero none', () => {
  expect(english.change('0.25')).toBe('+€0.250');
  expect(english.change('-0.25')).toBe('-€0.250');
  expect(english.change('0')).toBe('€0.000');
});

test('prints a price in full', () => {
  expect(english.price('0.19')).toBe('0.190');
  expect(english.price('0.171234')).toBe('0.171234');
  expect(german.price('-0.05')).toBe('-0,050');
});

test('prints energy, power and charge from integers', () => {
  expect(english.energy(1234)).toBe('1.234 kWh');
  expect(german.energy(1_234_567)).toBe('1.234,567 kWh');
  expect(english.power(-2310)).toBe('2.31 kW');
  expect(english.percent(437)).toBe('44 %');
});

test('tells the time of the community, also on the day its clock changes', () => {
  expect(english.time(Date.UTC(2026, 5, 21, 8, 54))).toBe('10:54');
  expect(english.clock(Date.UTC(2026, 9, 25, 0, 59, 59))).toBe('02:59:59');
  expect(english.clock(Date.UTC(2026, 9, 25, 1, 0, 0))).toBe('02:00:00');
});

test('knows the sign of a decimal text', () => {
  expect(['0', '-0', '0.000', '-0.001', '12'].map(signum)).toEqual([0, 0, 0, -1, 1]);
});
