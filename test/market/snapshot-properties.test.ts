import { describe, expect, test } from 'vitest';
import { BookCommands } from './book-commands.ts';
import { contentOf } from './book-reading.ts';
import { apply } from './market-command.ts';
import { RestartingMarket } from './restarting-market.ts';
import { SeededRandom } from './seeded-random.ts';
import { MODULES } from './twin-markets.ts';

const COMMANDS_A_SEED = 400;

/** Carries the seed's commands out in a market that runs on, and in one that is stopped again and again. */
function run(seed: number, restartPerMille: number): { live: RestartingMarket; restarted: RestartingMarket } {
  const source = new BookCommands(seed, COMMANDS_A_SEED);
  const chance = new SeededRandom(seed + 1_000_000);
  const live = new RestartingMarket(MODULES, source.products);
  const restarted = new RestartingMarket(MODULES, source.products);
  for (let count = 0; count < COMMANDS_A_SEED; count += 1) {
    const command = source.next(live);
    if (chance.happens(restartPerMille)) restarted.restart();
    expect(apply(restarted, command), `seed ${seed}, command ${count}`).toBe(apply(live, command));
  }
  return { live, restarted };
}

describe('a market that goes on from its snapshots', () => {
  test.each([10, 200])('answers and ends as one that never stopped, at %i restarts per mille', (restartPerMille) => {
    for (let seed = 1; seed <= 60; seed += 1) {
      const { live, restarted } = run(seed, restartPerMille);
      const contents = (market: RestartingMarket) => market.books.map(contentOf);
      expect(JSON.stringify(contents(restarted)), `seed ${seed}`).toBe(JSON.stringify(contents(live)));
      for (let member = 0; member < live.members.count; member += 1)
        expect(restarted.members.reserved(member), `seed ${seed}`).toBe(live.members.reserved(member));
    }
  });

  test('has the same bytes as one that never stopped', () => {
    for (let seed = 1; seed <= 60; seed += 1) {
      const { live, restarted } = run(seed, 30);
      const bytes = (market: RestartingMarket) => market.snapshots().map((part) => Buffer.from(part).toString('hex'));
      expect(bytes(restarted), `seed ${seed}`).toEqual(bytes(live));
    }
  });
});
