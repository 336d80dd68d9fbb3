import { excessWh, type Wh, ZERO_WH } from '../units/energy.ts';
import type { EpochMs } from '../units/time.ts';

/** What a home uses and makes in one interval, before any battery. Wh, both positive. */
export interface Load {
  readonly consumption: Wh;
  readonly generation: Wh;
}

export const NO_LOAD: Load = { consumption: ZERO_WH, generation: ZERO_WH };

/** What was measured in the interval that starts then; `null` where it is not known (yet). */
export type MeasuredLoad = (start: EpochMs) => Load | null;

/** Generation beyond the home's own consumption. */
export function surplusOf({ consumption, generation }: Load): Wh {
  return excessWh(generation, consumption);
}

/** Consumption beyond the home's own generation. */
export function deficitOf({ consumption, generation }: Load): Wh {
  return excessWh(consumption, generation);
}
