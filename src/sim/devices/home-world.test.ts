import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { wh } from '../../domain/units/energy.ts';
import { watt } from '../../domain/units/power.ts';
import { type EpochMs, epochMs } from '../../domain/units/time.ts';
import { createHomeProfile } from '../homes/home-profile.ts';
import { type HomePlan, planStreet } from '../homes/street-plan.ts';
import { FeederWorld } from './feeder-world.ts';
import { HomeWorld } from './home-world.ts';

const START = epochMs(Date.UTC(2026, 5, 21, 8, 54));
const MINUTE = 60_000;
const street = planStreet({ homes: 12, seed: 1 });

function homeWith(what: { pv: boolean; battery: boolean }): HomePlan {
  const home = street.homes.find(({ pv, battery }) => (pv !== null) === what.pv && (battery !== null) === what.battery);
  if (home === undefined) throw new Error('no such home in the street');
  return home;
}

const BATTERY_HOME = homeWith({ pv: true, battery: true });
const PV_HOME = homeWith({ pv: true, battery: false });
const PLAIN_HOME = homeWith({ pv: false, battery: false });

function world(plan: HomePlan): HomeWorld {
  return new HomeWorld({ plan, start: START });
}

function minutesIn(minutes: number): EpochMs {
  return epochMs(START + minutes * MINUTE);
}

type Command = (home: HomeWorld) => void;
const commands: fc.Arbitrary<Command> = fc.oneof(
  fc.boolean().map((closed) => (home: HomeWorld) => home.commandRelay(closed)),
  fc
    .record({
      mode: fc.integer({ min: 0, max: 3 }),
      inRate: fc.integer({ min: -10_000, max: 10_000 }),
      outRate: fc.integer({ min: -10_000, max: 10_000 }),
      revertSeconds: fc.constantFrom(0, 1, 90, 4000),
    })
    .map((points) => (home: HomeWorld) => home.controlStorage(points)),
);
const history = fc.array(fc.tuple(fc.integer({ min: 1, max: 3_600_000 }), commands), { maxLength: 8 });

describe('a home', () => {
  test('ends the same however often it was advanced', () => {
    const property = fc.property(
      history,
      fc.array(fc.integer({ min: 1, max: 40_000 }), { minLength: 1, maxLength: 30 }),
      (steps, jumps) => {
        const once = world(BATTERY_HOME);
        const often = world(BATTERY_HOME);
        let at: number = START;
        for (const [duration, command] of steps) {
          command(once);
          command(often);
          at += duration;
          once.advanceTo(epochMs(at));
          for (let part = often.at, jump = 0; part < at; jump += 1) {
            part = epochMs(Math.min(at, part + (jumps[jump % jumps.length] ?? 1) * (1 + Math.floor(jump / 30))));
            often.advanceTo(part);
          }
        }
        expect(often.save()).toEqual(once.save());
        expect(often.flows).toEqual(once.flows);
      },
    );
    fc.assert(property, { numRuns: 60 });
  });

  test('ends the same when it was saved, written as JSON and restored on the way', () => {
    const property = fc.property(history, (steps) => {
      const through = world(BATTERY_HOME);
      let restarted = world(BATTERY_HOME);
      let at: number = START;
      for (const [duration, command] of steps) {
        command(through);
        command(restarted);
        at += duration;
        through.advanceTo(epochMs(at));
        restarted.advanceTo(epochMs(at));
        restarted = new HomeWorld({
          plan: BATTERY_HOME,
          start: START,
          saved: JSON.parse(JSON.stringify(restarted.save())),
        });
      }
      expect(restarted.save()).toEqual(through.save());
      expect(restarted.flows).toEqual(through.flows);
    });
    fc.assert(property, { numRuns: 30 });
  });

  test('has registers that never go back, and a battery that is never over-full or below empty', () => {
    const property = fc.property(history, (steps) => {
      const home = world(BATTERY_HOME);
      let before = home.meter;
      for (const [duration, command] of steps) {
        command(home);
        home.advanceTo(epochMs(home.at + duration));
        expect(home.meter.importRegister).toBeGreaterThanOrEqual(before.importRegister);
        expect(home.meter.exportRegister).toBeGreaterThanOrEqual(before.exportRegister);
        expect(home.socPermille).toBeGreaterThanOrEqual(0);
        expect(home.socPermille).toBeLessThanOrEqual(1000);
        before = home.meter;
      }
    });
    fc.assert(property, { numRuns: 60 });
  });

  test('without devices imports what its profile says, to the watt-hour', () => {
    const home = world(PLAIN_HOME);
    home.advanceTo(minutesIn(24 * 60));
    const { consumption } = createHomeProfile(PLAIN_HOME).intervalEnergy(START, 24 * 60 * MINUTE);
    expect(Math.abs(home.meter.importRegister - consumption)).toBeLessThanOrEqual(1);
    expect(home.meter.exportRegister).toBe(0);
  });

  test('does not go back in time', () => {
    const home = world(PV_HOME);
    home.advanceTo(minutesIn(30));
    const state = home.save();
    home.advanceTo(minutesIn(10));
    expect(home.save()).toBe(state);
  });
});

