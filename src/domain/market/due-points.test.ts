import { expect, test } from 'vitest';
import type { EpochMs } from '../units/time.ts';
import { duePoints, nextDue } from './due-points.ts';

const MINUTE = 60_000;
const HOUR = 3_600_000;
const at = (minutes: number) => (1000 * HOUR + minutes * MINUTE) as EpochMs;

test('gates and boundaries alternate, each named', () => {
  const points = duePoints(at(-6), at(15), { lengthMs: 900_000, gateLeadMs: 5 * MINUTE });
  expect(points).toEqual([
    { at: at(-5), gateOf: at(0), boundary: false },
    { at: at(0), gateOf: null, boundary: true },
    { at: at(10), gateOf: at(15), boundary: false },
    { at: at(15), gateOf: null, boundary: true },
  ]);
});

test('a gate that closes on a boundary is one point with both', () => {
  expect(nextDue(at(0), { lengthMs: 300_000, gateLeadMs: 5 * MINUTE })).toEqual({
    at: at(5),
    gateOf: at(10),
    boundary: true,
  });
});

test('a gate lead longer than an interval names a later product', () => {
  const point = nextDue(at(0), { lengthMs: 900_000, gateLeadMs: 20 * MINUTE });
  expect(point).toEqual({ at: at(10), gateOf: at(30), boundary: false });
});
