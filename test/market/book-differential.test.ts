import { expect, test } from 'vitest';
import { fastMarket, naiveMarket } from './twin-markets.ts';
import { describeDifference, lengthOf, runSeed, shorten } from './twin-search.ts';

/** `SEED=7` runs that seed alone; `COMMANDS=5000000` runs on from the first seed, or from `SEED`, until there were so many. */
const FIRST_SEED = Number(process.env.SEED ?? 1);
const COMMANDS = Number(process.env.COMMANDS ?? (process.env.SEED === undefined ? 200_000 : 1));

/** Seeds that once showed a difference. */
const KEPT_SEEDS: readonly number[] = [];

function expectEqual(seed: number): void {
  const difference = runSeed(seed, naiveMarket, fastMarket);
  if (difference === null) return;
  const shortest = describeDifference(seed, shorten(difference, naiveMarket, fastMarket));
  expect.fail(`${shortest}\nagain: SEED=${seed} npx vitest run test/market/book-differential.test.ts`);
}

test('the fast book says what the naive book says, over random commands', { timeout: 3_600_000 }, () => {
  let commands = 0;
  for (let seed = FIRST_SEED; commands < COMMANDS; seed += 1) {
    expectEqual(seed);
    commands += lengthOf(seed);
  }
});

test.each(KEPT_SEEDS)('seed %i, which once showed a difference', (seed) => {
  expectEqual(seed);
});
