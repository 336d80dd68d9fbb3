// Writes the homes of examples/street: a synthetic fortnight of eight homes, the same for the same seed.
//   node scripts/make-example-street.ts [FOLDER]
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const SEED = 20_250_609;
const START = Date.UTC(2025, 5, 8, 22); // local midnight of 9 June in Berlin
const DAYS = 14;
const STEP_MS = 900_000;
const STEPS_PER_DAY = 96;
const LOCAL_OFFSET_HOURS = 2;

interface Home {
  readonly id: string;
  readonly baseW: number;
  /** Mean energy of its events a day, Wh. */
  readonly eventsWh: number;
  readonly peakW: number;
  /** Local hour of the sun on its roof: below 12.5 faces east, above faces west. */
  readonly noon: number;
  readonly workdayAway: boolean;
}

const HOMES: readonly Home[] = [
  { id: 'home-01', baseW: 140, eventsWh: 6500, peakW: 6000, noon: 13.2, workdayAway: true },
  { id: 'home-02', baseW: 210, eventsWh: 9000, peakW: 8400, noon: 13.0, workdayAway: false },
  { id: 'home-03', baseW: 110, eventsWh: 4200, peakW: 0, noon: 13, workdayAway: true },
  { id: 'home-04', baseW: 180, eventsWh: 11_000, peakW: 0, noon: 13, workdayAway: false },
  { id: 'home-05', baseW: 160, eventsWh: 7800, peakW: 5200, noon: 11.6, workdayAway: true },
  { id: 'home-06', baseW: 250, eventsWh: 14_000, peakW: 9800, noon: 14.6, workdayAway: false },
  { id: 'home-07', baseW: 95, eventsWh: 3100, peakW: 0, noon: 13, workdayAway: false },
  { id: 'home-08', baseW: 170, eventsWh: 8200, peakW: 4400, noon: 13.4, workdayAway: true },
];

/** mulberry32: a small generator with 32 bits of state. */
function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

function bump(hour: number, centre: number, width: number): number {
  return Math.exp(-((hour - centre) ** 2) / (2 * width * width));
}

/** How likely somebody switches something on at that local hour, relative. */
function activity(home: Home, hour: number, weekend: boolean): number {
  const atNoon = home.workdayAway && !weekend ? 0.1 : 0.7;
  return 0.05 + bump(hour, weekend ? 9 : 7.2, 1.1) + atNoon * bump(hour, 13, 1.8) + 1.6 * bump(hour, 19.5, 2);
}

/** The sky over the street: a day has a mood, and clouds pass. Clear-sky index from 0.15 to 1. */
function sky(random: () => number): number[] {
  const index: number[] = [];
  for (let day = 0; day < DAYS; day += 1) {
    const mood = 0.35 + 0.65 * random();
    let cloud = mood;
    for (let step = 0; step < STEPS_PER_DAY; step += 1) {
      cloud += 0.25 * (mood - cloud) + 0.22 * (random() - 0.5);
      cloud = Math.min(1, Math.max(0.15, cloud));
      index.push(cloud);
    }
  }
  return index;
}

/** The share of its peak that a roof gives under a clear sky in June. */
function clearSky(home: Home, hour: number): number {
  const [sunrise, sunset] = [5.2, 21.2];
  if (hour <= sunrise || hour >= sunset) return 0;
  const height = Math.sin((Math.PI * (hour - sunrise)) / (sunset - sunrise));
  return 0.86 * height ** 1.4 * (0.55 + 0.45 * bump(hour, home.noon, 3.2));
}

/** Things that run for a while: a kettle, a cooker, a washing machine. W by step. */
function events(home: Home, random: () => number): Float64Array {
  const power = new Float64Array(DAYS * STEPS_PER_DAY);
  const perStep = home.eventsWh / STEPS_PER_DAY / 700;
  for (let step = 0; step < power.length; step += 1) {
    const hour = (step % STEPS_PER_DAY) / 4;
    const weekend = Math.floor(step / STEPS_PER_DAY) % 7 >= 5;
    if (random() >= perStep * activity(home, hour, weekend) * 1.8) continue;
    const watts = 500 + 2300 * random() ** 2;
    const steps = 1 + Math.floor(4 * random());
    for (let n = step; n < Math.min(step + steps, power.length); n += 1) power[n] = (power[n] ?? 0) + watts;
  }
  return power;
}

function profileOf(home: Home, clouds: readonly number[], random: () => number): string {
  const running = events(home, random);
  const rows = ['start,consumption_wh,generation_wh'];
  for (let step = 0; step < DAYS * STEPS_PER_DAY; step += 1) {
    const at = new Date(START + step * STEP_MS);
    const hour = (at.getUTCHours() + LOCAL_OFFSET_HOURS + at.getUTCMinutes() / 60) % 24;
    const base = home.baseW * (0.85 + 0.3 * random());
    const passing = 0.92 + 0.16 * random();
    const made = home.peakW * clearSky(home, hour) * Math.min(1, (clouds[step] ?? 0) * passing);
    const [consumption, generation] = [base + (running[step] ?? 0), made].map((watts) => Math.round(watts / 4));
    rows.push(`${at.toISOString().slice(0, 16)}Z,${consumption},${generation}`);
  }
  return `${rows.join('\n')}\n`;
}

const folder = process.argv[2] ?? join(import.meta.dirname, '../examples/street');
mkdirSync(folder, { recursive: true });
const clouds = sky(randomOf(SEED));
HOMES.forEach((home, index) => {
  writeFileSync(join(folder, `${home.id}.csv`), profileOf(home, clouds, randomOf(SEED + 1 + index)));
});
