import { floorDivide } from '../units/division.ts';
import type { EpochMs } from '../units/time.ts';
import type { ProductSchedule } from './products.ts';

/** What falls due at an instant of market time: the gate of a product, the end of an interval, or both. */
export interface DuePoint {
  readonly at: EpochMs;
  /** The product whose gate closes. */
  readonly gateOf: EpochMs | null;
  /** True where an interval ends and the next begins. */
  readonly boundary: boolean;
}

type Schedule = Pick<ProductSchedule, 'lengthMs' | 'gateLeadMs'>;

/** The first due point after `after`. */
export function nextDue(after: EpochMs, schedule: Schedule): DuePoint {
  const { lengthMs, gateLeadMs } = schedule;
  const boundary = (floorDivide(after, lengthMs) + 1) * lengthMs;
  const gate = (floorDivide(after + gateLeadMs, lengthMs) + 1) * lengthMs - gateLeadMs;
  return duePoint(Math.min(boundary, gate) as EpochMs, schedule);
}

/** Every due point in (after, until]. */
export function duePoints(after: EpochMs, until: EpochMs, schedule: Schedule): DuePoint[] {
  const points: DuePoint[] = [];
  for (let point = nextDue(after, schedule); point.at <= until; point = nextDue(point.at, schedule)) points.push(point);
  return points;
}

function duePoint(at: EpochMs, { lengthMs, gateLeadMs }: Schedule): DuePoint {
  const product = (at + gateLeadMs) as EpochMs;
  return { at, gateOf: product % lengthMs === 0 ? product : null, boundary: at % lengthMs === 0 };
}
