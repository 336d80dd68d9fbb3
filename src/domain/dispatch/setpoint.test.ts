import { expect, test } from 'vitest';
import type { Wh } from '../units/energy.ts';
import type { Watt } from '../units/power.ts';
import { batterySetpoint } from './setpoint.ts';

const quiet = { socPermille: 500, sellAbovePermille: null, toDeliver: 0 as Wh, remainingMs: 900_000 };
const limits = { maxCharge: 3000 as Watt, maxDischarge: 2500 as Watt };

test.each([
  ['charges the surplus', -1200, 0, 1200],
  ['keeps charging what would otherwise leave', -200, 1000, 1200],
  ['serves a deficit', 800, 0, -800],
  ['stays inside its charge limit', -5000, 0, 3000],
  ['stays inside its discharge limit', 5000, 0, -2500],
])('%s', (_, pcc, battery, setpoint) => {
  expect(batterySetpoint({ ...quiet, ...limits, pcc: pcc as Watt, battery: battery as Watt })).toBe(setpoint);
});

test.each([
  ['above the threshold it exports what the sold energy still needs', 900, -2000],
  ['below it the sold energy does not touch the charge', 700, 0],
])('%s', (_, socPermille, setpoint) => {
  const sold = { sellAbovePermille: 800, toDeliver: 500 as Wh, socPermille };
  expect(batterySetpoint({ ...quiet, ...limits, ...sold, pcc: 0 as Watt, battery: 0 as Watt })).toBe(setpoint);
});
