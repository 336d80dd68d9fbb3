import { expect, test } from 'vitest';
import type { Wh } from '../../domain/units/energy.ts';
import { type EpochMs, epochMs } from '../../domain/units/time.ts';
import { createMeterDesk } from './meter-desk.ts';

function reading(at: number, imported: number) {
  return { at: epochMs(at), importRegister: imported as Wh, exportRegister: 0 as Wh };
}

function deskOf(...readings: ReturnType<typeof reading>[]) {
  const desk = createMeterDesk();
  for (const each of readings) desk.record('home-01', each);
  return (boundary: number) => desk.at('home-01', boundary as EpochMs);
}

test('the reading of a boundary is the last one at or before it', () => {
  const at = deskOf(reading(10, 1), reading(20, 2), reading(30, 3));
  expect([at(9), at(10)?.importRegister, at(29)?.importRegister, at(99)?.importRegister]).toEqual([null, 1, 2, 3]);
});

test('a reading from a clock that was far ahead hides none of those that follow', () => {
  const at = deskOf(reading(10, 1), reading(1_000_000, 2), reading(20, 3), reading(30, 4));
  expect([at(20)?.importRegister, at(30)?.importRegister]).toEqual([3, 4]);
});

test('the same instant is told once: the first stands', () => {
  expect(deskOf(reading(10, 1), reading(10, 9))(10)?.importRegister).toBe(1);
});

test('the oldest are forgotten, the newest never', () => {
  const at = deskOf(...Array.from({ length: 800 }, (_, n) => reading(n, n)));
  expect([at(799)?.importRegister, at(300)?.importRegister, at(299)]).toEqual([799, 300, null]);
});
