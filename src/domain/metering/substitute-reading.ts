import { type Wh, ZERO_WH } from '../units/energy.ts';
import type { IntervalEnergy } from './meter-reading.ts';

/**
 * What is settled where a reading is missing at the deadline: nothing exported, and imported the larger of what was
 * bought and the same interval last week (`null`: not known). Both arguments and both energies in Wh. Flagged; what the
 * registers show beyond it, or short of it, is booked in the next interval that has a reading.
 */
export function substituteEnergy(bought: Wh, lastWeek: Wh | null): IntervalEnergy {
  const imported = lastWeek !== null && lastWeek > bought ? lastWeek : bought;
  return { imported, exported: ZERO_WH, origin: 'substituted' };
}
