import { bookSubstitute, closeInterval, type MeterTrack } from '../metering/interval-energy.ts';
import { addWh, excessWh } from '../units/energy.ts';
import type { DeliveryInterval } from '../units/interval.ts';
import type { FeederEnergy } from './interval-settlement.ts';
import type { MemberInterval } from './single-supply.ts';

/**
 * Closes the feeder meter's interval. It bills the net of the interval. Where it has no reading, the members' sum stands
 * in; its registers make that up with the next reading, so an error is late and not hidden.
 */
export function closeFeeder(
  track: MeterTrack,
  interval: DeliveryInterval,
  members: readonly MemberInterval[],
): { readonly track: MeterTrack; readonly feeder: FeederEnergy } {
  const closed = closeInterval(track, interval);
  const seen = closed.energy ?? {
    imported: addWh(...members.map(({ energy }) => energy.imported)),
    exported: addWh(...members.map(({ energy }) => energy.exported)),
    origin: 'substituted' as const,
  };
  return {
    track: closed.energy === null ? bookSubstitute(closed.track, seen) : closed.track,
    feeder: { imported: excessWh(seen.imported, seen.exported), exported: excessWh(seen.exported, seen.imported) },
  };
}
