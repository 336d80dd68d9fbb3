// All tests, or those whose path contains an argument: `npm test -- src/domain/market`. Flags are vitest's.
// The last line is always `N passed, N failed, N skipped`.
import { parseCLI, startVitest } from 'vitest/node';

const { filter, options } = parseCLI(['vitest', 'run', ...process.argv.slice(2)]);
const vitest = await startVitest('test', filter, { ...options, run: true, watch: false });

const counts = { passed: 0, failed: 0, skipped: 0 };
for (const module of vitest.state.getTestModules()) {
  if (module.errors().length > 0) counts.failed += 1;
  for (const suite of module.children.allSuites()) if (suite.errors().length > 0) counts.failed += 1;
  for (const test of module.children.allTests()) counts[test.result().state] += 1;
}
counts.failed += vitest.state.getUnhandledErrors().length;
await vitest.close();

if (counts.failed > 0 || counts.passed === 0) process.exitCode = 1;
const line = `${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped\n`;
// A test that leaves something open must not hang the run.
process.stdout.write(line, () => process.exit(process.exitCode ?? 0));
