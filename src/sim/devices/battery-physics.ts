import { floorDivide } from '../../domain/units/division.ts';
import type { BatteryPlan } from '../homes/street-plan.ts';
import { WATT_MS_PER_WH } from './energy-counter.ts';

/** What the battery was last told over model 124. Rates in hundredths of a percent of its rated power. */
export interface StorageControl {
  /** Bit 0: InWRte holds. Bit 1: OutWRte holds. 0: the battery follows its own rule. */
  readonly mode: number;
  readonly outRate: number;
  readonly inRate: number;
  /** After that many seconds without a write the mode falls back to 0; 0 is never. */
  readonly revertSeconds: number;
  /** Market time of the last write. */
  readonly writtenAt: number;
}

export const FULL_RATE = 10_000;

/**
 * The power that the battery aims at, charging positive. Left alone it serves the home: it takes the surplus and gives
 * the deficit. The limits of model 124 then narrow that to [-OutWRte, +InWRte]; where they cross, InWRte wins.
 */
export function aimedPower(plan: BatteryPlan, control: StorageControl, surplus: number): number {
  const charge = (control.mode & 1) === 0 ? FULL_RATE : control.inRate;
  const discharge = (control.mode & 2) === 0 ? FULL_RATE : control.outRate;
  const highest = wattsOf(plan, charge);
  const lowest = wattsOf(plan, -discharge);
  return Math.min(highest, Math.max(lowest, Math.min(plan.power, Math.max(-plan.power, surplus))));
}

/** Rounded the same way in both directions, so that a window without width stays without width. */
function wattsOf(plan: BatteryPlan, rate: number): number {
  const size = Math.round((Math.abs(rate) * plan.power) / FULL_RATE);
  return rate < 0 ? 0 - size : size;
}

/** Watts that reach the cells of `power` watts charging: all losses fall here. */
export function storedPower(plan: BatteryPlan, power: number): number {
  return power > 0 ? floorDivide(power * plan.roundTripPpm, 1_000_000) : power;
}

/** How long the battery can keep that power, whole milliseconds; `Infinity` at rest. `stored` in watt-milliseconds. */
export function sustainableMs(plan: BatteryPlan, stored: number, power: number): number {
  const change = storedPower(plan, power);
  if (power === 0) return Number.POSITIVE_INFINITY;
  if (power < 0) return Math.floor(stored / -change);
  return change === 0 ? 0 : Math.floor((plan.capacity * WATT_MS_PER_WH - stored) / change);
}
