import { assertSafeInteger } from './assert.ts';
import type { Brand } from './brand.ts';
import { mulDivFloor } from './division.ts';
import { type Wh, wh } from './energy.ts';

/** Power in whole watts. At the point of common coupling import is positive, export negative. */
export type Watt = Brand<number, 'Watt'>;

const MS_PER_HOUR = 3_600_000;

/** @throws a bug if `value` is not a whole number of watts */
export function watt(value: number): Watt {
  assertSafeInteger(value, 'power in W');
  return value as Watt;
}

/** The energy that constant power moves in `durationMs`, floored toward minus infinity. */
export function energyOf(power: Watt, durationMs: number): Wh {
  return wh(mulDivFloor(power, durationMs, MS_PER_HOUR));
}

/** The mean power behind an energy, floored toward minus infinity. */
export function meanPower(energy: Wh, durationMs: number): Watt {
  return watt(mulDivFloor(energy, MS_PER_HOUR, durationMs));
}
