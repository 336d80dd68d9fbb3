import { MAX_ORDER_WH } from '../../src/domain/units/energy.ts';
import type { SeededRandom } from './seeded-random.ts';

/** What differs from episode to episode, so that each of them reaches deep into another corner. */
export interface CommandManner {
  readonly memberCount: number;
  readonly memberLimit: number;
  readonly largestEnergy: number;
  readonly ids: 'counting' | 'backwards' | 'few' | 'any';
  /** Per mille of all commands. */
  readonly strange: number;
  readonly tight: number;
  /** Most limits lie on so many ticks in the middle of the band. */
  readonly nearTicks: number;
  readonly grouped: number;
  readonly cancels: number;
  readonly replaces: number;
  readonly repeats: number;
  readonly memberChanges: number;
  readonly halts: number;
  readonly gates: number;
  readonly taking: number;
}

export function randomManner(random: SeededRandom, length: number): CommandManner {
  const memberCount = random.oneOf([2, 4, 6, 9, 14]);
  return {
    memberCount,
    memberLimit: memberCount + random.below(6),
    largestEnergy: random.oneOf([3, 20, 20, 500, 60_000, MAX_ORDER_WH]),
    ids: random.oneOf(['counting', 'counting', 'backwards', 'few', 'any']),
    strange: random.oneOf([0, 2, 10, 80]),
    tight: random.oneOf([0, 200, 700]),
    nearTicks: random.oneOf([2, 6, 24, 24]),
    grouped: random.oneOf([0, 60, 400]),
    cancels: random.oneOf([20, 120, 350]),
    replaces: random.oneOf([0, 60, 300]),
    repeats: random.oneOf([20, 80, 250]),
    memberChanges: random.oneOf([0, 0, 5, 40]),
    halts: random.oneOf([0, 1, 3]),
    gates: length > 1000 ? 0 : random.oneOf([0, 0, 1, 8]),
    taking: random.oneOf([50, 200, 500]),
  };
}
