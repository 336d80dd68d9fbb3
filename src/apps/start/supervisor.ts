import { readFileSync, renameSync, writeFileSync } from 'node:fs';
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
import { Fault } from '../../errors/fault.ts';

const GRACE_MS = 8000;
const RESTART_PAUSE_MS = 300;
/** A child that dies this often within a minute will not live. */
const MOST_RESTARTS = 5;

/** Keeps the children of one street alive, remembers them on disk, and ends them in order. */
export class Supervisor {
  readonly #runFile: string;
  readonly #log: (line: string) => void;
  readonly #children = new Map<string, RunningChild>();
  readonly #starts = new Map<string, number[]>();
  #anvil: Anvil | null = null;
  #stopping = false;
  readonly #fatal = Promise.withResolvers<never>();

  constructor(runFile: string, log: (line: string) => void) {
    this.#runFile = runFile;
    this.#log = log;
    this.#fatal.promise.catch(() => undefined);
  }

  /** Rejects when a child can't run at all. */
  get failed(): Promise<never> {
    return this.#fatal.promise;
  }

  /** What an earlier run that was killed has left behind, ended before anything is started anew. */
  async endLeftovers(): Promise<void> {
    for (const record of this.#recorded()) {
      if (await endLeftover(record, GRACE_MS)) this.#log(`ended ${record.name} of an earlier run (pid ${record.pid})`);
    }
  }

  /** The ledger node, on the first port from `port` on that no other program has. */
  async keepAnvil(options: Omit<Parameters<typeof startAnvil>[0], 'port'>, port: number): Promise<string> {
    const anvil = await startOnFreePort(options, port);
    this.#watchAnvil(anvil, options);
    return anvil.url;
  }

  async keepChild(spec: ChildSpec): Promise<void> {
    this.#countStart(spec.name);
    const child = await startChild(spec);
    this.#children.set(spec.name, child);
    this.#remember();
    void child.exited.then((how) => this.#childEnded(spec, how));
  }

  pidOf(name: string): number | null {
    return this.#children.get(name)?.record.pid ?? null;
  }

  /** Idempotent. Street, engine, ledger: nobody loses the one it talks to. */
  async stop(order: readonly string[]): Promise<void> {
    if (this.#stopping) return;
    this.#stopping = true;
    for (const name of order) {
      const child = this.#children.get(name);
      if (child !== undefined) await endChild(child, GRACE_MS);
    }
    await this.#anvil?.stop();
    this.#write([]);
  }

  #watchAnvil(anvil: Anvil, options: Omit<Parameters<typeof startAnvil>[0], 'port'>): void {
    this.#anvil = anvil;
    this.#remember();
    void anvil.ended.then(() => {
      if (this.#stopping) return;
      this.#countStart('anvil');
      this.#log('the ledger node ended and is started again');
      const port = Number(new URL(anvil.url).port);
      startAnvil({ ...options, port }).then(
        (again) => this.#watchAnvil(again, options),
        (error: unknown) => this.#fatal.reject(error),
      );
    });
  }

  #childEnded(spec: ChildSpec, how: number | string): void {
    if (this.#stopping) return;
    this.#children.delete(spec.name);
    if (how === 2 || how === 3) {
      this.#fatal.reject(new Fault('CHILD_FAILED', `${spec.name} could not run: ${lastLines(spec.logPath)}`));
      return;
    }
    this.#log(`${spec.name} ended (${how}) and is started again; its words are in ${spec.logPath}`);
    setTimeout(() => {
      if (!this.#stopping) this.keepChild(spec).catch((error: unknown) => this.#fatal.reject(error));
    }, RESTART_PAUSE_MS);
  }

  #countStart(name: string): void {
    const now = performance.now();
    const recent = [...(this.#starts.get(name) ?? []).filter((at) => now - at < 60_000), now];
    this.#starts.set(name, recent);
    if (recent.length > MOST_RESTARTS) {
      this.#fatal.reject(new Fault('CHILD_FAILED', `${name} ended ${recent.length - 1} times within a minute`));
    }
  }

  #remember(): void {
    const anvil = this.#anvil === null ? null : recordOf('anvil', this.#anvil.pid);
    const children = [...this.#children.values()].flatMap(({ record }) => recordOf(record.name, record.pid) ?? []);
    this.#write(anvil === null ? children : [...children, anvil]);
  }

  #write(children: readonly ChildRecord[]): void {
    writeFileSync(`${this.#runFile}.new`, JSON.stringify({ pid: process.pid, children }, null, 2));
    renameSync(`${this.#runFile}.new`, this.#runFile);
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

async function startOnFreePort(options: Omit<Parameters<typeof startAnvil>[0], 'port'>, port: number): Promise<Anvil> {
  for (let next = port; ; next++) {
    try {
      return await startAnvil({ ...options, port: next });
    } catch (error) {
      if (!(error instanceof Fault && error.code === 'PORT_TAKEN') || next >= port + PORTS_TRIED) throw error;
    }
  }
}

function lastLines(path: string): string {
  return readFileSync(path, 'utf8').trim().split('\n').slice(-4).join('\n');
}
