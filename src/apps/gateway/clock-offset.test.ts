import { expect, test } from 'vitest';
import { ClockOffset } from './clock-offset.ts';

function offsetAfter(...lateness: number[]): number {
  const offset = new ClockOffset();
  for (const late of lateness) offset.observe(1_000_000, 1_000_000 + late);
  return offset.offsetMs;
}

test('without a heartbeat nothing is known, and nothing is claimed', () => {
  expect(offsetAfter()).toBe(0);
});

test('a heartbeat from the future proves at once that the clock is behind', () => {
  expect(offsetAfter(3, -75)).toBe(-75);
});

test('a slow line is no wrong clock, until sixteen heartbeats in a row are late', () => {
  expect(offsetAfter(...Array.from({ length: 15 }, () => 400))).toBe(0);
  expect(offsetAfter(...Array.from({ length: 16 }, (_, n) => 400 + n))).toBe(400);
  expect(offsetAfter(...Array.from({ length: 16 }, (_, n) => (n === 7 ? 12 : 400)))).toBe(12);
});

test('a clock that was put right counts as right after sixteen heartbeats', () => {
  const offset = new ClockOffset();
  for (let n = 0; n < 20; n += 1) offset.observe(0, -3_600_000);
  for (let n = 0; n < 16; n += 1) offset.observe(0, 4);
  expect(offset.offsetMs).toBe(4);
});

test('a clock that is half a century off is told as far as the metric reaches', () => {
  expect(offsetAfter(-1_782_032_400_000)).toBe(-2_147_483_647);
});
