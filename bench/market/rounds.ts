import { ordersWithin, writeStream } from './command-stream.ts';
import { EngineProcess } from './engine-process.ts';
import type { Engine } from './engines.ts';
import type { MadeStream } from './make-stream.ts';
import type { ReplayReport } from './replay.ts';
import { tradeHash } from './trade-tape.ts';

export interface Measured {
  readonly engine: Engine;
  /** By round; slow engines have fewer. */
  readonly reports: readonly ReplayReport[];
  readonly tradeHash: string;
}

export interface RoundsOptions {
  readonly file: string;
  readonly rounds: number;
  readonly quick: boolean;
}

/** With `--quick`. The stream of many books is twice as long, and its filling warms up as well. */
const QUICK_WARM_UPS = 2;
const QUICK_LONG = { warmUps: 1, rounds: 1 };

/**
 * Every engine replays the stream once a round, in turn, after all have warmed up.
 * @throws where an engine made other trades than the stream asks for
 */
export async function measureInRounds(
  made: MadeStream,
  engines: readonly Engine[],
  { file, rounds, quick }: RoundsOptions,
): Promise<Measured[]> {
  writeStream(file, made.stream);
  const taking = engines.filter((engine) => engine.mixedCommands(made.plan, quick) > 0);
  const entries = taking.map((engine) => {
    const commands = made.plan.prefill + engine.mixedCommands(made.plan, quick);
    const started = new EngineProcess(engine.name, engine.command, [file, `${commands}`, `${commands}`]);
    const expected = tradeHash(made.expected, ordersWithin(made.stream, commands));
    return { engine, process: started, commands, expected, reports: [] as ReplayReport[] };
  });
  try {
    const isLong = made.plan.books > 1;
    const enough = !quick ? Number.POSITIVE_INFINITY : isLong ? QUICK_LONG.warmUps : QUICK_WARM_UPS;
    const count = quick && isLong ? QUICK_LONG.rounds : rounds;
    for (const { engine, process } of entries) {
      for (let at = 0; at < Math.min(engine.warmUps, enough); at += 1) await process.replay();
    }
    for (let round = 0; round < count; round += 1) {
      for (const { engine, process, commands, expected, reports } of entries) {
        if (round >= engine.rounds) continue;
        const report = await process.replay();
        const hash = report.hashes[`${commands}`];
        if (hash !== expected) throw new Error(`${engine.name} made other trades: ${hash}, not ${expected}`);
        reports.push(report);
      }
    }
  } finally {
    for (const { process } of entries) process.close();
  }
  return entries.map(({ engine, expected, reports }) => ({ engine, reports, tradeHash: expected }));
}

/** Time of the processors, all threads of the engine together: a busy machine stretches the clock, not this. */
export function nanosecondsPerCommand({ cpuNanoseconds, commands }: ReplayReport): number {
  return cpuNanoseconds / commands;
}

/** How many times faster than the other, round by round: above 1 the first is the faster one. */
export function ratioTo(measured: Measured, other: Measured): number {
  const rounds = Math.min(measured.reports.length, other.reports.length);
  const ratios = Array.from({ length: rounds }, (_, round) => {
    const [own, its] = [measured.reports[round], other.reports[round]];
    return own === undefined || its === undefined
      ? Number.NaN
      : nanosecondsPerCommand(its) / nanosecondsPerCommand(own);
  });
  return median(ratios);
}

/** The middle value; of an even number the lower one. */
export function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor((values.length - 1) / 2)] ?? Number.NaN;
}

/** Three significant digits are more than these measurements hold. */
export function rounded(value: number): number {
  return value >= 100 ? Math.round(value) : Number(value.toPrecision(3));
}
