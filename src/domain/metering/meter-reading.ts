import type { Wh } from '../units/energy.ts';
import type { Watt } from '../units/power.ts';
import type { EpochMs } from '../units/time.ts';

/** good: usable. stale: too old or its link is lossy. bad: implausible. In Sparkplug B: 192, 500, 0. */
export type ReadingQuality = 'good' | 'stale' | 'bad';

/** The two cumulative registers of a meter at one instant of market time. They never go down and are never netted. */
export interface MeterReading {
  readonly at: EpochMs;
  readonly importRegister: Wh;
  readonly exportRegister: Wh;
  /** Import positive, export negative. */
  readonly power: Watt;
  readonly quality: ReadingQuality;
}

/** Where an interval's energy comes from: its own two readings, or a rule because one was missing at the deadline. */
export type EnergyOrigin = 'metered' | 'substituted';

/** What flowed through a meter in one interval. */
export interface IntervalEnergy {
  readonly imported: Wh;
  readonly exported: Wh;
  readonly origin: EnergyOrigin;
}
