import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { RisingSequence } from './lease-issuer.ts';

let folder = '';
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'sequence-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

test('numbers rise over restarts, whatever was used of the reserved block', () => {
  const path = join(folder, 'sequence');
  const first = new RisingSequence(path);
  const used = [first.next(), first.next(), first.next()];
  expect(used).toEqual([1, 2, 3]);
  const again = new RisingSequence(path).next();
  expect(again).toBeGreaterThan(3);
  expect(new RisingSequence(path).next()).toBeGreaterThan(again);
});

test('a file that holds no number is refused rather than started over', () => {
  const path = join(folder, 'sequence');
  writeFileSync(path, 'garbage');
  expect(() => new RisingSequence(path)).toThrow('sequence');
});
