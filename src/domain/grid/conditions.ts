import { assertSafeInteger } from '../units/assert.ts';
import { floorDivide } from '../units/division.ts';
import type { GridCode, OperatingMode, QuantityLimits, RideThroughBand, ServiceWindow, Sides } from './grid-code.ts';

/** The grid at a home's connection point. Voltage in mV, frequency in mHz. */
export interface GridMeasurement {
  readonly voltageMilliV: number;
  readonly frequencyMilliHz: number;
}

/** What a grid code says about one value of one quantity. Times count from the moment the value left normal. */
export interface QuantityCondition {
  readonly region: 'continuous' | 'ride-through' | 'must-trip';
  readonly mode: OperatingMode;
  /** Until then the code wants the DER connected; 0: it need not stay at all; null: for ever. */
  readonly mayOpenAfterMs: number | null;
  /** By then it must have tripped; null: no limit is exceeded. */
  readonly mustOpenWithinMs: number | null;
  /** The exceeded trip limit, as the standard calls it (`OV2`), or null. */
  readonly tripLimit: string | null;
  readonly insideEnterService: boolean;
}

export interface GridConditions {
  readonly voltage: QuantityCondition;
  readonly frequency: QuantityCondition;
}

/** Judges one measurement. A value that lies on a limit is still on the normal side of it. */
export function gridConditions(code: GridCode, nominalMilliV: number, measured: GridMeasurement): GridConditions {
  return {
    voltage: voltageCondition(code, milliPerUnit(measured.voltageMilliV, nominalMilliV)),
    frequency: frequencyCondition(code, measured.frequencyMilliHz),
  };
}

/** `value`: thousandths of nominal voltage. IEEE 1547-2018 6.4, 4.10.2. */
export function voltageCondition(code: GridCode, value: number): QuantityCondition {
  return condition(code.voltage, code.enterService.voltage, value);
}

/** `value`: mHz. IEEE 1547-2018 6.5, 4.10.2. */
export function frequencyCondition(code: GridCode, value: number): QuantityCondition {
  return condition(code.frequency, code.enterService.frequency, value);
}

/** Thousandths of nominal, rounded away from nominal: a limit that is exceeded at all counts as exceeded. */
export function milliPerUnit(milliV: number, nominalMilliV: number): number {
  assertSafeInteger(milliV, 'voltage in mV');
  const scaled = milliV * 1000;
  return milliV > nominalMilliV ? -floorDivide(-scaled, nominalMilliV) : floorDivide(scaled, nominalMilliV);
}

function condition(limits: QuantityLimits, window: ServiceWindow, value: number): QuantityCondition {
  assertSafeInteger(value, 'grid quantity');
  const band = exceeded(limits.rideThrough, value);
  const trip = exceeded(limits.trip, value);
  return {
    region: trip !== null ? 'must-trip' : band !== null ? 'ride-through' : 'continuous',
    mode: band?.mode ?? 'continuous',
    mayOpenAfterMs: band === null ? null : stayConnectedMs(band, value),
    mustOpenWithinMs: trip?.withinMs ?? null,
    tripLimit: trip?.name ?? null,
    insideEnterService: value >= window.low && value <= window.high,
  };
}

/** Only mandatory operation binds: in every other mode the DER may open at once. */
function stayConnectedMs(band: RideThroughBand, value: number): number {
  if (band.mode !== 'mandatory') return 0;
  const { slope } = band;
  const added = slope === undefined ? 0 : floorDivide(slope.microsPerUnit * Math.max(0, value - slope.from), 1000);
  return band.minimumMs + added;
}

function exceeded<Row>(sides: Sides<Row>, value: number): Row | null {
  return sides.high.find((row) => value > row.above) ?? sides.low.find((row) => value < row.below) ?? null;
}
