import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

/** `SEED=7` runs that seed alone; `COMMANDS=5000000` runs on from the first seed, or from `SEED`, until there were so many. */
const FIRST_SEED = process.env.SEED ?? '1';
const COMMANDS = process.env.COMMANDS ?? (process.env.SEED === undefined ? '200000' : '1');

/** Seeds that showed a difference since the generator last changed; add to them, a changed generator empties them. */
const KEPT_SEEDS: readonly string[] = [];

const PROGRAM = fileURLToPath(new URL('./twin-program.ts', import.meta.url));
const DOMAIN = new URL('../../src/domain', import.meta.url).href;

/** In a process of its own: the test runner makes the naive book several times slower. */
function differenceFrom(seed: string, commands: string): string {
  const { stdout, stderr } = spawnSync(process.execPath, [PROGRAM, DOMAIN, seed, commands, 'shorten'], {
    encoding: 'utf8',
  });
  const text = stdout + stderr;
  const failed = /^seed (\d+)/m.exec(text)?.[1] ?? seed;
  return `${text}${text === 'no difference\n' ? '' : `again: SEED=${failed} npx vitest run test/market/book-differential.test.ts`}`;
}

test('the fast book says what the naive book says, over random commands', { timeout: 3_600_000 }, () => {
  expect(differenceFrom(FIRST_SEED, COMMANDS)).toBe('no difference\n');
});

test.each(KEPT_SEEDS)('seed %s, which once showed a difference', (seed) => {
  expect(differenceFrom(seed, '1')).toBe('no difference\n');
});
