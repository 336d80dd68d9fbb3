import { describe, expect, test } from 'vitest';
import { checkGridCode } from './check-grid-code.ts';
import cat2Data from './codes/ieee1547-2018-cat2.json' with { type: 'json' };
import {
  frequencyCondition,
  gridConditions,
  milliPerUnit,
  type QuantityCondition,
  voltageCondition,
} from './conditions.ts';
import type { GridCode } from './grid-code.ts';
import { GRID_CODES, gridCode } from './grid-codes.ts';

/**
 * The numbers of IEEE 1547-2018 typed a second time. Where from: E = EPRI OpenDER, U = UL1741SB, P = NREL PyDSS,
 * S = Sandia svp_1547.1, T = TDcoSim, N = IEEE P&E Magazine 11/2017 figure 10.
 * Row: on the limit, first value beyond it, then what holds on either side as
 * [region, mode, may open after ms, must open within ms].
 */
type Expected = readonly [QuantityCondition['region'], QuantityCondition['mode'], number | null, number | null];
type Row = readonly [limit: number, beyond: number, atLimit: Expected, past: Expected];

const NORMAL: Expected = ['continuous', 'continuous', null, null];

const VOLTAGE: Record<string, readonly Row[]> = {
  'ieee1547-2018-cat1': [
    [1100, 1101, NORMAL, ['must-trip', 'permissive', 0, 2_000]], // EUP, EPS
    [1150, 1151, ['must-trip', 'permissive', 0, 2_000], ['must-trip', 'permissive', 0, 2_000]],
    [1200, 1201, ['must-trip', 'permissive', 0, 2_000], ['must-trip', 'cease', 0, 160]], // EUP, E
    [880, 879, NORMAL, ['ride-through', 'mandatory', 1_416, null]], // E: 0.7 s + 4 s/pu
    [700, 699, ['ride-through', 'mandatory', 700, null], ['must-trip', 'permissive', 0, 2_000]], // EUP
    [500, 499, ['must-trip', 'permissive', 0, 2_000], ['must-trip', 'cease', 0, 2_000]], // EP
    [450, 449, ['must-trip', 'cease', 0, 2_000], ['must-trip', 'cease', 0, 160]], // EUP
  ],
  'ieee1547-2018-cat2': [
    [1100, 1101, NORMAL, ['must-trip', 'permissive', 0, 2_000]], // EUP, EPS
    [1175, 1176, ['must-trip', 'permissive', 0, 2_000], ['must-trip', 'permissive', 0, 2_000]],
    [1200, 1201, ['must-trip', 'permissive', 0, 2_000], ['must-trip', 'cease', 0, 160]], // EUP, E
    [880, 879, NORMAL, ['ride-through', 'mandatory', 4_992, null]], // EPN: 3 s + 8.7 s/pu
    [700, 699, ['ride-through', 'mandatory', 3_435, null], ['must-trip', 'mandatory', 3_426, 10_000]], // EUP
    [650, 649, ['must-trip', 'mandatory', 3_000, 10_000], ['must-trip', 'permissive', 0, 10_000]], // EPNS
    [450, 449, ['must-trip', 'permissive', 0, 10_000], ['must-trip', 'permissive', 0, 160]], // EUP
    [300, 299, ['must-trip', 'permissive', 0, 160], ['must-trip', 'cease', 0, 160]], // EP
  ],
  'ieee1547-2018-cat3': [
    [1100, 1101, NORMAL, ['must-trip', 'momentary', 0, 13_000]], // EUP, EST
    [1200, 1201, ['must-trip', 'momentary', 0, 13_000], ['must-trip', 'cease', 0, 160]], // EUP, E
    [880, 879, NORMAL, ['must-trip', 'mandatory', 20_000, 21_000]], // EUP, EST
    [700, 699, ['must-trip', 'mandatory', 20_000, 21_000], ['must-trip', 'mandatory', 10_000, 21_000]], // EST
    [500, 499, ['must-trip', 'mandatory', 10_000, 21_000], ['must-trip', 'momentary', 0, 2_000]], // EUP, EST
  ],
};

