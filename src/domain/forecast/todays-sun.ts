import { mulDivFloor } from '../units/division.ts';
import { wh } from '../units/energy.ts';
import { type IntervalLengthMs, intervalAt } from '../units/interval.ts';
import { type EpochMs, epochMs } from '../units/time.ts';
import type { Load, MeasuredLoad } from './load.ts';
import { sameTimeYesterday } from './yesterday.ts';

/** One hour tells a cloudy day from a clear one and still follows the weather. */
const WINDOW_MS = 3_600_000;
/** At dawn a watt-hour more is no clear day: what was made yesterday is at most doubled. */
const MOST = 2;

/**
 * A forecast from yesterday with its generation scaled by how the last hour compares with the same hour yesterday, Wh,
 * floored; consumption stays. Unchanged where either hour is not known or yesterday's gave nothing.
 */
export function correctedForTodaysSun(
  expected: Load,
  measured: MeasuredLoad,
  now: EpochMs,
  { lengthMs, timezone }: { readonly lengthMs: IntervalLengthMs; readonly timezone: string },
): Load {
  let [today, yesterday] = [0, 0];
  const end = intervalAt(now, lengthMs).start;
  for (let start = end - Math.max(WINDOW_MS, lengthMs); start < end; start += lengthMs) {
    const known = measured(epochMs(start));
    const before = measured(sameTimeYesterday(epochMs(start), timezone));
    if (known === null || before === null) return expected;
    today += known.generation;
    yesterday += before.generation;
  }
  if (yesterday === 0) return expected;
  const generation = mulDivFloor(expected.generation, Math.min(today, MOST * yesterday), yesterday);
  return { ...expected, generation: wh(generation) };
}
