import { assert } from '../units/assert.ts';
import { mulDivFloor } from '../units/division.ts';
import { addWh, excessWh, minWh, type Wh, wh, ZERO_WH } from '../units/energy.ts';
import { energyOf, type Watt } from '../units/power.ts';

/** A home battery. Energies are at its terminals except `capacity` and `stored`, which are inside it. */
export interface Battery {
  readonly capacity: Wh;
  readonly maxPower: Watt;
  /** Of charging and, again, of discharging; parts per million. */
  readonly oneWayPpm: number;
  /** Charge above this share of the capacity is for sale; `null`: the battery only serves its home. */
  readonly sellAbovePermille: number | null;
}

/** What a battery does in one interval. At most one of `charged` and `discharged` is above zero. */
export interface BatteryFlow {
  /** Into the terminals, Wh. */
  readonly charged: Wh;
  /** Out of the terminals, Wh. */
  readonly discharged: Wh;
  /** Inside, at the end of the interval. */
  readonly stored: Wh;
}

const PPM = 1_000_000;

/**
 * The loss is parted equally between the two ways: 0.9 there and back is 948683 ppm one way, rounded down. The only
 * floating-point number of a battery, made once when the configuration is read.
 */
export function oneWayEfficiencyPpm(roundTrip: number): number {
  assert(roundTrip > 0 && roundTrip <= 1, `round-trip efficiency ${roundTrip} is not in (0, 1]`);
  return Math.floor(Math.sqrt(roundTrip) * PPM);
}

/** Self-consumption: surplus is charged as far as it fits, a deficit is served as far as the charge reaches. */
export function selfConsume(battery: Battery, stored: Wh, surplus: Wh, deficit: Wh, lengthMs: number): BatteryFlow {
  const most = energyOf(battery.maxPower, lengthMs);
  const charged = minWh(minWh(surplus, most), mostCharge(battery, stored));
  if (charged > 0) return { charged, discharged: ZERO_WH, stored: wh(stored + gained(battery, charged)) };
  const discharged = minWh(minWh(deficit, most), mostDischarge(battery, stored));
  return { charged: ZERO_WH, discharged, stored: wh(stored - spent(battery, discharged)) };
}

/**
 * The SOC-threshold rule: what the battery can deliver for sale beyond `flow` in the same interval, at the terminals.
 * Giving up charge counts too: that surplus then leaves the home. Zero where nothing is for sale.
 */
export function offerAboveThreshold(battery: Battery, stored: Wh, flow: BatteryFlow, lengthMs: number): Wh {
  if (battery.sellAbovePermille === null) return ZERO_WH;
  const keep = wh(mulDivFloor(battery.capacity, battery.sellAbovePermille, 1000));
  const power = energyOf(battery.maxPower, lengthMs);
  const dischargeable = minWh(mostDischarge(battery, excessWh(stored, keep)), power);
  const chargeToKeep = neededFor(battery, excessWh(keep, stored));
  return addWh(excessWh(dischargeable, flow.discharged), excessWh(flow.charged, chargeToKeep));
}

/** `flow` moved towards the grid by `energy` at the terminals, at most `offerAboveThreshold`: less charge first. */
export function deliver(battery: Battery, stored: Wh, flow: BatteryFlow, energy: Wh): BatteryFlow {
  const charged = excessWh(flow.charged, energy);
  const discharged = wh(flow.discharged + excessWh(energy, flow.charged));
  if (charged > 0) return { charged, discharged: ZERO_WH, stored: wh(stored + gained(battery, charged)) };
  return { charged: ZERO_WH, discharged, stored: wh(stored - spent(battery, discharged)) };
}

/** The least charge at the terminals that gains `energy` inside. */
function neededFor(battery: Battery, energy: Wh): Wh {
  return wh(-mulDivFloor(-energy, PPM, battery.oneWayPpm));
}

/** The most that fits, at the terminals, so that what is gained never passes the capacity. */
function mostCharge(battery: Battery, stored: Wh): Wh {
  return wh(mulDivFloor(excessWh(battery.capacity, stored), PPM, battery.oneWayPpm));
}

/** The most that `stored` can give at the terminals. */
function mostDischarge(battery: Battery, stored: Wh): Wh {
  return wh(mulDivFloor(stored, battery.oneWayPpm, PPM));
}

/** Rounded down: a battery never gains what was not put in. */
function gained(battery: Battery, charged: Wh): Wh {
  return wh(mulDivFloor(charged, battery.oneWayPpm, PPM));
}

/** Rounded up: a battery never gives what it did not hold. */
function spent(battery: Battery, discharged: Wh): Wh {
  return neededFor(battery, discharged);
}
