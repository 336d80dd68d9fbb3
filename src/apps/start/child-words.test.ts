import { appendFileSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { faultOfChild, logLength } from './child-words.ts';

let folder = '';
let log = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'words-'));
  log = join(folder, 'engine.log');
});
afterEach(() => rmSync(folder, { recursive: true }));

test.each([
  ['PORT_TAKEN: 127.0.0.1:8080 is taken\nChoose another.\nSee docs', 'PORT_TAKEN', '127.0.0.1:8080 is taken'],
  ['hello\nCONFIG_INVALID: a.yaml:3:1 no\nCorrect it', 'CONFIG_INVALID', 'a.yaml:3:1 no'],
  ['NOT_A_CODE: what\nelse', 'CHILD_FAILED', 'engine could not run: NOT_A_CODE: what\nelse'],
  ['', 'CHILD_FAILED', 'engine could not run: '],
])('a child that said %j ended of %s', (words, code, message) => {
  writeFileSync(log, words);
  expect(faultOfChild('engine', log, 0)).toMatchObject({ code, message });
});

test('what an earlier run said is not its word', () => {
  expect(logLength(log)).toBe(0);
  writeFileSync(log, 'DISK_FULL: then\n');
  const from = logLength(log);
  appendFileSync(log, 'PORT_TAKEN: now\n');
  expect(faultOfChild('engine', log, from)).toMatchObject({ code: 'PORT_TAKEN', message: 'now' });
});
