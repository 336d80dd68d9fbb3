import type { ReadingQuality } from '../../domain/metering/meter-reading.ts';

/** The metric of NBIRTH and NDEATH that ties a death to its birth. */
export const BD_SEQ = 'bdSeq';

/** The command that asks a node for all its births again. It never has an alias. */
export const REBIRTH = 'Node Control/Rebirth';

/** The property `Quality` knows three values (tck-id-payloads-propertyset-quality-value-value). */
const QUALITY_CODES = { good: 192, stale: 500, bad: 0 } as const satisfies Record<ReadingQuality, number>;

export function qualityCode(quality: ReadingQuality): number {
  return QUALITY_CODES[quality];
}

/** Absent means good, and bad where no value came with it; a code of no meaning is bad. */
export function qualityOf(code: number | null, hasValue: boolean): ReadingQuality {
  if (code === null) return hasValue ? 'good' : 'bad';
  return code === QUALITY_CODES.good ? 'good' : code === QUALITY_CODES.stale ? 'stale' : 'bad';
}

/** The sequence numbers of births and messages run 0-255 and start over. */
export function nextModulo256(value: number): number {
  return (value + 1) % 256;
}
