import { type Wh, wh, ZERO_WH } from '../units/energy.ts';
import { type DeliveryInterval, intervalEnd } from '../units/interval.ts';
import { energyOf, type Watt } from '../units/power.ts';
import type { EpochMs } from '../units/time.ts';
import type { IntervalEnergy, MeterReading } from './meter-reading.ts';
import { type CorrectedInterval, type SubstitutedInterval, splitGap } from './substitute-reading.ts';

/** Why a reading was not taken, in the order of the checks. Its meter's track stays as it was. */
export type ReadingRefusal =
  /** Its quality is stale or bad. */
  | 'reading_not_good'
  /** Not later than the last one: a duplicate, or overtaken. Nothing is lost, the registers are cumulative. */
  | 'reading_not_newer'
  /** A register is lower than before: the meter was exchanged, reset, or lies. */
  | 'counter_went_back'
  /** A register rose by more than the connection can carry in that time. */
  | 'implausible_jump';

export type ReadingVerdict = { readonly ok: true } | { readonly ok: false; readonly code: ReadingRefusal };

/** Two cumulative registers. */
export interface Registers {
  readonly imported: Wh;
  readonly exported: Wh;
}

/** What is known of one meter. */
export interface MeterTrack {
  /** The last good reading of each interval that is not closed yet, oldest first. */
  readonly pending: readonly MeterReading[];
  readonly latest: MeterReading | null;
  /** What has been settled so far, as register values: the next interval, or the gap, begins here. `null`: no reading yet. */
  readonly settled: Registers | null;
  /** The intervals since then that were settled with a substitute, oldest first: the registers did not speak yet. */
  readonly gap: readonly SubstitutedInterval[];
}

export const NEW_METER: MeterTrack = { pending: [], latest: null, settled: null, gap: [] };

export interface MeterLimits {
  /** The most that can flow through the connection, either way. */
  readonly maxPower: Watt;
  readonly lengthMs: number;
  /** How long the meter may show the same registers before it shows what flowed meanwhile. Default 0. */
  readonly refreshMs?: number;
}

/** Checks a reading and, where it is good, keeps it. The first one only sets the registers. */
export function acceptReading(
  track: MeterTrack,
  reading: MeterReading,
  limits: MeterLimits,
): { readonly track: MeterTrack; readonly verdict: ReadingVerdict } {
  const code = refusalOf(track.latest, reading, limits);
  if (code !== null) return { track, verdict: { ok: false, code } };
  const settled = track.settled ?? { imported: reading.importRegister, exported: reading.exportRegister };
  const pending = keepLastOfInterval(track.pending, reading, limits.lengthMs);
  return { track: { ...track, pending, latest: reading, settled }, verdict: { ok: true } };
}

export interface ClosedInterval {
  readonly track: MeterTrack;
  /** `null`: the caller waits, or substitutes at the deadline. */
  readonly energy: IntervalEnergy | null;
  /** The gaps, oldest first, whose truth the registers have shown since the last closure. */
  readonly resolved: readonly (readonly CorrectedInterval[])[];
}

/**
 * The energy of an interval: the registers at the last good reading at or before its end, minus those at its start. A
 * reading that arrives after its interval was closed falls into the next one, so no Wh is lost and none counts twice.
 * `energy` is null where the interval has no reading of its own, or where a gap before it is still open: then only the
 * total of both is known. The reading that ends the gap then stays, and the next closure resolves all of it.
 */
export function closeInterval(track: MeterTrack, interval: DeliveryInterval): ClosedInterval {
  const end = intervalEnd(interval);
  const { track: known, resolved } = resolveGap(track, interval.start);
  const reading = known.pending.findLast(({ at }) => at > interval.start && at <= end);
  if (reading === undefined || known.settled === null) return { track: forget(known, end), energy: null, resolved };
  if (known.gap.length > 0) return { track: known, energy: null, resolved };
  const imported = risen(reading.importRegister, known.settled.imported);
  const exported = risen(reading.exportRegister, known.settled.exported);
  const settled = raise(known.settled, imported, exported);
  return { track: { ...forget(known, end), settled }, energy: { imported, exported, origin: 'metered' }, resolved };
}

/**
 * Books a substitute. With `interval` it opens or lengthens a gap, and what the registers show for it later comes out of
 * `closeInterval` as a correction of that interval. Without, the difference falls into the next interval with a reading.
 */
export function bookSubstitute(track: MeterTrack, energy: IntervalEnergy, interval?: DeliveryInterval): MeterTrack {
  const { imported, exported } = energy;
  if (track.settled === null) return track;
  if (interval === undefined) return { ...track, settled: raise(track.settled, imported, exported) };
  return { ...track, gap: [...track.gap, { interval, imported, exported }] };
}

/** Readings of intervals that are closed already: each tells the total since the reading before it. */
function resolveGap(track: MeterTrack, until: EpochMs): Omit<ClosedInterval, 'energy'> {
  if (track.gap.length === 0) return { track, resolved: [] };
  let { settled, gap } = track;
  const resolved: CorrectedInterval[][] = [];
  for (const { at, importRegister, exportRegister } of track.pending) {
    const covered = gap.filter(({ interval }) => interval.start < at);
    if (at > until || settled === null || covered.length === 0) continue;
    const imported = risen(importRegister, settled.imported);
    const exported = risen(exportRegister, settled.exported);
    resolved.push(splitGap(covered, { imported, exported }));
    settled = raise(settled, imported, exported);
    gap = gap.slice(covered.length);
  }
  return { track: { ...track, settled, gap }, resolved };
}

function refusalOf(
  latest: MeterReading | null,
  reading: MeterReading,
  { maxPower, refreshMs = 0 }: MeterLimits,
): ReadingRefusal | null {
  if (reading.quality !== 'good') return 'reading_not_good';
  if (latest === null) return null;
  if (reading.at <= latest.at) return 'reading_not_newer';
  const imported = reading.importRegister - latest.importRegister;
  const exported = reading.exportRegister - latest.exportRegister;
  if (imported < 0 || exported < 0) return 'counter_went_back';
  const most = mostEnergy(maxPower, reading.at - latest.at + refreshMs);
  return imported > most || exported > most ? 'implausible_jump' : null;
}

/** One Wh more than the power allows: both registers are cut to whole Wh. */
function mostEnergy(maxPower: Watt, durationMs: number): number {
  return energyOf(maxPower, durationMs) + 1;
}

/** A reading on a boundary ends the interval before it. */
function keepLastOfInterval(pending: readonly MeterReading[], reading: MeterReading, lengthMs: number): MeterReading[] {
  const slot = Math.ceil(reading.at / lengthMs);
  return [...pending.filter(({ at }) => Math.ceil(at / lengthMs) !== slot), reading];
}

function forget(track: MeterTrack, until: EpochMs): MeterTrack {
  return { ...track, pending: track.pending.filter(({ at }) => at > until) };
}

/** Zero while a substitute that was too high is being worked off. */
function risen(register: Wh, settled: Wh): Wh {
  return register > settled ? wh(register - settled) : ZERO_WH;
}

function raise(settled: Registers, imported: Wh, exported: Wh): Registers {
  return { imported: wh(settled.imported + imported), exported: wh(settled.exported + exported) };
}
