import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect } from 'vitest';
import { parse } from 'yaml';
import { ROOT } from '../house/tree.ts';

/** What `npm start -- --json` says of one interval; `interval` in epoch ms. */
export interface ToldInterval {
  readonly interval: number;
  readonly tradedWh: number;
  readonly deliveredWh: number;
  readonly balancedWh: number;
  readonly orders: number;
  readonly pricePerKwh: string | null;
  readonly settledBlock: number;
  readonly interlock: boolean;
}

export interface ToldSummary {
  readonly intervals: number;
  readonly conservation: { readonly energyWh: string; readonly money: string };
}

/** One `npm start` as a person runs it: npm, its shell and all of theirs in one process group. */
export class StreetRun {
  readonly state: string;
  readonly told: ToldInterval[] = [];
  /** Every line of standard output as the object that it is. */
  readonly objects: unknown[] = [];
  errors = '';
  readonly ended: Promise<number | null>;
  readonly #npm: ChildProcess;
  readonly #waiting = new Set<() => void>();

  constructor(state: string, ...args: readonly string[]) {
    this.state = state;
    const path = [join(ROOT, 'node_modules/.bin'), process.env.PATH ?? ''].join(delimiter);
    this.#npm = spawn('npm', ['start', '--silent', '--', '--state', state, '--json', ...args], {
      cwd: ROOT,
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, PATH: path },
    });
    this.ended = this.#follow();
  }

  async #follow(): Promise<number | null> {
    const { stdout, stderr } = this.#npm;
    if (stdout === null || stderr === null) throw new Error('npm has no output');
    stderr.on('data', (chunk: Buffer) => {
      this.errors += chunk.toString();
      this.#changed();
    });
    const lines = createInterface({ input: stdout });
    lines.on('line', (line) => {
      this.#take(JSON.parse(line));
      this.#changed();
    });
    const [[code]] = await Promise.all([once(this.#npm, 'close'), once(lines, 'close')]);
    this.#changed();
    return code;
  }

  #take(object: unknown): void {
    this.objects.push(object);
    if (isInterval(object)) this.told.push({ ...object, interval: Date.parse(String(object.interval)) });
  }

  #changed(): void {
    for (const look of this.#waiting) look();
  }

  /** Resolves as soon as `what` holds; fails where the run ends before. */
  async until(what: (run: StreetRun) => boolean): Promise<void> {
    const seen = new Promise<void>((resolve) => {
      const look = () => {
        if (!what(this)) return;
        this.#waiting.delete(look);
        resolve();
      };
      this.#waiting.add(look);
      look();
    });
    const early = this.ended.then((code) => {
      if (!what(this)) throw new Error(`npm start ended with ${code}: ${this.errors}`);
    });
    await Promise.race([seen, early]);
  }

  get summary(): ToldSummary {
    return this.objects.at(-1) as ToldSummary;
  }

  /** As a terminal does it; npm then passes the signal on, so `start` hears it twice. */
  async interrupt(): Promise<void> {
    process.kill(-(this.#npm.pid ?? 0), 'SIGINT');
    await this.ended;
  }

  /** What a person would want to read of a run that went wrong. */
  report(): string {
    const logs = ['engine', 'street', 'anvil'].map((name) => `${name}: ${lastWords(join(this.state, 'logs', name))}`);
    return [`told ${this.objects.length} objects`, this.errors, ...logs].join('\n');
  }

  /** The last resort of a failed test: nothing stays behind. */
  async end(): Promise<void> {
    for (const pid of processesOf(this.state)) kill(pid, 'SIGKILL');
    await this.ended.catch(() => undefined);
  }
}

function lastWords(path: string): string {
  const file = `${path}.log`;
  return existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n').slice(-10).join('\n') : '';
}

function isInterval(object: unknown): object is ToldInterval {
  return typeof object === 'object' && object !== null && 'settledBlock' in object;
}

export interface StreetPlaces {
  readonly broker: string;
  readonly dashboard: string;
  readonly ledger: string;
}

/** Where a street that told its first interval, or began to listen, listens. */
export function placesOf(state: string): StreetPlaces {
  const { broker, ledger } = parse(readFileSync(join(state, 'engine.yaml'), 'utf8'));
  const { url } = JSON.parse(readFileSync(join(state, 'engine', 'endpoint.json'), 'utf8'));
  return { broker, ledger: ledger.rpc, dashboard: url };
}

/** The process of a part of a street: `start` itself or one of its children. */
export function pidOf(state: string, part: 'start' | 'engine' | 'street' | 'anvil'): number {
  const { pid, children } = JSON.parse(readFileSync(join(state, 'run.json'), 'utf8'));
  const found = part === 'start' ? pid : children.find(({ name }: { name: string }) => name === part)?.pid;
  if (!Number.isInteger(found)) throw new Error(`no ${part} in run.json`);
  return found;
}

/** Every live process whose command line names that state folder: of a street that ended there is none. */
export function processesOf(state: string): number[] {
  if (!existsSync('/proc/self/cmdline')) return [];
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .filter((name) => commandLine(name).includes(state))
    .map(Number);
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

/** Nothing of it runs any more; a port that no process holds is free. */
export function expectGone(state: string): void {
  expect(processesOf(state)).toEqual([]);
  expect(JSON.parse(readFileSync(join(state, 'run.json'), 'utf8')).children).toEqual([]);
}

export function kill(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It ended by itself.
  }
}
