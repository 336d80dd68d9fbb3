import { assert } from '../../domain/units/assert.ts';
import { type Wh, wh } from '../../domain/units/energy.ts';

/** Energy that flowed, exact: whole watt-hours and what is beyond them in watt-milliseconds, below one watt-hour. */
export interface EnergyCounter {
  readonly energy: Wh;
  readonly rest: number;
}

export const WATT_MS_PER_WH = 3_600_000;
export const EMPTY_COUNTER: EnergyCounter = { energy: wh(0), rest: 0 };

/** The counter after `watts` flowed for `durationMs`. Only adds: a counter never goes back. */
export function count(counter: EnergyCounter, watts: number, durationMs: number): EnergyCounter {
  assert(watts >= 0 && durationMs >= 0, 'energy flows one way through a counter');
  if (watts === 0 || durationMs === 0) return counter;
  const sum = counter.rest + watts * durationMs;
  const whole = Math.floor(sum / WATT_MS_PER_WH);
  return { energy: wh(counter.energy + whole), rest: sum - whole * WATT_MS_PER_WH };
}