describe('the export path', () => {
  test('open: the home keeps its own sun and exports nothing, whatever the battery was told', () => {
    const property = fc.property(history, (steps) => {
      const home = world(BATTERY_HOME);
      home.setStuckContact('open');
      for (const [duration, command] of steps) {
        command(home);
        home.advanceTo(epochMs(home.at + duration));
        expect(home.flows.net).toBeGreaterThanOrEqual(0);
        expect(home.flows.load).toBeGreaterThan(0);
      }
      expect(home.meter.exportRegister).toBe(0);
    });
    fc.assert(property, { numRuns: 40 });
  });

  test('curtails only what the home cannot use, and gives the surplus once closed', () => {
    const home = world(PV_HOME);
    home.advanceTo(minutesIn(60));
    expect(home.flows).toMatchObject({ net: 0, pv: home.flows.load });
    home.commandRelay(true);
    const sun = createHomeProfile(PV_HOME).generationAt(home.at);
    expect(home.flows).toMatchObject({ pv: sun, net: home.flows.load - sun });
    home.advanceTo(minutesIn(120));
    expect(home.meter.exportRegister).toBeGreaterThan(0);
  });

  test('a welded contact stays closed against the command', () => {
    const home = world(PV_HOME);
    home.commandRelay(true);
    home.setStuckContact('closed');
    home.commandRelay(false);
    expect([home.relayCommand, home.contactClosed]).toEqual([false, true]);
    home.setStuckContact(null);
    expect(home.contactClosed).toBe(false);
  });
});

describe('a battery', () => {
  const power = BATTERY_HOME.battery?.power ?? watt(0);

  test('holds the set-point of a window without width, charging and discharging', () => {
    const home = world(BATTERY_HOME);
    home.commandRelay(true);
    home.controlStorage({ mode: 3, inRate: 2500, outRate: -2500 });
    expect(home.flows.battery).toBe(Math.round(power / 4));
    home.controlStorage({ inRate: -5000, outRate: 5000 });
    expect(home.flows.battery).toBe(-Math.round(power / 2));
    home.controlStorage({ inRate: 0, outRate: 0 });
    expect(home.flows.battery).toBe(0);
  });

  test('goes back to its own rule when nobody renews the set-point in time', () => {
    const home = world(BATTERY_HOME);
    home.controlStorage({ mode: 3, inRate: 10_000, outRate: -10_000, revertSeconds: 90 });
    home.advanceTo(epochMs(START + 89_999));
    expect(home.storage.mode).toBe(3);
    home.advanceTo(epochMs(START + 90_000));
    expect(home.storage.mode).toBe(0);
  });

  test('gives back its round-trip efficiency', () => {
    const home = world(BATTERY_HOME);
    home.commandRelay(true);
    const capacity = BATTERY_HOME.battery?.capacity ?? wh(0);
    home.controlStorage({ mode: 3, inRate: -10_000, outRate: 10_000 });
    home.advanceTo(minutesIn(180));
    expect(home.socPermille).toBe(0);
    expect(chargedUntilFull(home) / capacity).toBeCloseTo(1 / 0.92, 2);
  });
});

/** The energy at the terminals that fills the battery, Wh. */
function chargedUntilFull(home: HomeWorld): number {
  home.controlStorage({ mode: 3, inRate: 10_000, outRate: -10_000 });
  let sum = 0;
  while (home.flows.battery > 0) {
    sum += home.flows.battery / 60;
    home.advanceTo(epochMs(home.at + MINUTE));
  }
  return sum;
}

