import { createInterface } from 'node:readline';
import { type CommandStream, ordersWithin, readStream } from './command-stream.ts';
import { type TradeTape, tradeHash } from './trade-tape.ts';

/** One engine and a stream: fresh books, commands, then the trades in the order of their takers. */
export interface Replay {
  play(from: number, to: number): void;
  /** Not timed; recording the trades is. */
  tape(): TradeTape;
}

/** What one replay took, told as a line of JSON by engines of every language. */
export interface ReplayReport {
  readonly nanoseconds: number;
  readonly cpuNanoseconds: number;
  readonly commands: number;
  readonly trades: number;
  /** Trade hash after so many commands. */
  readonly hashes: Readonly<Record<string, string>>;
}

/**
 * Serves one engine to the benchmark: for each line `run` on standard input one replay on fresh books. Arguments: stream
 * file, how many commands to replay, then the command counts at which the hash is wanted.
 */
export async function serveReplays(open: (stream: CommandStream) => Replay): Promise<void> {
  const [file = '', limit = '', ...checkpoints] = process.argv.slice(2);
  const stream = readStream(file);
  const commands = Math.min(Number(limit), stream.commands);
  for await (const line of createInterface({ input: process.stdin })) {
    if (line === 'run') console.log(JSON.stringify(replayOnce(open, stream, commands, checkpoints)));
  }
}

function replayOnce(
  open: (stream: CommandStream) => Replay,
  stream: CommandStream,
  commands: number,
  checkpoints: readonly string[],
): ReplayReport {
  const replay = open(stream);
  replay.play(0, stream.prefill);
  globalThis.gc?.();
  const cpu = process.cpuUsage();
  const wall = process.hrtime.bigint();
  replay.play(stream.prefill, commands);
  const nanoseconds = Number(process.hrtime.bigint() - wall);
  const { user, system } = process.cpuUsage(cpu);
  const tape = replay.tape();
  const hashes = checkpoints.map((count) => [
    count,
    tradeHash(tape, ordersWithin(stream, Math.min(Number(count), commands))),
  ]);
  return {
    nanoseconds,
    cpuNanoseconds: (user + system) * 1000,
    commands: commands - stream.prefill,
    trades: tape.trades,
    hashes: Object.fromEntries(hashes),
  };
}
