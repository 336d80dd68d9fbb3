import type { EpochMs } from '../../domain/units/time.ts';
import { unit } from './prng.ts';
import type { Location, PvPlan } from './street-plan.ts';

const DAY_MS = 86_400_000;
const QUARTER_HOUR_MS = 900_000;
const RADIANS = Math.PI / 180;
/** Inverter, temperature, soiling and a roof that never points at the sun. */
const PERFORMANCE = 0.82;

/** The sine of the sun's elevation over the horizon; negative at night. Fourier fit of Spencer 1971, good to half a degree. */
export function sinElevation(at: EpochMs, { latitude, longitude }: Location): number {
  const date = new Date(at);
  const yearStart = Date.UTC(date.getUTCFullYear(), 0, 1);
  const angle = ((2 * Math.PI) / 365) * ((at - yearStart) / DAY_MS);
  const declination =
    0.006918 -
    0.399912 * Math.cos(angle) +
    0.070257 * Math.sin(angle) -
    0.006758 * Math.cos(2 * angle) +
    0.000907 * Math.sin(2 * angle);
  const equationOfTimeDays =
    (0.000075 +
      0.001868 * Math.cos(angle) -
      0.032077 * Math.sin(angle) -
      0.014615 * Math.cos(2 * angle) -
      0.040849 * Math.sin(2 * angle)) /
    (2 * Math.PI);
  const solarDay = (at % DAY_MS) / DAY_MS + longitude / 360 + equationOfTimeDays;
  const hourAngle = 2 * Math.PI * (solarDay - 0.5);
  const north = latitude * RADIANS;
  return Math.sin(north) * Math.sin(declination) + Math.cos(north) * Math.cos(declination) * Math.cos(hourAngle);
}

/** Global horizontal irradiance under a clear sky in W/m2, after Haurwitz 1945. */
export function clearSkyIrradiance(sinOfElevation: number): number {
  return sinOfElevation <= 0.001 ? 0 : 1098 * sinOfElevation * Math.exp(-0.057 / sinOfElevation);
}

/** The share of the clear sky that gets through, 0.3 to 1: one sky over the whole street, day by day and quarter-hour. */
export function cloudIndex(streetSeed: number, at: EpochMs): number {
  const day = Math.floor(at / DAY_MS);
  const quarter = Math.floor(at / QUARTER_HOUR_MS);
  const fairness = unit(streetSeed, 11, day);
  const passing = unit(streetSeed, 12, quarter);
  return 0.3 + 0.7 * Math.sqrt(fairness) * (0.75 + 0.25 * passing);
}

/** AC power of a roof in W, a real number: the simulator's physics. */
export function pvPower(pv: PvPlan, location: Location, streetSeed: number, at: EpochMs): number {
  const seenAt = (at - pv.orientationMs) as EpochMs;
  const clear = clearSkyIrradiance(sinElevation(seenAt, location));
  const daylight = sinElevation(at, location) > 0 ? 1 : 0.1;
  return pv.peak * (clear / 1000) * PERFORMANCE * cloudIndex(streetSeed, at) * daylight;
}
