import { expect, test } from 'vitest';
import { wh } from '../../domain/units/energy.ts';
import { watt } from '../../domain/units/power.ts';
import { epochMs } from '../../domain/units/time.ts';
import type { HomeReadings } from './home-watch.ts';
import { LoadMeter } from './load-meter.ts';

const LENGTH = 900_000;
const interval = (n: number) => ({ start: epochMs(n * LENGTH), lengthMs: LENGTH }) as const;
const minute = (n: number) => epochMs(n * 60_000);

interface Shown {
  readonly imported?: number;
  readonly exported?: number;
  readonly generated?: number;
  /** Charging positive, W; null: the battery is silent. */
  readonly battery?: number | null;
}

function readings({ imported = 0, exported = 0, generated, battery }: Shown): HomeReadings {
  const common = { power: watt(0), voltageMilliV: 230_000, frequencyMilliHz: 50_000 };
  const device = { socPermille: 500, capacity: wh(8000), maxCharge: watt(4000), maxDischarge: watt(4000) };
  return {
    meter: { ...common, importRegister: wh(imported), exportRegister: wh(exported) },
    inverter: generated === undefined ? null : ({ generated: wh(generated), power: watt(0) } as never),
    battery: battery === undefined || battery === null ? null : { ...device, power: watt(battery) },
  };
}

const SILENT: HomeReadings = { meter: null, inverter: null, battery: null };

/** Rounds of readings, by minute, then the end of the second interval. */
function loadOf(rounds: readonly (readonly [number, HomeReadings])[]) {
  const meter = new LoadMeter();
  for (const [at, round] of rounds) {
    meter.observe(round, minute(at));
    if (at === 15) expect(meter.closeInterval(interval(0))).toBeNull();
  }
  return meter.closeInterval(interval(1));
}

test.each([
  ['a home without a roof uses what it imports', { imported: 100 }, { imported: 350 }, 250, 0],
  [
    'a home with a roof uses what it made and kept, and what it imported',
    { imported: 100, exported: 40, generated: 900 },
    { imported: 150, exported: 640, generated: 1900 },
    450,
    1000,
  ],
  ['a home that exported more than the counters explain used nothing', { exported: 0 }, { exported: 20 }, 0, 0],
])('%s', (_, from, to, consumption, generation) => {
  expect(
    loadOf([
      [15, readings(from)],
      [30, readings(to)],
    ]),
  ).toEqual({ consumption, generation });
});

test('what a battery took is not what the home used, also between its readings', () => {
  const rounds = [
    [15, readings({ imported: 0, battery: 1000 })],
    [21, readings({ imported: 100, battery: null })],
    [27, readings({ imported: 200, battery: -500 })],
    [30, readings({ imported: 300, battery: 0 })],
  ] as const;
  // 12 minutes at 1000 W in, 3 minutes at 500 W out: 200 - 25 Wh.
  expect(loadOf(rounds)).toEqual({ consumption: 125, generation: 0 });
});

test.each([
  [
    'its beginning was not measured',
    [
      [15, SILENT],
      [17, readings({ imported: 5 })],
      [30, readings({ imported: 9 })],
    ],
  ],
  [
    'its end was not measured',
    [
      [15, readings({})],
      [28, readings({ imported: 9 })],
      [30, SILENT],
    ],
  ],
  [
    'nothing was measured',
    [
      [15, SILENT],
      [30, SILENT],
    ],
  ],
] as const)('an interval has no load where %s', (_, rounds) => {
  expect(loadOf(rounds)).toBeNull();
});

test('a reading a moment after the boundary stands for it', () => {
  const meter = new LoadMeter();
  meter.observe(readings({ imported: 10 }), epochMs(LENGTH + 40));
  meter.closeInterval(interval(0));
  meter.observe(readings({ imported: 60 }), epochMs(2 * LENGTH + 300));
  expect(meter.closeInterval(interval(1))).toEqual({ consumption: 50, generation: 0 });
});
