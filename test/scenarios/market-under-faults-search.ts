import { runSeed } from './market-under-faults-run.ts';

/** `market-under-faults-search.ts SEEDS`: runs the seeds from 1 on, says what the first failing one found, and ends with 1. */
const seeds = Number(process.argv[2]);
process.exitCode = await firstProblem();

async function firstProblem(): Promise<number> {
  for (let seed = 1; seed <= seeds; seed += 1) {
    try {
      await runSeed(seed);
    } catch (error) {
      console.log(error instanceof Error ? `${error.message.split('\n')[0]}${causesOf(error)}` : String(error));
      return 1;
    }
  }
  console.log(`no problem in ${seeds} seeds`);
  return 0;
}

function causesOf({ cause }: Error): string {
  if (!(cause instanceof Error)) return '';
  return cause.cause instanceof Error ? `: ${cause.cause.message}` : causesOf(cause);
}
