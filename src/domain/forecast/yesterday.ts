import { type DeliveryInterval, intervalAt, utcOffsetMs } from '../units/interval.ts';
import { type EpochMs, epochMs } from '../units/time.ts';
import { type Load, type MeasuredLoad, NO_LOAD } from './load.ts';

const DAY_MS = 86_400_000;

/**
 * The same instant of the local clock one calendar day before. Where the clock skipped it, an hour later; where it came
 * twice, the one 24 hours before or nearest to that.
 */
export function sameTimeYesterday(at: EpochMs, timezone: string): EpochMs {
  const dayBefore = epochMs(at - DAY_MS);
  return epochMs(dayBefore + utcOffsetMs(at, timezone) - utcOffsetMs(dayBefore, timezone));
}

/**
 * The load of the same interval of the local day before. Without it (the first day, a gap) the last interval complete
 * when the plan is made; without that, nothing: such a home sends no order.
 */
export function yesterdayForecast(
  measured: MeasuredLoad,
  interval: DeliveryInterval,
  now: EpochMs,
  sameIntervalYesterday: EpochMs,
): Load {
  return measured(sameIntervalYesterday) ?? measured(lastComplete(interval, now)) ?? NO_LOAD;
}

function lastComplete({ lengthMs }: DeliveryInterval, now: EpochMs): EpochMs {
  return epochMs(intervalAt(now, lengthMs).start - lengthMs);
}
