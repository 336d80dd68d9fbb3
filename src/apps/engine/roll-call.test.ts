import { expect, test } from 'vitest';
import type { WallTime } from '../../adapters/clock/system-clock.ts';
import type { Wh } from '../../domain/units/energy.ts';
import type { EpochMs } from '../../domain/units/time.ts';
import { createMeterDesk } from './meter-desk.ts';
import { ACCELERATED, type Patience, REAL_TIME, RollCall } from './roll-call.ts';

/** A wall that stands until the test moves it. */
function movableWall() {
  let now = 0;
  const timers = new Set<{ readonly at: number; readonly callback: () => void }>();
  const wall: WallTime = {
    wallNow: () => now as EpochMs,
    setTimer(delayMs, callback) {
      const timer = { at: now + delayMs, callback };
      timers.add(timer);
      return () => timers.delete(timer);
    },
    clockJumpMs: () => 0,
    reanchor: () => undefined,
  };
  const move = (ms: number) => {
    now += ms;
    for (const timer of [...timers].filter(({ at }) => at <= now)) {
      timers.delete(timer);
      timer.callback();
    }
  };
  return { wall, move, timers };
}

const T = 1_000_000 as EpochMs;
const gate = { at: T, gateOf: (T + 300_000) as EpochMs, boundary: false };
const boundary = { at: T, gateOf: null, boundary: true };

function rollOf(patience: Patience, exact: boolean) {
  const moved = movableWall();
  const meters = createMeterDesk();
  const roll = new RollCall(['home-01', 'home-02'], { wall: moved.wall, meters, patience, exact });
  const read = (name: string, at: number) => {
    meters.record(name, { at: at as EpochMs, importRegister: 1 as Wh, exportRegister: 0 as Wh });
    roll.changed();
  };
  return { ...moved, roll, read };
}

async function isDone(promise: Promise<void>): Promise<boolean> {
  let done = false;
  void promise.then(() => {
    done = true;
  });
  await new Promise((resolve) => setImmediate(resolve));
  return done;
}

test('a gate waits for everybody who is online to say ready, and for nobody else', async () => {
  const { roll, timers } = rollOf(ACCELERATED, true);
  roll.setOnline('home-01', true);
  const waiting = roll.ready(gate);
  expect(await isDone(waiting)).toBe(false);
  roll.setReady('home-01', T);
  expect(await isDone(waiting)).toBe(true);
  expect(timers.size).toBe(0);
});

test('a boundary also waits for the reading of that very instant', async () => {
  const { roll, read } = rollOf(ACCELERATED, true);
  roll.setOnline('home-01', true);
  roll.setReady('home-01', T);
  const waiting = roll.ready(boundary);
  read('home-01', T - 1);
  expect(await isDone(waiting)).toBe(false);
  read('home-01', T);
  expect(await isDone(waiting)).toBe(true);
});

test('patience ends; whom it waited for is named after a second', async () => {
  const { roll, move } = rollOf(ACCELERATED, true);
  roll.setOnline('home-01', true);
  const waiting = roll.ready(gate);
  expect(roll.heldFor).toEqual([]);
  move(1000);
  expect(roll.heldFor).toEqual(['home-01']);
  move(2000);
  expect(await isDone(waiting)).toBe(true);
  expect(roll.heldFor).toEqual([]);
});

test('one who goes offline is not waited for any longer', async () => {
  const { roll } = rollOf(ACCELERATED, true);
  roll.setOnline('home-01', true);
  const waiting = roll.ready(gate);
  roll.setOnline('home-01', false);
  expect(await isDone(waiting)).toBe(true);
});

test('the start waits for all to appear', async () => {
  const { roll, move } = rollOf(ACCELERATED, true);
  const waiting = roll.ready({ at: T, gateOf: null, boundary: false });
  expect(await isDone(waiting)).toBe(false);
  for (const name of ['home-01', 'home-02']) {
    roll.setOnline(name, true);
    roll.setReady(name, T);
  }
  expect(await isDone(waiting)).toBe(true);
  const late = rollOf(ACCELERATED, true);
  const again = late.roll.ready({ at: T, gateOf: null, boundary: false });
  move(0);
  late.move(ACCELERATED.startMs);
  expect(await isDone(again)).toBe(true);
});

test('in real time a gate is firm and a boundary waits for late readings only', async () => {
  const { roll, read } = rollOf(REAL_TIME, false);
  roll.setOnline('home-01', true);
  expect(await isDone(roll.ready(gate))).toBe(true);
  const waiting = roll.ready(boundary);
  expect(await isDone(waiting)).toBe(false);
  read('home-01', T + 700);
  expect(await isDone(waiting)).toBe(true);
});
