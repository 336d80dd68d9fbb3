import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BenchOptions, BenchResult } from './main.ts';
import { measuredApart } from './market/apart.ts';
import { type BarMeasure, barRows } from './market/bars.ts';
import { type Engine, engines, type MissingEngine } from './market/engines.ts';
import { GROWTH_PLANS, STREAM_PLANS, type StreamPlan } from './market/make-stream.ts';
import { streamRows } from './market/stream-rows.ts';

/** What is measured, in this order; the bars come last. docs/benchmarks.md says how to read it. */
export async function* runBench({ quick }: BenchOptions): AsyncGenerator<BenchResult> {
  const folder = mkdtempSync(join(tmpdir(), 'bench-market-'));
  const measures: BarMeasure[] = [];
  try {
    const all = engines(folder);
    yield* all.map(engineRow);
    const present = all.filter((engine): engine is Engine => !('missing' in engine));
    const rounds = quick ? 3 : 7;
    const common = { folder, quick, measures };
    yield* streamRows({
      ...common,
      rounds,
      plans: quick ? STREAM_PLANS.map(shortened) : STREAM_PLANS,
      engines: present,
    });
    const ours = present.filter(({ name }) => name === 'full' || name === 'own-cpp');
    const plans = quick ? GROWTH_PLANS.filter((_, place) => place % 2 === 0) : GROWTH_PLANS;
    yield* streamRows({ ...common, rounds: quick ? 1 : 3, plans, engines: ours });
    for (const name of ['memory', 'call', 'durable', 'doors', 'gates']) {
      yield* withBars(measuredApart(name, quick ? ['--quick'] : []), measures);
    }
    yield* barRows(measures);
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const QUICK_SHARE = 0.6;

/** The filling stays: it is what the stream is about. */
function shortened(plan: StreamPlan): StreamPlan {
  const { commands, prefill } = plan;
  return { ...plan, commands: prefill + (commands - prefill) * QUICK_SHARE };
}

function engineRow(engine: Engine | MissingEngine): BenchResult {
  const { name } = engine;
  const is = 'missing' in engine ? { skipped: engine.missing } : { builtWith: engine.builtWith };
  return { bench: 'market', engine: name, ...is };
}

/** Passes rows on and keeps what bars ask for: a row's `bar` names the measure, its `measured` is the value. */
async function* withBars(rows: AsyncIterable<BenchResult>, measures: BarMeasure[]): AsyncGenerator<BenchResult> {
  for await (const { bar, measured, ...row } of rows) {
    if (typeof bar === 'string' && typeof measured === 'number') measures.push({ name: bar, value: measured });
    yield row;
  }
}
