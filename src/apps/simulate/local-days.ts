import type { Community } from '../../adapters/config/community.ts';
import { startOfLocalDay } from '../../domain/units/interval.ts';
import { type EpochMs, epochMs, formatUtc } from '../../domain/units/time.ts';

const DATE = /^(\d{4})-(\d{2})-(\d{2})$/;

type Span = Pick<Community, 'start' | 'intervals' | 'lengthMs' | 'timezone'>;

/** From local midnight of `from` up to local midnight of `to`; without them all that the profiles hold. Or why not. */
export function daysOf(
  { start, intervals, lengthMs, timezone }: Span,
  from: string | undefined,
  to: string | undefined,
): { readonly from: EpochMs; readonly to: EpochMs } | string {
  const end = epochMs(start + intervals * lengthMs);
  const first = from === undefined ? start : midnight(from, timezone);
  const last = to === undefined ? end : midnight(to, timezone);
  if (first === null) return `--from ${from} is no date like 2021-03-28`;
  if (last === null) return `--to ${to} is no date like 2021-03-28`;
  const held = `the profiles hold ${formatUtc(start)} to ${formatUtc(end)}`;
  if (first < start || first >= end) return `--from ${from} is outside the data: ${held}`;
  if (last <= start || last > end) return `--to ${to} is outside the data: ${held}`;
  if (last <= first) return `--to ${to} must come after --from ${from ?? formatUtc(start)}`;
  if ((first - start) % lengthMs === 0 && (last - start) % lengthMs === 0) return { from: first, to: last };
  return `a day of ${timezone} does not begin on a boundary of ${lengthMs / 60_000} minutes`;
}

function midnight(date: string, timezone: string): EpochMs | null {
  const match = DATE.exec(date);
  if (match === null || Number.isNaN(Date.parse(date))) return null;
  const [year = 0, month = 0, day = 0] = match.slice(1).map(Number);
  if (new Date(Date.UTC(year, month - 1, day)).getUTCDate() !== day) return null;
  return startOfLocalDay({ year, month, day }, timezone);
}
