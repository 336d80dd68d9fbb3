import { expect, test } from 'vitest';
import { FAULT_CODES, FAULT_TEXTS, lampPattern, mostSevere } from './fault-code.ts';

test('the numbers on the cabinet are those of the manual and the field notes', () => {
  expect(FAULT_CODES).toEqual({
    none: 0,
    boot: 1,
    noClearing: 2,
    voltageMismatch: 3,
    frequencyMismatch: 4,
    meterCommunication: 5,
    clock: 6,
    meshLost: 7,
    relayFeedback: 8,
  });
  expect(Object.keys(FAULT_TEXTS)).toHaveLength(9);
});

test('the most severe fault is shown', () => {
  expect(mostSevere([])).toBe(0);
  expect(mostSevere([2, 7])).toBe(7);
  expect(mostSevere([6, 5, 7])).toBe(5);
  expect(mostSevere([4, 3])).toBe(3);
  expect(mostSevere([1, 2, 3, 4, 5, 6, 7, 8])).toBe(8);
});

test('the lamp flashes as often as the code says, then pauses 1.2 s; without a fault it is steady', () => {
  expect(lampPattern(0, true)).toEqual([true]);
  expect(lampPattern(0, false)).toEqual([false]);
  expect(lampPattern(3, false)).toEqual([true, false, true, false, true, false, ...Array(6).fill(false)]);
  for (const code of [1, 2, 3, 4, 5, 6, 7, 8] as const) {
    expect(lampPattern(code, true).filter(Boolean)).toHaveLength(code);
  }
});
