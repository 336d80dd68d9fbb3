import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface, type Interface } from 'node:readline';
import type { ReplayReport } from './replay.ts';

/** How an engine is started: the command gets the stream file, a number of commands and the checkpoints. */
export interface EngineCommand {
  readonly program: string;
  readonly leadingArguments: readonly string[];
}

/** An engine in a process of its own, so that none warms up or litters the machine of another. It replays when told. */
export class EngineProcess {
  readonly #name: string;
  readonly #child: ChildProcess;
  readonly #lines: Interface;
  readonly #answers: AsyncIterator<string>;

  constructor(name: string, { program, leadingArguments }: EngineCommand, replayArguments: readonly string[]) {
    this.#name = name;
    this.#child = spawn(program, [...leadingArguments, ...replayArguments], { stdio: ['pipe', 'pipe', 'inherit'] });
    this.#child.on('error', () => undefined);
    this.#child.stdin?.on('error', () => undefined);
    if (this.#child.stdout === null) throw new Error(`no output of ${name}`);
    this.#lines = createInterface({ input: this.#child.stdout });
    this.#answers = this.#lines[Symbol.asyncIterator]();
  }

  /** @throws where the engine ended without an answer; its last words stand on standard error */
  async replay(): Promise<ReplayReport> {
    this.#child.stdin?.write('run\n');
    const { value, done } = await this.#answers.next();
    if (done) throw new Error(`${this.#name} ended without an answer`);
    return JSON.parse(value) as ReplayReport;
  }

  close(): void {
    this.#lines.close();
    this.#child.kill();
  }
}
