import { join } from 'node:path';
import type { BenchResult } from '../main.ts';
import type { BarMeasure } from './bars.ts';
import type { Engine } from './engines.ts';
import { type MadeStream, makeStream, type StreamPlan } from './make-stream.ts';
import { type Measured, measureInRounds, median, nanosecondsPerCommand, ratioTo, rounded } from './rounds.ts';

export interface StreamRowsOptions {
  readonly plans: readonly StreamPlan[];
  readonly engines: readonly Engine[];
  readonly folder: string;
  readonly rounds: number;
  readonly quick: boolean;
  readonly measures: BarMeasure[];
}

/** One row an engine and stream; ratios above 1 say how many times faster the row's engine is than the other. */
export async function* streamRows(options: StreamRowsOptions): AsyncGenerator<BenchResult> {
  const { plans, engines, folder, rounds, quick, measures } = options;
  for (const plan of plans) {
    const made = makeStream(plan);
    const file = join(folder, 'stream.bin');
    const measured = await measureInRounds(made, engines, { file, rounds, quick });
    for (const one of measured) {
      const ratios = measured.filter((other) => other !== one).map((other) => ({ other, ratio: ratioTo(one, other) }));
      for (const { other, ratio } of ratios) {
        measures.push({ name: `${one.engine.name}/${other.engine.name}/${plan.name}`, value: ratio });
      }
      const isOurs = one.engine.name === 'full' || one.engine.name === 'bare';
      yield { ...row(made, one), ...Object.fromEntries(isOurs ? ratios.map(namedRatio) : []) };
    }
  }
}

function row({ plan, fewestLive, mostLive }: MadeStream, { engine, reports, tradeHash }: Measured): BenchResult {
  const nsPerCommand = median(reports.map(nanosecondsPerCommand));
  return {
    bench: 'market',
    stream: plan.name,
    engine: engine.name,
    books: plan.books,
    live: `${fewestLive} to ${mostLive}`,
    commands: reports[0]?.commands ?? 0,
    trades: reports[0]?.trades ?? 0,
    nsPerCommand: rounded(nsPerCommand),
    wallNsPerCommand: rounded(median(reports.map(({ nanoseconds, commands }) => nanoseconds / commands))),
    commandsPerSecond: Math.round(1e9 / nsPerCommand),
    tradeHash,
    rounds: reports.length,
  };
}

/** `nodejs-order-book` -> `ratioToNodejsOrderBook`. */
function namedRatio({ other, ratio }: { readonly other: Measured; readonly ratio: number }): [string, number] {
  const words = other.engine.name.split('-').map((word) => word.slice(0, 1).toUpperCase() + word.slice(1));
  return [`ratioTo${words.join('')}`, rounded(ratio)];
}
