import { floorDivide } from '../../domain/units/division.ts';
import { type Wh, wh } from '../../domain/units/energy.ts';
import { MINUTE_MS } from '../../domain/units/interval.ts';
import { type Watt, watt } from '../../domain/units/power.ts';
import { type EpochMs, epochMs } from '../../domain/units/time.ts';
import { loadOfDay, MINUTES_PER_DAY } from './household-load.ts';
import { pvPower } from './solar.ts';
import type { HomePlan } from './street-plan.ts';

/** What a home draws and what its roof gives, constant within each minute of market time. */
export interface HomeProfile {
  loadAt(at: EpochMs): Watt;
  generationAt(at: EpochMs): Watt;
  /** Both energies of [start, start + lengthMs). Adjoining intervals add up: no watt-hour is lost between them. */
  intervalEnergy(start: EpochMs, lengthMs: number): { readonly consumption: Wh; readonly generation: Wh };
}

const DAY_MS = MINUTES_PER_DAY * MINUTE_MS;
const WATT_MS_PER_WH = 3_600_000;
const DAYS_KEPT = 8;

/** One quantity of one UTC day. Its sum is a whole number of watt-hours, so that every day counts from zero. */
interface DayCurve {
  readonly watts: Int32Array;
  /** Watt-minutes before each minute; the last entry is the whole day. */
  readonly before: Float64Array;
}

interface Day {
  readonly load: DayCurve;
  readonly generation: DayCurve;
}

/** The home's behaviour as a function of time alone; the days it has worked out last are kept. */
export function createHomeProfile(home: HomePlan): HomeProfile {
  const days = new Map<number, Day>();
  const dayOf = (index: number): Day => {
    let day = days.get(index);
    if (day === undefined) {
      day = { load: curveOf(loadOfDay(home, index)), generation: curveOf(generationOfDay(home, index)) };
      const [oldest] = days.keys();
      if (days.size >= DAYS_KEPT && oldest !== undefined) days.delete(oldest);
      days.set(index, day);
    }
    return day;
  };
  const at = (instant: EpochMs) => dayOf(floorDivide(instant, DAY_MS));
  return {
    loadAt: (instant) => powerAt(at(instant).load, instant),
    generationAt: (instant) => powerAt(at(instant).generation, instant),
    intervalEnergy: (start, lengthMs) => ({
      consumption: energyBetween((day) => dayOf(day).load, start, lengthMs),
      generation: energyBetween((day) => dayOf(day).generation, start, lengthMs),
    }),
  };
}

function generationOfDay(home: HomePlan, day: number): Int32Array {
  const watts = new Int32Array(MINUTES_PER_DAY);
  const { pv, location, streetSeed } = home;
  if (pv === null) return watts;
  for (let minute = 0; minute < MINUTES_PER_DAY; minute += 1) {
    const at = epochMs(day * DAY_MS + minute * MINUTE_MS);
    watts[minute] = Math.round(Math.min(pv.peak, pvPower(pv, location, streetSeed, at)));
  }
  return watts;
}

/** Takes the at most 59 watt-minutes beyond the last whole watt-hour of the day off its strongest minutes. */
function curveOf(watts: Int32Array): DayCurve {
  const trimmed = Int32Array.from(watts);
  let excess = sumOf(trimmed) % 60;
  while (excess > 0) {
    const power = trimmed.reduce((most, each) => Math.max(most, each), 0);
    trimmed[trimmed.indexOf(power)] = Math.max(power - excess, 0);
    excess -= Math.min(power, excess);
  }
  const before = new Float64Array(MINUTES_PER_DAY + 1);
  for (let minute = 0; minute < MINUTES_PER_DAY; minute += 1) {
    before[minute + 1] = (before[minute] ?? 0) + (trimmed[minute] ?? 0);
  }
  return { watts: trimmed, before };
}

function sumOf(watts: Int32Array): number {
  return watts.reduce((sum, power) => sum + power, 0);
}

function powerAt(curve: DayCurve, at: EpochMs): Watt {
  const inDay = at - floorDivide(at, DAY_MS) * DAY_MS;
  return watt(curve.watts[floorDivide(inDay, MINUTE_MS)] ?? 0);
}

function energyBetween(curveOfDay: (day: number) => DayCurve, start: EpochMs, lengthMs: number): Wh {
  let sum = 0;
  const end = start + lengthMs;
  for (let day = floorDivide(start, DAY_MS); day * DAY_MS < end; day += 1) {
    const from = Math.max(start - day * DAY_MS, 0);
    const to = Math.min(end - day * DAY_MS, DAY_MS);
    const curve = curveOfDay(day);
    sum += wholeWhBefore(curve, to) - wholeWhBefore(curve, from);
  }
  return wh(sum);
}

function wholeWhBefore(curve: DayCurve, inDay: number): number {
  const minute = floorDivide(inDay, MINUTE_MS);
  const inMinute = (curve.watts[minute] ?? 0) * (inDay - minute * MINUTE_MS);
  return floorDivide((curve.before[minute] ?? 0) * MINUTE_MS + inMinute, WATT_MS_PER_WH);
}
