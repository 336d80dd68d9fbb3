import { floorDivide } from '../units/division.ts';
import type { Wh } from '../units/energy.ts';
import { type Watt, watt } from '../units/power.ts';

/** What a gateway measures before it moves its battery. Powers: import and charging positive. */
export interface BatterySituation {
  /** At the point of common coupling. */
  readonly pcc: Watt;
  readonly battery: Watt;
  readonly maxCharge: Watt;
  readonly maxDischarge: Watt;
  readonly socPermille: number;
  /** Charge above this share may be sold; null: the battery serves its home alone. */
  readonly sellAbovePermille: number | null;
  /** Sold for this interval and not exported yet. */
  readonly toDeliver: Wh;
  readonly remainingMs: number;
}

const MS_PER_HOUR = 3_600_000;

/**
 * The battery's set-point until the next measurement: self-consumption first (surplus is charged, a deficit is served),
 * and from charge above the threshold as much export as the sold energy still needs. Charging positive.
 */
export function batterySetpoint(now: BatterySituation): Watt {
  const homeNet = now.pcc - now.battery;
  const mayExport = now.sellAbovePermille !== null && now.socPermille > now.sellAbovePermille;
  const neededExport = mayExport ? exportPower(now) : 0;
  const wanted = Math.min(-homeNet, -homeNet - neededExport);
  return watt(Math.max(-now.maxDischarge, Math.min(now.maxCharge, wanted)) || 0);
}

/** The constant export that delivers what is left in the time that is left. */
function exportPower({ toDeliver, remainingMs }: BatterySituation): number {
  return remainingMs > 0 ? floorDivide(toDeliver * MS_PER_HOUR, remainingMs) : 0;
}
