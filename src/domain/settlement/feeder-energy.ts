import { bookSubstitute, type ClosedInterval, closeInterval, type MeterTrack } from '../metering/interval-energy.ts';
import { addWh, excessWh } from '../units/energy.ts';
import type { DeliveryInterval } from '../units/interval.ts';
import type { FeederEnergy } from './interval-settlement.ts';
import type { MemberInterval } from './single-supply.ts';

export interface ClosedFeeder {
  readonly track: MeterTrack;
  readonly feeder: FeederEnergy;
  /** Of `trueUp`: what the registers show of intervals in which the members' sum stood in. */
  readonly resolved: ClosedInterval['resolved'];
}

/**
 * Closes the feeder meter's interval. It bills the net of the interval. Where it has no reading, the members' sum stands
 * in, and its registers make that up later, so an error is late and not hidden: with `trueUp` by a correction of that
 * interval, without in the next interval that has a reading.
 */
export function closeFeeder(
  track: MeterTrack,
  interval: DeliveryInterval,
  members: readonly MemberInterval[],
  trueUp = false,
): ClosedFeeder {
  const closed = closeInterval(track, interval);
  const seen = closed.energy ?? {
    imported: addWh(...members.map(({ energy }) => energy.imported)),
    exported: addWh(...members.map(({ energy }) => energy.exported)),
    origin: 'substituted' as const,
  };
  const feeder = { imported: excessWh(seen.imported, seen.exported), exported: excessWh(seen.exported, seen.imported) };
  const { resolved } = closed;
  if (closed.energy !== null) return { track: closed.track, feeder, resolved };
  const booked = trueUp
    ? bookSubstitute(closed.track, { ...feeder, origin: 'substituted' }, interval)
    : bookSubstitute(closed.track, seen);
  return { track: booked, feeder, resolved };
}
