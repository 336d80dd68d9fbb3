import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { MeterReading } from '../../domain/metering/meter-reading.ts';
import { wh } from '../../domain/units/energy.ts';
import { watt } from '../../domain/units/power.ts';
import { epochMs } from '../../domain/units/time.ts';
import { MeterLog, meterLogPath } from './meter-log.ts';

let folder = '';
const said: string[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'meter-log-'));
  said.length = 0;
});
afterEach(() => rmSync(folder, { recursive: true }));

const START = Date.UTC(2026, 5, 21, 9);

function reading(second: number): MeterReading {
  const registers = { importRegister: wh(1200), exportRegister: wh(34) };
  return { at: epochMs(START + second * 1000), ...registers, power: watt(-1500 + second), quality: 'good' };
}

test('every boundary has its line, and between two boundaries a person sees a new one every ten seconds', () => {
  const path = join(folder, 'log', 'meter-sync.log');
  const log = new MeterLog(path, 'home-01', (line) => said.push(line));
  for (let second = 0; second <= 25; second += 1) log.write(reading(second), second === 12, second * 1000);
  expect(readFileSync(path, 'utf8').trimEnd().split('\n')).toEqual([
    '2026-06-21T09:00Z home-01 -1500 W, import 1200 Wh, export 34 Wh, good',
    '2026-06-21T09:00:10Z home-01 -1490 W, import 1200 Wh, export 34 Wh, good',
    '2026-06-21T09:00:12Z home-01 -1488 W, import 1200 Wh, export 34 Wh, good',
    '2026-06-21T09:00:22Z home-01 -1478 W, import 1200 Wh, export 34 Wh, good',
  ]);
  expect(said).toEqual([]);
});

test('a full file becomes the one older file', () => {
  const path = join(folder, 'meter-sync.log');
  const log = new MeterLog(path, 'home-01', (line) => said.push(line), 200);
  for (let second = 0; second < 10; second += 1) log.write(reading(second), true, second);
  const lines = (name: string) => readFileSync(name, 'utf8').trimEnd().split('\n').length;
  expect([lines(path), lines(`${path}.1`)]).toEqual([1, 3]);
});

test('a log that cannot be written is told once, and again only after it could', () => {
  const path = join(folder, 'a-file', 'meter-sync.log');
  writeFileSync(join(folder, 'a-file'), '');
  const log = new MeterLog(path, 'home-01', (line) => said.push(line));
  log.write(reading(0), true, 0);
  log.write(reading(1), true, 1);
  expect(said).toHaveLength(1);
});

test('the log lies where it is configured, or with the logs of an installed system, or with the state', () => {
  expect(meterLogPath('somewhere.log', 'state', folder)).toBe('somewhere.log');
  expect(meterLogPath(undefined, 'state', folder)).toBe(join(folder, 'meter-sync.log'));
  expect(meterLogPath(undefined, 'state', join(folder, 'not-there'))).toBe(join('state', 'meter-sync.log'));
  expect(existsSync(join(folder, 'not-there'))).toBe(false);
});
