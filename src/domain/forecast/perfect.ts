import type { DeliveryInterval } from '../units/interval.ts';
import { type Load, type MeasuredLoad, NO_LOAD } from './load.ts';

/** What will happen: only a simulation can know it. It is the yardstick of every other forecast. */
export function perfectForecast(truth: MeasuredLoad, interval: DeliveryInterval): Load {
  return truth(interval.start) ?? NO_LOAD;
}
