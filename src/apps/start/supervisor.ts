import { readFileSync } from 'node:fs';
import { type Anvil, startAnvil } from '../../adapters/evm/anvil.ts';
import {
  type ChildRecord,
  type ChildSpec,
  endChild,
  endLeftover,
  type RunningChild,
  recordOf,
  startChild,
} from '../../adapters/process/child.ts';
import { writeStateFile } from '../../adapters/process/state-file.ts';
import { Fault } from '../../errors/fault.ts';
import { faultOfChild, logLength } from './child-words.ts';

const GRACE_MS = 8000;
const RESTART_PAUSE_MS = 300;
/** A child that dies this often within a minute will not live. */
const MOST_RESTARTS = 5;

type AnvilOptions = Omit<Parameters<typeof startAnvil>[0], 'port'>;

/** Keeps the children of one street alive, remembers them on disk, and ends them in order. */
export class Supervisor {
  readonly #runFile: string;
  readonly #log: (line: string) => void;
  readonly #children = new Map<string, RunningChild>();
  readonly #starts = new Map<string, number[]>();
  /** Starts that are under way: what they bring is ours to end. */
  readonly #starting = new Set<Promise<unknown>>();
  readonly #ending = new AbortController();
  readonly #failure = Promise.withResolvers<never>();
  #anvil: Anvil | null = null;
  #stopped: Promise<void> | null = null;

  constructor(runFile: string, log: (line: string) => void) {
    this.#runFile = runFile;
    this.#log = log;
    this.#failure.promise.catch(() => this.#ending.abort());
  }

  /** Rejects when a child can't run at all. */
  get failed(): Promise<never> {
    return this.#failure.promise;
  }

  /** Aborted when nothing more is started: a child failed for good, or `stop` was called. */
  get ending(): AbortSignal {
    return this.#ending.signal;
  }

  /** What an earlier run that was killed has left behind, ended before anything is started anew. */
  async endLeftovers(): Promise<void> {
    for (const record of this.#recorded()) {
      if (await endLeftover(record, GRACE_MS)) this.#log(`ended ${record.name} of an earlier run (pid ${record.pid})`);
    }
  }

  /** The ledger node, on the first port from `port` on that no other program has. Resolves with its address. */
  keepAnvil(options: AnvilOptions, port: number): Promise<string> {
    return this.#track(this.#beginAnvil(startOnFreePort(options, port), options));
  }

  async keepChild(spec: ChildSpec): Promise<void> {
    this.ending.throwIfAborted();
    this.#countStart(spec);
    await this.#track(this.#beginChild(spec));
  }

  pidOf(name: string): number | null {
    return this.#children.get(name)?.record.pid ?? null;
  }

  /** Idempotent. Children in this order, the ledger last: nobody loses the one it talks to. */
  stop(order: readonly string[]): Promise<void> {
    this.#stopped ??= this.#end(order);
    return this.#stopped;
  }

  async #end(order: readonly string[]): Promise<void> {
    this.#ending.abort();
    await Promise.allSettled(this.#starting);
    for (const name of order) {
      const child = this.#children.get(name);
      if (child !== undefined) await endChild(child, GRACE_MS);
    }
    await this.#anvil?.stop();
    this.#write([]);
  }

  /** Remembers a start until what it brings is in the books. */
  async #track<T>(starting: Promise<T>): Promise<T> {
    this.#starting.add(starting);
    try {
      return await starting;
    } finally {
      this.#starting.delete(starting);
    }
  }

  async #beginChild(spec: ChildSpec): Promise<void> {
    const saidBefore = logLength(spec.logPath);
    const child = await startChild(spec);
    this.#children.set(spec.name, child);
    this.#remember();
    void child.exited.then((how) => this.#childEnded(spec, how, saidBefore));
  }

  async #beginAnvil(starting: Promise<Anvil>, options: AnvilOptions): Promise<string> {
    const anvil = await starting;
    this.#anvil = anvil;
    this.#remember();
    void anvil.ended.then(() => this.#anvilEnded(Number(new URL(anvil.url).port), options));
    return anvil.url;
  }

  #anvilEnded(port: number, options: AnvilOptions): void {
    if (this.ending.aborted) return;
    this.#log('the ledger node ended and is started again');
    this.#countStart({ name: 'anvil', logPath: options.logFile ?? 'no file' });
    this.#track(this.#beginAnvil(startAnvil({ ...options, port }), options)).catch((error: unknown) =>
      this.#failure.reject(error),
    );
  }

  #childEnded(spec: ChildSpec, how: number | string, saidBefore: number): void {
    if (this.ending.aborted) return;
    this.#children.delete(spec.name);
    if (how === 2 || how === 3) {
      this.#failure.reject(faultOfChild(spec.name, spec.logPath, saidBefore));
      return;
    }
    this.#log(`${spec.name} ended (${how}) and is started again; its words are in ${spec.logPath}`);
    setTimeout(() => {
      if (!this.ending.aborted) this.keepChild(spec).catch((error: unknown) => this.#failure.reject(error));
    }, RESTART_PAUSE_MS);
  }

  #countStart({ name, logPath }: Pick<ChildSpec, 'name' | 'logPath'>): void {
    const now = performance.now();
    const recent = [...(this.#starts.get(name) ?? []).filter((at) => now - at < 60_000), now];
    this.#starts.set(name, recent);
    if (recent.length <= MOST_RESTARTS) return;
    const often = `${name} ended ${recent.length - 1} times within a minute; its words are in ${logPath}`;
    this.#failure.reject(new Fault('CHILD_FAILED', often));
  }

  #remember(): void {
    const anvil = this.#anvil === null ? null : recordOf('anvil', this.#anvil.pid);
    const children = [...this.#children.values()].flatMap(({ record }) => recordOf(record.name, record.pid) ?? []);
    this.#write(anvil === null ? children : [...children, anvil]);
  }

  #write(children: readonly ChildRecord[]): void {
    writeStateFile(this.#runFile, JSON.stringify({ pid: process.pid, children }, null, 2));
  }

  #recorded(): readonly ChildRecord[] {
    try {
      return JSON.parse(readFileSync(this.#runFile, 'utf8')).children;
    } catch {
      return [];
    }
  }
}

const PORTS_TRIED = 20;

async function startOnFreePort(options: AnvilOptions, port: number): Promise<Anvil> {
  for (let next = port; ; next++) {
    try {
      return await startAnvil({ ...options, port: next });
    } catch (error) {
      if (!(error instanceof Fault && error.code === 'PORT_TAKEN') || next >= port + PORTS_TRIED) throw error;
    }
  }
}
