import { assert } from '../../domain/units/assert.ts';
import { type Wh, wh } from '../../domain/units/energy.ts';
import { compareIds, type MemberId } from '../../domain/units/identity.ts';
import { type Watt, watt } from '../../domain/units/power.ts';
import { pricePerKwh } from '../../domain/units/price.ts';
import type { Tariff } from '../../domain/units/tariff.ts';
import { between, hash32, shuffled, unit } from './prng.ts';

export interface Location {
  /** Degrees, north and east positive. */
  readonly latitude: number;
  readonly longitude: number;
}

export interface PvPlan {
  readonly peak: Watt;
  /** How much later (west) or earlier (east) than a south roof it peaks. */
  readonly orientationMs: number;
}

export interface BatteryPlan {
  readonly capacity: Wh;
  /** The limit in both directions. */
  readonly power: Watt;
  /** Of each unit that goes in, what comes out again; all losses fall on charging. */
  readonly roundTripPpm: number;
  readonly initialSocPpm: number;
}

/** One home as it is built; what it does at an instant follows from this and the clock. */
export interface HomePlan {
  readonly id: MemberId;
  readonly seed: number;
  readonly streetSeed: number;
  readonly location: Location;
  readonly timezone: string;
  readonly annualConsumption: Wh;
  readonly pv: PvPlan | null;
  readonly battery: BatteryPlan | null;
  /** Limits as a place in the tariff band, 0 at the export edge and 1000 at the import edge; `null` is the edge itself. */
  readonly sellAtLeastPermille: number | null;
  readonly buyAtMostPermille: number | null;
}

export interface StreetPlan {
  readonly seed: number;
  readonly location: Location;
  readonly timezone: string;
  readonly tariff: Tariff;
  /** Sorted by id. */
  readonly homes: readonly HomePlan[];
}

const LOCATION: Location = { latitude: 48.14, longitude: 11.58 };
const TIMEZONE = 'Europe/Berlin';
const TARIFF: Tariff = { importPrice: pricePerKwh(300_000), exportPrice: pricePerKwh(80_000) };
const MOST_HOMES = 999;

/**
 * A street of that many homes, the same for the same seed: two thirds with PV, a third with a battery, and from two
 * homes on at least one with PV and one without.
 */
export function planStreet({ homes, seed }: { readonly homes: number; readonly seed: number }): StreetPlan {
  assert(Number.isInteger(homes) && homes >= 1 && homes <= MOST_HOMES, `a street of ${homes} homes`);
  const withPv = homes === 1 ? 1 : Math.min(homes - 1, Math.max(1, Math.round((homes * 2) / 3)));
  const places = shuffled(homes, seed, hash32(1));
  const planned = places.map((place, index) => planHome(place, index, { seed, withPv, homes }));
  return {
    seed,
    location: LOCATION,
    timezone: TIMEZONE,
    tariff: TARIFF,
    homes: planned.sort((a, b) => compareIds(a.id, b.id)),
  };
}

/** `rank` counts the homes in a seeded order: the first have PV, the first half of those a battery too. */
function planHome(place: number, rank: number, street: { seed: number; withPv: number; homes: number }): HomePlan {
  const seed = hash32(street.seed, place);
  const digits = street.homes > 99 ? 3 : 2;
  const hasPv = rank < street.withPv;
  return {
    id: `home-${String(place + 1).padStart(digits, '0')}` as MemberId,
    seed,
    streetSeed: street.seed,
    location: LOCATION,
    timezone: TIMEZONE,
    annualConsumption: wh(between(24, 55, seed, 1) * 100_000),
    pv: hasPv ? planPv(seed) : null,
    battery: rank < Math.ceil(street.withPv / 2) ? planBattery(seed) : null,
    sellAtLeastPermille: hasPv ? preference(seed, 6, 0, 600) : null,
    buyAtMostPermille: preference(seed, 8, 400, 1000),
  };
}

function planPv(seed: number): PvPlan {
  return { peak: watt(between(8, 20, seed, 2) * 500), orientationMs: between(-3, 3, seed, 3) * 900_000 };
}

function planBattery(seed: number): BatteryPlan {
  const capacity = wh(between(10, 24, seed, 4) * 500);
  return {
    capacity,
    power: watt(capacity / 2),
    roundTripPpm: 920_000,
    initialSocPpm: between(20, 60, seed, 5) * 10_000,
  };
}

/** A third of the homes take any price of the band. */
function preference(seed: number, key: number, lowest: number, highest: number): number | null {
  return unit(seed, key) < 1 / 3 ? null : between(lowest, highest, seed, key + 1);
}