const FREQUENCY_60: readonly Row[] = [
  [61_200, 61_201, NORMAL, ['must-trip', 'mandatory', 299_000, 300_000]], // EUP, PE
  [61_800, 61_801, ['must-trip', 'mandatory', 299_000, 300_000], ['must-trip', 'none', 0, 300_000]], // E
  [62_000, 62_001, ['must-trip', 'none', 0, 300_000], ['must-trip', 'none', 0, 160]], // EUP
  [58_800, 58_799, NORMAL, ['ride-through', 'mandatory', 299_000, null]], // PE
  [58_500, 58_499, ['ride-through', 'mandatory', 299_000, null], ['must-trip', 'mandatory', 299_000, 300_000]], // EUP
  [57_000, 56_999, ['must-trip', 'mandatory', 299_000, 300_000], ['must-trip', 'none', 0, 300_000]], // E
  [56_500, 56_499, ['must-trip', 'none', 0, 300_000], ['must-trip', 'none', 0, 160]], // EUP
];

function code(name: string): GridCode {
  const found = gridCode(name);
  if (found === null) throw new Error(`no grid code ${name}`);
  return found;
}

function shape({ region, mode, mayOpenAfterMs, mustOpenWithinMs }: QuantityCondition): Expected {
  return [region, mode, mayOpenAfterMs, mustOpenWithinMs];
}

describe('IEEE 1547-2018', () => {
  for (const [name, rows] of Object.entries(VOLTAGE)) {
    test.each(rows)(
      `${name}: %i thousandths of nominal voltage is on the near side, %i beyond`,
      (limit, beyond, at, past) => {
        expect(shape(voltageCondition(code(name), limit))).toEqual(at);
        expect(shape(voltageCondition(code(name), beyond))).toEqual(past);
      },
    );
    test.each(FREQUENCY_60)(`${name}: %i mHz is on the near side, %i beyond`, (limit, beyond, at, past) => {
      expect(shape(frequencyCondition(code(name), limit))).toEqual(at);
      expect(shape(frequencyCondition(code(name), beyond))).toEqual(past);
    });
  }

  test.each([
    [916, false],
    [917, true],
    [1050, true],
    [1051, false],
  ])('a voltage of %i thousandths is inside the enter-service window: %s', (value, inside) => {
    for (const each of GRID_CODES) expect(voltageCondition(each, value).insideEnterService).toBe(inside);
  });

  test.each([
    ['ieee1547-2018-cat2', 59_499, false],
    ['ieee1547-2018-cat2', 59_500, true],
    ['ieee1547-2018-cat2', 60_100, true],
    ['ieee1547-2018-cat2', 60_101, false],
    ['ieee1547-2018-cat2-50hz', 49_583, false],
    ['ieee1547-2018-cat2-50hz', 49_584, true],
    ['ieee1547-2018-cat2-50hz', 50_083, true],
    ['ieee1547-2018-cat2-50hz', 50_084, false],
  ] as const)('%s: %i mHz is inside the enter-service window: %s', (name, value, inside) => {
    expect(frequencyCondition(code(name), value).insideEnterService).toBe(inside);
  });

  test('service is entered after 300 s', () => {
    for (const each of GRID_CODES) expect(each.enterService.delay.ms).toBe(300_000);
  });

  test('the trip limits carry the names of the standard', () => {
    const cat2 = code('ieee1547-2018-cat2');
    expect([1201, 1101, 699, 449].map((value) => voltageCondition(cat2, value).tripLimit)).toEqual([
      'OV2',
      'OV1',
      'UV1',
      'UV2',
    ]);
    expect([62_001, 61_201, 58_499, 56_499].map((value) => frequencyCondition(cat2, value).tripLimit)).toEqual([
      'OF2',
      'OF1',
      'UF1',
      'UF2',
    ]);
  });

  test('nothing has to trip before it may: minimum times end before trip times', () => {
    for (const each of GRID_CODES) {
      for (let value = 0; value <= 1500; value += 1) {
        const { mayOpenAfterMs, mustOpenWithinMs } = voltageCondition(each, value);
        expect((mayOpenAfterMs ?? 0) < (mustOpenWithinMs ?? Number.MAX_SAFE_INTEGER)).toBe(true);
        if (mustOpenWithinMs !== null) expect(mayOpenAfterMs).not.toBeNull();
      }
    }
  });
});

