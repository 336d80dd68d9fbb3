import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openJournal } from '../../src/adapters/journal/command-log.ts';
import { replayJournal } from '../../src/apps/engine/command-writer.ts';
import { applyRecord } from '../../src/domain/engine/apply-record.ts';
import { type EngineState, newEngineState } from '../../src/domain/engine/state.ts';
import { VERDICTS } from '../../src/domain/market/verdict.ts';
import type { CommandLog } from '../../src/domain/ports.ts';
import { engineRecords, productOf } from './engine-records.ts';
import { makeStream, type StreamPlan } from './make-stream.ts';
import { median, rounded } from './rounds.ts';

const isQuick = process.argv.includes('--quick');
/** Two million commands on the sixteen products that are open at 15 minutes with four hours of look-ahead. */
const PLAN: StreamPlan = {
  name: 'durable',
  commands: isQuick ? 200_000 : 2_000_000,
  prefill: 16_000,
  books: 16,
  members: 1000,
  live: 16_000,
  spread: 75,
  seed: 15,
};
/** Commands that arrive together, and how many such batches wait for the disk at once. */
const BATCH = 500;
const BATCHES_UNDER_WAY = 64;
const ROUNDS = isQuick ? 2 : 5;

const { stream, expected } = makeStream(PLAN);
const records = engineRecords(stream);
const folder = mkdtempSync(join(tmpdir(), 'bench-journal-'));
try {
  const runs: Run[] = [];
  for (let round = 0; round <= ROUNDS; round += 1) runs.push(await runOnce(join(folder, `${round}`)));
  report(runs.slice(1));
} finally {
  rmSync(folder, { recursive: true });
}

interface Run {
  readonly commandsPerSecond: number;
  /** From handing a batch over until its replies are there, ms. */
  readonly waits: readonly number[];
  readonly recoveryMs: number;
}

async function runOnce(place: string): Promise<Run> {
  const log = await openJournal({ folder: place });
  const state = newEngineState();
  const from = performance.now();
  const waits = await writeAndApply(log, state);
  const seconds = (performance.now() - from) / 1000;
  await log.close();
  requireExpectedTrades(state);
  const reopening = performance.now();
  const reopened = await openJournal({ folder: place });
  const recovered = await replayJournal(reopened);
  const recoveryMs = performance.now() - reopening;
  await reopened.close();
  requireExpectedTrades(recovered);
  return { commandsPerSecond: records.length / seconds, waits, recoveryMs };
}

/** Journal first, state second, replies last: a batch is applied, and answered by verdict, once it is on the disk. */
async function writeAndApply(log: CommandLog, state: EngineState): Promise<number[]> {
  const waits: number[] = [];
  const underWay: Promise<void>[] = [];
  const replies = new Uint8Array(records.length);
  let answered = 0;
  for (let first = 0; first < records.length; first += BATCH) {
    const batch = records.slice(first, first + BATCH);
    const handedOver = performance.now();
    const written = log.appendAll(batch).then(() => {
      for (const record of batch) replies[answered++] = replyTo(applyRecord(state, record));
      waits.push(performance.now() - handedOver);
    });
    underWay.push(written);
    if (underWay.length >= BATCHES_UNDER_WAY) await underWay.shift();
  }
  await Promise.all(underWay);
  if (answered !== records.length) throw new Error(`${answered} replies to ${records.length} commands`);
  return waits;
}

function replyTo(outcome: ReturnType<typeof applyRecord>): number {
  if (typeof outcome === 'string') throw new Error(`a record can't be read: ${outcome}`);
  return outcome ?? VERDICTS.length;
}

/** @throws where the engine did not make the trades of the stream */
function requireExpectedTrades(state: EngineState): void {
  let trades = 0;
  for (let book = 0; book < stream.books; book += 1)
    trades += state.products.get(productOf(book))?.book?.tradeCount ?? 0;
  if (trades !== expected.trades) throw new Error(`${trades} trades, not ${expected.trades}`);
}

function report(runs: readonly Run[]): void {
  const commandsPerSecond = Math.round(median(runs.map((run) => run.commandsPerSecond)));
  const waits = runs.flatMap((run) => run.waits).sort((a, b) => a - b);
  const wait = (share: number) => rounded(waits[Math.floor(waits.length * share)] ?? Number.NaN);
  const common = { bench: 'market', commands: records.length, books: stream.books, rounds: runs.length };
  const bytesPerRecord = Math.round(records.reduce((sum, { length }) => sum + length, 0) / records.length);
  const latency = { waitMsP50: wait(0.5), waitMsP99: wait(0.99), waitMsMax: wait(0.99999) };
  const asked = { bar: 'durable', measured: commandsPerSecond };
  print({ ...common, durable: 'replies held', batch: BATCH, bytesPerRecord, commandsPerSecond, ...latency, ...asked });
  const recoveryMs = rounded(median(runs.map((run) => run.recoveryMs)));
  print({
    ...common,
    recovery: 'journal',
    recoveryMs,
    commandsPerSecond: Math.round(records.length / recoveryMs) * 1000,
  });
}

function print(row: Record<string, string | number>): void {
  console.log(JSON.stringify(row));
}
