import { expect, test } from 'vitest';
import { epochMs } from '../domain/units/time.ts';
import { type BusFaults, FaultyBus } from './faulty-bus.ts';
import { MarketChance } from './market-chance.ts';
import { MarketSchedule } from './market-schedule.ts';

const SENT = Array.from({ length: 1000 }, (_, number) => number);
const NONE: BusFaults = { droppedPerMille: 0, doubledPerMille: 0, latePerMille: 0 };

/** What arrives of a thousand messages that are sent at once, in the order in which it does. */
function arrivals(faults: BusFaults, seed: number, isCut = false): { got: number[]; hash: string } {
  const schedule = new MarketSchedule(epochMs(0));
  const bus = new FaultyBus<number>(schedule, new MarketChance(seed, 1), faults);
  const got: number[] = [];
  bus.listen('b', (message) => got.push(message));
  bus.cut('a', isCut);
  for (const message of SENT) bus.send('a', 'b', message);
  while (schedule.next() !== null);
  return { got, hash: schedule.hash };
}

const sorted = (messages: readonly number[]) => [...messages].sort((a, b) => a - b);

test('without faults every message arrives once, and in no order', () => {
  const { got } = arrivals(NONE, 1);
  expect(sorted(got)).toEqual(SENT);
  expect(got).not.toEqual(SENT);
});

test.each([
  ['drops', { ...NONE, droppedPerMille: 300 }, 600, 800],
  ['doubles', { ...NONE, doubledPerMille: 300 }, 1200, 1400],
])('%s as many as it is told, and invents nothing', (_, faults, least, most) => {
  const { got } = arrivals(faults, 1);
  expect(got.length).toBeGreaterThan(least);
  expect(got.length).toBeLessThan(most);
  expect(got.filter((message) => !SENT.includes(message))).toEqual([]);
});

test('nothing goes over a link that is cut', () => {
  expect(arrivals(NONE, 1, true).got).toEqual([]);
});

test('a seed does it all again, another seed does it otherwise', () => {
  const faults = { droppedPerMille: 100, doubledPerMille: 100, latePerMille: 100 };
  expect(arrivals(faults, 7)).toEqual(arrivals(faults, 7));
  expect(arrivals(faults, 8).got).not.toEqual(arrivals(faults, 7).got);
});