describe('a planted meter error', () => {
  test('shows in the first reading after its instant, once, and not in the truth', () => {
    const planted = { energy: wh(1), after: minutesIn(6) };
    const wrong = new HomeWorld({ plan: PLAIN_HOME, start: START, meterError: planted });
    const right = world(PLAIN_HOME);
    const differences = [6, 7, 21, 36].map((minutes) => {
      for (const home of [wrong, right]) home.advanceTo(minutesIn(minutes));
      expect(wrong.trueMeter).toEqual(right.meter);
      return wrong.meter.importRegister - right.meter.importRegister;
    });
    expect(differences).toEqual([0, 1, 1, 1]);
  });
});

describe('the grid', () => {
  test('stays near 230 V and 50 Hz, and does what a fault is told', () => {
    const home = world(PLAIN_HOME);
    for (let minute = 1; minute < 60; minute += 1) {
      home.advanceTo(minutesIn(minute));
      expect(Math.abs(home.voltageMilliV - 230_000)).toBeLessThanOrEqual(1200);
      expect(Math.abs(home.frequencyMilliHz - 50_000)).toBeLessThanOrEqual(20);
    }
    home.setGrid({ voltageMilliV: 190_000, frequencyMilliHz: 51_600 });
    expect([home.voltageMilliV, home.frequencyMilliHz]).toEqual([190_000, 51_600]);
    home.setGrid({ voltageMilliV: null });
    expect(home.voltageMilliV).not.toBe(190_000);
    expect(home.frequencyMilliHz).toBe(51_600);
  });
});

describe('the feeder', () => {
  const netOf = ({ importRegister, exportRegister }: { importRegister: number; exportRegister: number }) =>
    importRegister - exportRegister;

  test('moves by exactly what its homes moved, at any instant and with any commands', () => {
    const property = fc.property(
      fc.array(fc.tuple(fc.nat(11), fc.integer({ min: 1, max: 900_000 }), commands), { maxLength: 12 }),
      (steps) => {
        const feeder = new FeederWorld(street.homes.map(world));
        let before = feeder.meter;
        for (const [index, duration, command] of steps) {
          const home = feeder.homes[index];
          if (home !== undefined) command(home);
          feeder.advanceTo(epochMs((feeder.homes[0]?.at ?? START) + duration));
          expect(netOf(feeder.meter)).toBe(feeder.homes.reduce((sum, { meter }) => sum + netOf(meter), 0));
          expect(feeder.meter.importRegister).toBeGreaterThanOrEqual(before.importRegister);
          expect(feeder.meter.exportRegister).toBeGreaterThanOrEqual(before.exportRegister);
          before = feeder.meter;
        }
      },
    );
    fc.assert(property, { numRuns: 30 });
  });

  test('ends the same however often it was advanced, also over a restart', () => {
    const once = new FeederWorld(street.homes.map(world));
    let often = new FeederWorld(street.homes.map(world));
    for (const home of [...once.homes, ...often.homes]) home.commandRelay(true);
    for (let at = START + 7_000; at < minutesIn(90); at += 7_000) {
      often.advanceTo(epochMs(at));
      if ((at - START) % 217_000 !== 0) continue;
      const saved = often.homes.map((home) => home.save());
      const homes = street.homes.map((plan, index) => {
        const state = saved[index];
        return new HomeWorld({ plan, start: START, ...(state === undefined ? {} : { saved: state }) });
      });
      often = new FeederWorld(homes, often.save());
    }
    often.advanceTo(minutesIn(90));
    once.advanceTo(minutesIn(90));
    expect(often.save()).toEqual(once.save());
    expect(often.homes.map((home) => home.save())).toEqual(once.homes.map((home) => home.save()));
    expect(often.power).toBe(once.power);
  });

  test('shows a planted error of one home as one watt-hour of difference', () => {
    const homes = street.homes.map((plan, index) =>
      index === 3 ? new HomeWorld({ plan, start: START, meterError: { energy: wh(1), after: START } }) : world(plan),
    );
    const feeder = new FeederWorld(homes);
    feeder.advanceTo(minutesIn(21));
    expect(homes.reduce((sum, { meter }) => sum + netOf(meter), 0) - netOf(feeder.meter)).toBe(1);
  });
});
