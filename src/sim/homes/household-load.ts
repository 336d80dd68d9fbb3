import { localTime } from '../../domain/units/interval.ts';
import { epochMs } from '../../domain/units/time.ts';
import { between, hash32, unit } from './prng.ts';
import type { HomePlan } from './street-plan.ts';

export const MINUTES_PER_DAY = 1440;
const MINUTE_MS = 60_000;

/** What runs on top of the base load: how often a day, between which local hours, how long, how much. */
interface Appliance {
  readonly perDay: number;
  readonly hours: readonly [earliest: number, latest: number];
  readonly minutes: readonly [shortest: number, longest: number];
  readonly watts: readonly [least: number, most: number];
}

const APPLIANCES: readonly Appliance[] = [
  { perDay: 2.5, hours: [6, 21], minutes: [3, 6], watts: [1800, 2200] },
  { perDay: 0.9, hours: [11, 13], minutes: [15, 40], watts: [1200, 2400] },
  { perDay: 0.8, hours: [17, 20], minutes: [20, 50], watts: [1200, 2600] },
  { perDay: 0.6, hours: [8, 18], minutes: [60, 100], watts: [400, 900] },
  { perDay: 0.7, hours: [13, 22], minutes: [70, 110], watts: [500, 1000] },
  { perDay: 1, hours: [18, 22], minutes: [60, 180], watts: [100, 220] },
];

/** The share of an hour in the day's base load, after the shape of the German standard profile H0; mean 1. */
const DAY_SHAPE = [
  0.62, 0.52, 0.48, 0.46, 0.47, 0.56, 0.85, 1.08, 1.12, 1.1, 1.08, 1.14, 1.22, 1.14, 1.0, 0.95, 0.98, 1.15, 1.42, 1.55,
  1.48, 1.28, 1.12, 0.93,
] as const;

/** The base load's part of the year's energy; the appliances above make up about the rest. */
const BASE_PART = 0.62;
const HOURS_PER_YEAR = 8760;

/** The home's consumption in W for each minute of a UTC day, whole numbers, a function of the plan and the day alone. */
export function loadOfDay(home: HomePlan, day: number): Int32Array {
  const watts = new Int32Array(MINUTES_PER_DAY);
  const hours = Array.from({ length: 24 }, (_, hour) => localHourOf(home, day, hour));
  addBaseLoad(watts, home, day, hours);
  for (const [index, appliance] of APPLIANCES.entries()) addRuns(watts, home, day, hours, { ...appliance, index });
  return watts;
}

function localHourOf(home: HomePlan, day: number, hour: number): number {
  return localTime(epochMs((day * 24 + hour) * 60 * MINUTE_MS), home.timezone).hour;
}

function addBaseLoad(watts: Int32Array, home: HomePlan, day: number, hours: readonly number[]): void {
  const mean = (home.annualConsumption / HOURS_PER_YEAR) * BASE_PART;
  for (let minute = 0; minute < MINUTES_PER_DAY; minute += 1) {
    const shape = DAY_SHAPE[hours[Math.floor(minute / 60)] ?? 0] ?? 1;
    const quarter = day * 96 + Math.floor(minute / 15);
    const flutter = 0.85 + 0.3 * unit(home.seed, 21, quarter);
    watts[minute] = Math.round(mean * shape * flutter) + fridge(home, minute);
  }
}

/** A compressor of 90 W that runs 12 minutes of every 40. */
function fridge(home: HomePlan, minute: number): number {
  return (minute + between(0, 39, home.seed, 22)) % 40 < 12 ? 90 : 0;
}

function addRuns(
  watts: Int32Array,
  home: HomePlan,
  day: number,
  hours: readonly number[],
  appliance: Appliance & { readonly index: number },
): void {
  const key = hash32(home.seed, 23, day, appliance.index);
  const runs = Math.floor(appliance.perDay + unit(key));
  for (let run = 0; run < runs; run += 1) {
    const [earliest, latest] = appliance.hours;
    const utcHour = hours.indexOf(between(earliest, latest - 1, key, run, 1));
    const start = Math.max(utcHour, 0) * 60 + between(0, 59, key, run, 2);
    const length = between(...appliance.minutes, key, run, 3);
    const power = between(...appliance.watts, key, run, 4);
    for (let minute = start; minute < Math.min(start + length, MINUTES_PER_DAY); minute += 1) {
      watts[minute] = (watts[minute] ?? 0) + power;
    }
  }
}
