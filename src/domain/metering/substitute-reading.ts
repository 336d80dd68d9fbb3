import { shareByLargestRemainder } from '../units/division.ts';
import { type Wh, wh, ZERO_WH } from '../units/energy.ts';
import type { DeliveryInterval } from '../units/interval.ts';
import type { IntervalEnergy } from './meter-reading.ts';

/**
 * What is settled where a reading is missing at the deadline: nothing exported, and imported the larger of what was
 * bought and the same interval last week (`null`: not known). Both arguments and both energies in Wh. Flagged; what the
 * registers show later is booked as a correction of this interval.
 */
export function substituteEnergy(bought: Wh, lastWeek: Wh | null): IntervalEnergy {
  const imported = lastWeek !== null && lastWeek > bought ? lastWeek : bought;
  return { imported, exported: ZERO_WH, origin: 'substituted' };
}

/** An interval that was settled with a substitute: what was booked for it, Wh. */
export interface SubstitutedInterval {
  readonly interval: DeliveryInterval;
  readonly imported: Wh;
  readonly exported: Wh;
}

/** The same interval when the registers have spoken. */
export interface CorrectedInterval {
  readonly booked: SubstitutedInterval;
  /** `metered` where the registers show this very interval; `substituted` where it is its share of a longer gap. */
  readonly energy: IntervalEnergy;
}

/**
 * What the registers rose by over a gap, shared over its intervals: in proportion to the substitutes, so that none of
 * them is corrected up while another is corrected down; evenly where all substitutes are zero. By largest remainder,
 * ties to the earlier interval: the shares sum to the rise.
 */
export function splitGap(
  gap: readonly SubstitutedInterval[],
  risen: { readonly imported: Wh; readonly exported: Wh },
): CorrectedInterval[] {
  const origin = gap.length === 1 ? 'metered' : 'substituted';
  const imported = shareLike(
    risen.imported,
    gap.map((each) => each.imported),
  );
  const exported = shareLike(
    risen.exported,
    gap.map((each) => each.exported),
  );
  return gap.map((booked, index) => ({
    booked,
    energy: { imported: wh(imported[index] ?? 0), exported: wh(exported[index] ?? 0), origin },
  }));
}

function shareLike(total: Wh, substitutes: readonly Wh[]): number[] {
  const known = substitutes.some((energy) => energy > 0);
  return shareByLargestRemainder(total, known ? substitutes : substitutes.map(() => 1));
}
