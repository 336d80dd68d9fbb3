import { describe, expect, test } from 'vitest';
import { epochMs } from '../../domain/units/time.ts';
import { type HomePlan, planStreet } from '../homes/street-plan.ts';
import { feederRegisters, homeRegisters } from './device-registers.ts';
import { FeederWorld } from './feeder-world.ts';
import { HomeWorld } from './home-world.ts';
import { addressOf, commonModel, ModelImage, sunSpecMap } from './sunspec-layout.ts';

const START = epochMs(Date.UTC(2026, 5, 21, 8, 54));
const { homes } = planStreet({ homes: 12, seed: 1 });

function worldOf(has: (plan: HomePlan) => boolean): HomeWorld {
  const plan = homes.find(has);
  if (plan === undefined) throw new Error('no such home in the street');
  return new HomeWorld({ plan, start: START });
}

const batteryHome = () => worldOf(({ battery }) => battery !== null);
const plainHome = () => worldOf(({ pv }) => pv === null);

/** Where model 124 of unit 3 begins: after SunS, the common model and model 802. */
const STORAGE = 40_000 + 2 + 68 + 64;

describe('the units of a home', () => {
  test.each([
    [1, 2 + 68 + 107 + 2],
    [2, 2 + 68 + 52 + 2],
    [3, 2 + 68 + 64 + 26 + 2],
  ])('unit %i is a SunSpec map of %i registers and nothing beyond', (unit, size) => {
    const image = homeRegisters(batteryHome());
    const map = image.readHolding(unit, 40_000, size);
    expect(map.slice(0, 4)).toEqual([0x5375, 0x6e53, 1, 66]);
    expect(map.slice(-2)).toEqual([0xffff, 0]);
    expect(image.readHolding(unit, 40_000, size + 1)).toBe('illegal_address');
    expect(image.readHolding(unit, 39_999, 1)).toBe('illegal_address');
  });

  test('are only those that the home has', () => {
    const image = homeRegisters(plainHome());
    expect([2, 3, 5].map((unit) => image.readHolding(unit, 40_000, 2))).toEqual(['no_unit', 'no_unit', 'no_unit']);
    expect(image.readHolding(4, 40_000, 2)).toBe('illegal_address');
  });
});

describe('the relay', () => {
  test('boots open, follows its coil, and reports its contact', () => {
    const world = batteryHome();
    const image = homeRegisters(world);
    const bits = () => [image.readCoils(4, 0, 1), image.readDiscreteInputs(4, 0, 1)];
    expect(bits()).toEqual([[false], [false]]);
    expect(image.writeCoils(4, 0, [true])).toBe('ok');
    expect(bits()).toEqual([[true], [true]]);
    world.setStuckContact('open');
    expect(bits()).toEqual([[true], [false]]);
  });

  test('has one coil', () => {
    const image = homeRegisters(batteryHome());
    expect(image.writeCoils(4, 1, [true])).toBe('illegal_address');
    expect(image.writeCoils(4, 0, [true, true])).toBe('illegal_address');
    expect(image.writeCoils(1, 0, [true])).toBe('illegal_function');
    expect(image.readCoils(4, 0, 2)).toBe('illegal_address');
    expect(image.readDiscreteInputs(1, 0, 1)).toBe('illegal_function');
  });
});

describe('the storage controls', () => {
  test('take a window in one write and show it', () => {
    const world = batteryHome();
    const image = homeRegisters(world);
    expect(image.writeHolding(3, STORAGE + 12, [0x10000 - 2500, 2500])).toBe('ok');
    expect(image.writeHolding(3, STORAGE + 5, [3])).toBe('ok');
    expect(world.storage).toMatchObject({ mode: 3, outRate: -2500, inRate: 2500 });
    expect(image.readHolding(3, STORAGE + 12, 2)).toEqual([0x10000 - 2500, 2500]);
  });

  test.each([
    ['a mode with other bits', STORAGE + 5, [4], 'illegal_value'],
    ['a rate beyond 100 %', STORAGE + 12, [10_001], 'illegal_value'],
    ['a good rate beside a bad one', STORAGE + 12, [100, 10_001], 'illegal_value'],
    ['a good rate beside what cannot be written', STORAGE + 13, [100, 1], 'illegal_address'],
    ['a measurement', STORAGE + 8, [1], 'illegal_address'],
    ['the common model', 40_002, [1], 'illegal_address'],
  ])('refuse %s and change nothing', (_, address, registers, refusal) => {
    const world = batteryHome();
    const before = world.save();
    expect(homeRegisters(world).writeHolding(3, address, registers)).toBe(refusal);
    expect(world.save()).toBe(before);
  });

  test('are in no other unit', () => {
    expect(homeRegisters(batteryHome()).writeHolding(1, STORAGE + 5, [3])).toBe('illegal_address');
    expect(homeRegisters(plainHome()).writeHolding(3, STORAGE + 5, [3])).toBe('no_unit');
  });
});

test('a street beyond what 16 bits of watts hold is shown with another scale', () => {
  const many = planStreet({ homes: 60, seed: 1 }).homes.map((plan) => new HomeWorld({ plan, start: START }));
  for (const home of many) home.commandRelay(true);
  const feeder = new FeederWorld(many);
  feeder.advanceTo(epochMs(START + 3 * 3_600_000));
  expect(feeder.power).toBeLessThan(-32_768);
  const [watts = 0, , , , scale = 0] = feederRegisters(feeder).readHolding(1, 40_070 + 18, 5) as number[];
  expect(Math.abs((watts - 0x10000) * 10 ** scale - feeder.power)).toBeLessThanOrEqual(50);
});

test('a register that is no 16 bits, or stands outside its model, is a bug', () => {
  expect(() => new ModelImage(203).word(7, 70_000)).toThrow('bug');
  expect(() => new ModelImage(203).word(107, 1)).toThrow('bug');
  expect(() => new ModelImage(999)).toThrow('bug');
  expect(() => addressOf([commonModel('a', 'b')], 203)).toThrow('bug');
  expect(sunSpecMap([commonModel('Elm', 'x')]).slice(2 + 18, 2 + 20)).toEqual([0x456c, 0x6d00]);
});