test('the 50 Hz variant is the 60 Hz code times 5/6, rounded toward 50 Hz, and confirmed by nobody', () => {
  const base = code('ieee1547-2018-cat2');
  const variant = code('ieee1547-2018-cat2-50hz');
  expect(variant.voltage).toEqual(base.voltage);
  for (const table of ['trip', 'rideThrough'] as const) {
    const [from, to] = [base.frequency[table], variant.frequency[table]];
    expect(to.high.map((row) => row.above)).toEqual(from.high.map((row) => Math.floor((row.above * 5) / 6)));
    expect(to.low.map((row) => row.below)).toEqual(from.low.map((row) => Math.ceil((row.below * 5) / 6)));
    expect([...to.high, ...to.low].some((row) => row.confirmed)).toBe(false);
  }
});

test('a measured voltage is rounded away from nominal, so that an exceeded limit counts as exceeded', () => {
  expect(milliPerUnit(230_000, 230_000)).toBe(1000);
  expect(milliPerUnit(253_000, 230_000)).toBe(1100);
  expect(milliPerUnit(253_001, 230_000)).toBe(1101);
  expect(milliPerUnit(202_400, 230_000)).toBe(880);
  expect(milliPerUnit(202_399, 230_000)).toBe(879);
  const conditions = gridConditions(code('ieee1547-2018-cat2'), 230_000, {
    voltageMilliV: 253_001,
    frequencyMilliHz: 60_000,
  });
  expect(conditions.voltage.region).toBe('must-trip');
  expect(conditions.frequency.region).toBe('continuous');
});

describe('a grid code file', () => {
  type Data = Record<string, Record<string, Record<string, Record<string, unknown>[]>>>;
  const edited = (change: (data: Data) => void): unknown => {
    const data = structuredClone(cat2Data) as unknown as Data;
    change(data);
    return data;
  };
  const row = (data: Data, quantity: string, table: string, side: string, index: number): Record<string, unknown> => {
    const found = data[quantity]?.[table]?.[side]?.[index];
    if (found === undefined) throw new Error('no such row');
    return found;
  };

  test.each([
    ['grid code: not an object', 7],
    ['name: no text', edited((data) => Object.assign(data, { name: 5 }))],
    [
      'voltage.trip.high[1].above: not an integer from 1',
      edited((data) => Object.assign(row(data, 'voltage', 'trip', 'high', 1), { above: 1.1 })),
    ],
    [
      'voltage.trip.low[0].withinMs: not an integer from 0',
      edited((data) => Object.assign(row(data, 'voltage', 'trip', 'low', 0), { withinMs: -1 })),
    ],
    [
      'voltage.trip.high[1]: not in falling order',
      edited((data) => Object.assign(row(data, 'voltage', 'trip', 'high', 1), { above: 1300 })),
    ],
    [
      'frequency.rideThrough.low[1]: not in rising order',
      edited((data) => Object.assign(row(data, 'frequency', 'rideThrough', 'low', 1), { below: 56_000 })),
    ],
    [
      'voltage.trip.low: inside continuous operation',
      edited((data) => Object.assign(row(data, 'voltage', 'trip', 'low', 1), { below: 900 })),
    ],
    [
      'voltage.rideThrough.high[0].mode: not one of mandatory, permissive, momentary, cease, none',
      edited((data) => Object.assign(row(data, 'voltage', 'rideThrough', 'high', 0), { mode: 'pray' })),
    ],
    [
      'frequency.trip.low[1].confirmed: not true or false',
      edited((data) => Object.assign(row(data, 'frequency', 'trip', 'low', 1), { confirmed: 'yes' })),
    ],
    [
      'enterService.voltage: reaches outside continuous operation',
      edited((data) => Object.assign(data.enterService?.voltage ?? {}, { low: 870 })),
    ],
    [
      'enterService.frequency: low is not below high',
      edited((data) => Object.assign(data.enterService?.frequency ?? {}, { low: 60_100 })),
    ],
  ])('is refused with its place: %s', (problem, data) => {
    expect(checkGridCode(data)).toEqual({ ok: false, problem });
  });

  test('is taken as it stands when it is right', () => {
    expect(checkGridCode(cat2Data)).toEqual({ ok: true, code: code('ieee1547-2018-cat2') });
  });
});
