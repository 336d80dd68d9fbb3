import { appendFileSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { wh } from '../../domain/units/energy.ts';
import { epochMs } from '../../domain/units/time.ts';
import { openLoadHistory } from './load-history.ts';

let folder = '';
let path = '';
const said: string[] = [];
const open = () => openLoadHistory(path, (line) => said.push(line));
const quarter = (n: number) => epochMs(n * 900_000);
const load = (n: number) => ({ consumption: wh(n), generation: wh(2 * n) });

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'load-history-'));
  path = join(folder, 'home', 'load-history.jsonl');
  said.length = 0;
});
afterEach(() => rmSync(folder, { recursive: true }));

test('what was recorded is found again after a restart', () => {
  const first = open();
  first.record(quarter(1), load(10));
  expect(first.measured(quarter(1))).toEqual(load(10));
  const second = open();
  expect(second.measured(quarter(1))).toEqual(load(10));
  expect(second.measured(quarter(2))).toBeNull();
});

test('a line that a power cut tore is left out, and the next one is whole', () => {
  const first = open();
  first.record(quarter(1), load(10));
  first.record(quarter(2), load(20));
  truncateSync(path, readFileSync(path).length - 9);
  const second = open();
  expect(second.measured(quarter(2))).toBeNull();
  second.record(quarter(3), load(30));
  const third = open();
  expect([1, 2, 3].map((n) => third.measured(quarter(n)))).toEqual([load(10), null, load(30)]);
});

test('what is no history is left out', () => {
  open().record(quarter(1), load(10));
  appendFileSync(path, '{"start":1.5,"consumption":1,"generation":1}\nnull\n[]\n{"start":2}\n');
  open();
  expect(readFileSync(path, 'utf8')).toBe('{"start":900000,"consumption":10,"generation":20}\n');
});

test('of years, the last three weeks are kept', () => {
  open();
  const lines = Array.from({ length: 5000 }, (_, n) => JSON.stringify({ start: quarter(n), ...load(n) }));
  writeFileSync(path, `${lines.join('\n')}\n`);
  const history = open();
  expect(history.measured(quarter(2999))).toBeNull();
  expect(history.measured(quarter(3000))).toEqual(load(3000));
  expect(readFileSync(path, 'utf8').split('\n')).toHaveLength(2001);
});

test('a disk that takes nothing is told of, and the process remembers', () => {
  const history = open();
  rmSync(join(folder, 'home'), { recursive: true });
  history.record(quarter(1), load(10));
  expect(history.measured(quarter(1))).toEqual(load(10));
  expect(said).toEqual([expect.stringContaining('cannot be written')]);
});
