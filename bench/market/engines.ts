import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { EngineCommand } from './engine-process.ts';
import type { StreamPlan } from './make-stream.ts';

const HERE = fileURLToPath(new URL('.', import.meta.url));
const OWN_CPP_SOURCE = fileURLToPath(new URL('../native/price-time-book.cpp', import.meta.url));
const CPP_FLAGS = ['-std=c++17', '-O3', '-march=native'];
/** Peers that are built by hand; docs/benchmarks.md has the recipes. */
const BUILT_PEERS = ['cpptrader', 'liquibook', 'exchange-core'];

export interface Engine {
  readonly name: string;
  readonly command: EngineCommand;
  /** Compiler and flags, where there are any. */
  readonly builtWith: string;
  /** Replays until it is warm. */
  readonly warmUps: number;
  /** How many mixed commands it replays; slow engines get fewer. 0: none of this stream. */
  mixedCommands(plan: StreamPlan, quick: boolean): number;
  /** Slow engines take part in the first rounds only. */
  readonly rounds: number;
}

/** An engine that is not here, and why. */
export interface MissingEngine {
  readonly name: string;
  readonly missing: string;
}

/** All engines of the comparison; what can be compiled here is compiled into `folder`. */
export function engines(folder: string): (Engine | MissingEngine)[] {
  return [
    nodeEngine('full', { warmUps: 4 }),
    nodeEngine('bare', { warmUps: 4 }),
    ownCpp(folder),
    nodejsOrderBook(),
    nodeEngine('naive', { warmUps: 1, rounds: 3, mixedCommands: naiveCommands }),
    ...BUILT_PEERS.map(builtPeer),
  ];
}

function nodeEngine(name: string, differing: Partial<Engine> = {}): Engine {
  return {
    name,
    command: {
      program: process.execPath,
      leadingArguments: ['--expose-gc', '--max-old-space-size=8192', join(HERE, `replay-${name}.ts`)],
    },
    builtWith: `node ${process.version}`,
    warmUps: 1,
    rounds: Number.POSITIVE_INFINITY,
    mixedCommands: wholeStream,
    ...differing,
  };
}

function ownCpp(folder: string): Engine | MissingEngine {
  const name = 'own-cpp';
  const compiler = process.env.CXX ?? 'g++';
  const version = spawnSync(compiler, ['--version'], { encoding: 'utf8' }).stdout?.split('\n')[0];
  if (version === undefined) return { name, missing: `no compiler ${compiler} (CXX names another)` };
  const program = join(folder, name);
  const { status, stderr } = spawnSync(compiler, [...CPP_FLAGS, '-o', program, OWN_CPP_SOURCE], { encoding: 'utf8' });
  if (status !== 0) return { name, missing: `${compiler} failed: ${stderr.split('\n')[0]}` };
  return {
    ...nodeEngine(name, { warmUps: 2 }),
    command: { program, leadingArguments: [] },
    builtWith: `${version} ${CPP_FLAGS.join(' ')}`,
  };
}

function nodejsOrderBook(): Engine | MissingEngine {
  const name = 'nodejs-order-book';
  const place = process.env.BENCH_NODEJS_ORDER_BOOK;
  if (place === undefined && !isInstalled()) {
    return { name, missing: 'not installed; BENCH_NODEJS_ORDER_BOOK may name the file to import' };
  }
  return nodeEngine(name, { rounds: 3, mixedCommands: peerCommands });
}

function isInstalled(): boolean {
  try {
    import.meta.resolve('nodejs-order-book');
    return true;
  } catch {
    return false;
  }
}

/** `BENCH_PEERS` is a folder of programs that replay streams; beside each a .txt file may say how it was built. */
function builtPeer(name: string): Engine | MissingEngine {
  const folder = process.env.BENCH_PEERS;
  if (folder === undefined) return { name, missing: 'BENCH_PEERS names no folder; see docs/benchmarks.md' };
  const program = join(folder, name);
  try {
    accessSync(program, constants.X_OK);
  } catch {
    return { name, missing: `no program ${name} in the folder of BENCH_PEERS` };
  }
  const note = `${program}.txt`;
  return {
    ...nodeEngine(name, { warmUps: 5, mixedCommands: (plan, quick) => (quick ? 0 : wholeStream(plan)) }),
    command: { program, leadingArguments: [] },
    builtWith: existsSync(note) ? readFileSync(note, 'utf8').trim().replaceAll('\n', ' ') : 'not said',
  };
}

function wholeStream({ commands, prefill }: StreamPlan): number {
  return commands - prefill;
}

function peerCommands(plan: StreamPlan, quick: boolean): number {
  if (plan.books > 1) return quick ? 0 : 300_000;
  return quick ? 60_000 : wholeStream(plan);
}

/** Its cost grows with the square of what it was sent. */
function naiveCommands({ prefill }: StreamPlan, quick: boolean): number {
  if (prefill > 10_000) return 0;
  return prefill > 1000 && quick ? 0 : 1000;
}
