import { defineConfig } from 'vitest/config';

/** Three kinds of test: `unit` beside the code (one shared context), `ports` and `e2e` with real parts (isolated). */
export default defineConfig({
  test: {
    testTimeout: 30_000,
    projects: [
      {
        test: {
          name: 'unit',
          include: ['src/**/*.test.ts', 'web/**/*.test.ts', 'test/*.test.ts'],
          isolate: false,
          pool: 'threads',
        },
      },
      { test: { name: 'ports', include: ['test/ports/**/*.test.ts'], pool: 'forks', testTimeout: 60_000 } },
      {
        test: {
          name: 'e2e',
          include: ['test/{e2e,scenarios}/**/*.test.ts'],
          pool: 'forks',
          fileParallelism: false,
          testTimeout: 180_000,
          hookTimeout: 180_000,
        },
      },
    ],
  },
});
