import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, open, readFile, rename } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { connect } from 'node:net';
import { arch, platform } from 'node:os';
import { dirname, join } from 'node:path';
import { Fault } from '../../errors/fault.ts';
import { openJsonRpc } from './json-rpc.ts';

export interface AnvilOptions {
  readonly port: number;
  readonly host?: string;
  readonly chainId: number;
  /** Holds the chain between runs; written every second and at the end. */
  readonly stateFile: string;
  /** Where the node's own words go. */
  readonly logFile?: string;
  /** Fixed rhythm of blocks. Default: one block for each transaction, none while nothing happens. */
  readonly blockSeconds?: number;
  readonly startTimeoutMs?: number;
}

export interface Anvil {
  readonly url: string;
  readonly pid: number;
  /** Resolves when the process has ended, for whatever reason. */
  readonly ended: Promise<void>;
  /** Ends it so that it writes its state. Idempotent. */
  stop(): Promise<void>;
}

const STOP_TIMEOUT_MS = 5_000;

/** The native program that came with `@foundry-rs/anvil` for this platform. @throws Fault LEDGER_START_FAILED */
export function anvilBinary(): string {
  const name = `@foundry-rs/anvil-${platform()}-${arch() === 'x64' ? 'amd64' : arch()}`;
  const program = platform() === 'win32' ? 'anvil.exe' : 'anvil';
  try {
    const parent = createRequire(createRequire(import.meta.url).resolve('@foundry-rs/anvil/package.json'));
    return join(dirname(parent.resolve(`${name}/package.json`)), 'bin', program);
  } catch (cause) {
    throw new Fault('LEDGER_START_FAILED', `the package ${name} is not installed`, cause);
  }
}

/**
 * Starts the embedded ledger node: one process without accounts of its own and without gas price, reachable from this
 * machine only. A state file that a crash left damaged is set aside: the outbox settles everything again.
 */
export async function startAnvil(options: AnvilOptions): Promise<Anvil> {
  await mkdir(dirname(options.stateFile), { recursive: true });
  await setDamagedStateAside(options.stateFile);
  const host = options.host ?? '127.0.0.1';
  const url = `http://${host}:${options.port}`;
  if (await isTaken(url)) throw new Fault('PORT_TAKEN', `${url} is taken by another program`);
  const log = options.logFile === undefined ? null : await open(options.logFile, 'a');
  const child = spawn(anvilBinary(), anvilArguments(options, host), {
    detached: true, // a Ctrl-C in the terminal reaches only the supervisor, which ends its children in order
    stdio: ['ignore', log?.fd ?? 'ignore', log?.fd ?? 'ignore'],
  });
  await log?.close();
  const ended = new Promise<void>((resolve) => {
    child.once('exit', () => resolve());
    child.once('error', () => resolve());
  });
  await untilItAnswers(child, ended, url, options);
  return { url, pid: child.pid ?? 0, ended, stop: () => stop(child, ended) };
}

function anvilArguments(options: AnvilOptions, host: string): string[] {
  const rhythm = options.blockSeconds === undefined ? [] : ['--block-time', String(options.blockSeconds)];
  return [
    ...['--host', host, '--port', String(options.port), '--chain-id', String(options.chainId)],
    ...['--accounts', '0', '--gas-price', '0', '--block-base-fee-per-gas', '0', '--disable-min-priority-fee'],
    ...['--hardfork', 'cancun', '--gas-limit', '60000000', '--disable-default-create2-deployer', '--no-cors'],
    ...['--quiet', '--state', options.stateFile, '--state-interval', '1', '--prune-history', '--order', 'fifo'],
    ...rhythm,
  ];
}

/** Anvil writes the file in place, so a SIGKILL may cut it. */
async function setDamagedStateAside(path: string): Promise<void> {
  try {
    JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    if (error instanceof SyntaxError) await rename(path, `${path}.damaged`);
    else if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) {
      throw new Fault('FILE_UNREADABLE', `${path} cannot be read`, error);
    }
  }
}

async function untilItAnswers(child: ChildProcess, ended: Promise<void>, url: string, options: AnvilOptions) {
  const stopAsking = new AbortController();
  const deadline = AbortSignal.timeout(options.startTimeoutMs ?? 20_000);
  const early = ended.then(() => 'ended' as const);
  try {
    while (!deadline.aborted) {
      const outcome = await Promise.race([early, answers(url, options.chainId, stopAsking.signal)]);
      if (outcome === 'ended') throw await whyItEnded(child, url);
      if (outcome === 'answers' && child.exitCode === null) return;
      await Promise.race([early, new Promise((resolve) => setTimeout(resolve, 50))]);
    }
  } finally {
    stopAsking.abort();
  }
  child.kill('SIGKILL');
  throw new Fault('LEDGER_START_FAILED', `anvil did not answer at ${url} in time`);
}

async function answers(url: string, chainId: number, signal: AbortSignal): Promise<'answers' | 'silent'> {
  try {
    const answer = await openJsonRpc(url, 1_000, signal)('eth_chainId', []);
    return Number(answer) === chainId ? 'answers' : 'silent';
  } catch {
    return 'silent';
  }
}

/** It ended at once: most often because another program took the port meanwhile. */
async function whyItEnded(child: ChildProcess, url: string): Promise<Fault> {
  if (await isTaken(url)) return new Fault('PORT_TAKEN', `${url} is taken by another program`);
  return new Fault(
    'LEDGER_START_FAILED',
    `anvil ended at once with ${child.exitCode ?? child.signalCode ?? 'an error'}`,
  );
}

/** Someone listens there. Without this question a stranger of the same chain would pass for our own child. */
function isTaken(url: string): Promise<boolean> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    const socket = connect({ host: hostname, port: Number(port), timeout: 1_000 });
    const done = (taken: boolean) => {
      socket.destroy();
      resolve(taken);
    };
    socket.once('connect', () => done(true));
    socket.once('error', () => done(false));
    socket.once('timeout', () => done(false));
  });
}

async function stop(child: ChildProcess, ended: Promise<void>): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGTERM');
  const timer = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
  await ended;
  clearTimeout(timer);
}
