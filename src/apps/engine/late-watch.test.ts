import { expect, test } from 'vitest';
import { HandWall } from '../../../test/e2e/engine-bench.ts';
import { LateWatch } from './late-watch.ts';

function open() {
  const wall = new HandWall(0);
  const told: [string, number, number][] = [];
  return { wall, told, watch: new LateWatch(wall, 100, (...words) => told.push(words)) };
}

test('tells of what is not done in time while it waits, once a patience', async () => {
  const { wall, told, watch } = open();
  const done = watch.begin('first');
  await wall.goTo(50);
  watch.begin('second');
  await wall.goTo(99);
  expect(told).toEqual([]);
  await wall.goTo(100);
  expect(told).toEqual([['first', 100, 1]]);
  await wall.goTo(200);
  expect(told).toHaveLength(2);
  done();
  await wall.goTo(300);
  expect(told[2]).toEqual(['second', 250, 0]);
  watch.close();
  await wall.goTo(10_000);
  expect(told).toHaveLength(3);
});

test('what is done in time is never told, and a later one is watched from its own beginning', async () => {
  const { wall, told, watch } = open();
  for (let at = 0; at < 1000; at += 30) {
    await wall.goTo(at);
    const done = watch.begin(`${at}`);
    await wall.goTo(at + 20);
    done();
  }
  expect(told).toEqual([]);
  await wall.goTo(2000);
  watch.begin('late');
  await wall.goTo(2099);
  expect(told).toEqual([]);
  await wall.goTo(2100);
  expect(told).toEqual([['late', 100, 0]]);
});
