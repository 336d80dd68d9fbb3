import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { epochMs } from '../../domain/units/time.ts';
import { MarketErrors, marketErrorsPath } from './market-errors.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'market-errors-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

const NOON = Date.UTC(2026, 5, 21, 12);

function open(name: string) {
  const path = join(folder, name, 'market.err');
  const clock = { now: NOON };
  const log: string[] = [];
  const errors = new MarketErrors({ path, wallNow: () => epochMs(clock.now), log: (line) => log.push(line) });
  return { path, clock, log, errors, lines: () => readFileSync(path, 'utf8').trimEnd().split('\n') };
}

test('a line has the time, the code and why, and is one line whatever it says', async () => {
  const { errors, lines } = open('lines');
  errors.write('ERR_SYNC_TIMEOUT', 'the journal has not confirmed an order for 1,200 ms');
  errors.write('ERR_SYNC_TIMEOUT', `two\r\nlines ${'x'.repeat(1000)}`);
  await errors.close();
  const [first, second, ...more] = lines();
  expect(first).toBe('2026-06-21T12:00:00.000Z ERR_SYNC_TIMEOUT the journal has not confirmed an order for 1,200 ms');
  expect(second).toMatch(/ERR_SYNC_TIMEOUT two lines x+$/);
  expect([second?.length, more]).toEqual([525, []]);
});

test('ten lines a second are listed and the rest is counted', async () => {
  const { errors, clock, lines } = open('rate');
  for (let count = 0; count < 1000; count += 1) errors.write('ERR_SYNC_TIMEOUT', `${count}`);
  clock.now += 1000;
  errors.write('ERR_SYNC_TIMEOUT', 'later');
  await errors.close();
  expect(lines()).toHaveLength(12);
  expect(lines().slice(-2)).toEqual([
    expect.stringContaining('990 more errors came at once'),
    expect.stringContaining('later'),
  ]);
});

test('a file that was rotated away is let go of', async () => {
  const { errors, path, lines } = open('rotation');
  errors.write('ERR_SYNC_TIMEOUT', 'before');
  await errors.close();
  renameSync(path, `${path}.1`);
  errors.write('ERR_SYNC_TIMEOUT', 'after');
  await errors.close();
  expect(lines()).toEqual([expect.stringContaining('after')]);
  expect(readFileSync(`${path}.1`, 'utf8')).toContain('before');
});

test('a file that cannot be written fails nobody and is told once, until it can be again', async () => {
  const { errors, path, log, lines } = open('broken');
  mkdirSync(path, { recursive: true });
  for (const why of ['1', '2']) {
    errors.write('ERR_SYNC_TIMEOUT', why);
    await errors.close();
  }
  expect(log).toEqual([expect.stringContaining(`${path} cannot be written`)]);
  rmSync(path, { recursive: true });
  errors.write('ERR_SYNC_TIMEOUT', '3');
  await errors.close();
  expect(lines()).toHaveLength(1);
});

test('the file lies where it is configured, or in the log folder of an installed system, or with the state', () => {
  expect(marketErrorsPath('/a/b.err', 'state', folder)).toBe('/a/b.err');
  expect(marketErrorsPath(undefined, 'state', folder)).toBe(join(folder, 'market.err'));
  expect(marketErrorsPath(undefined, 'state', join(folder, 'not-there'))).toBe(join('state', 'market.err'));
});
