import { defineConfig } from 'vitest/config';

/**
 * Kinds of test: `unit` beside the code (one shared context), the market's proofs and the house rules; `ports` with
 * real parts (isolated); `e2e` with real processes, one file at a time. The groups run one after the other, so that no
 * test that watches a clock shares the machine with the crowd.
 */
export default defineConfig({
  test: {
    reporters: ['default'],
    projects: [
      {
        test: {
          name: 'unit',
          include: ['src/**/*.test.ts', 'web/**/*.test.ts', 'test/{house/,market/,market-proof/,}*.test.ts'],
          isolate: false,
          pool: 'threads',
          testTimeout: 30_000,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          name: 'ports',
          include: ['test/ports/**/*.test.ts'],
          pool: 'forks',
          testTimeout: 60_000,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          name: 'e2e',
          include: ['test/{e2e,scenarios}/**/*.test.ts'],
          pool: 'forks',
          fileParallelism: false,
          testTimeout: 180_000,
          hookTimeout: 180_000,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
});
