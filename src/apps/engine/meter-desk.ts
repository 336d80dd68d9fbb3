import type { BoundaryReading } from '../../domain/engine/command.ts';
import type { EpochMs } from '../../domain/units/time.ts';

/**
 * What the bus says of a meter, in the order of market time: a gateway whose clock was ahead for a moment hides nothing
 * that follows. Only good readings are kept; the registers are cumulative, so few suffice.
 */
export interface MeterDesk {
  record(meter: string, reading: BoundaryReading): void;
  /** The last good reading at or before that instant of market time, or null. */
  at(meter: string, boundary: EpochMs): BoundaryReading | null;
  /** The last good reading, or null. */
  latest(meter: string): BoundaryReading | null;
}

const KEPT_READINGS = 500;

export function createMeterDesk(): MeterDesk {
  const readings = new Map<string, BoundaryReading[]>();
  return {
    record(meter, reading) {
      const known = readings.get(meter) ?? [];
      const place = known.findLastIndex(({ at }) => at <= reading.at) + 1;
      if (known[place - 1]?.at === reading.at) return;
      readings.set(meter, known.toSpliced(place, 0, reading).slice(-KEPT_READINGS));
    },
    at: (meter, boundary) => readings.get(meter)?.findLast((reading) => reading.at <= boundary) ?? null,
    latest: (meter) => readings.get(meter)?.at(-1) ?? null,
  };
}
