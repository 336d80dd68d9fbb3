import { availableParallelism } from 'node:os';
import { Worker } from 'node:worker_threads';
import type { SignatureBundle, SignatureFinding, SignatureFindings, SignatureTask } from './signature-task.ts';

/**
 * Threads that find out who signed, so that the thread of the market stays free: a signature takes as long as a hundred
 * orders take in the book.
 */
export interface SignaturePool {
  /** How many bundles keep every thread busy; more only wait inside. */
  readonly slots: number;
  /** The findings in the order of the tasks. Bundles may be answered in any order. Rejects when the pool is closed. */
  find(tasks: readonly SignatureTask[]): Promise<readonly SignatureFinding[]>;
  close(): Promise<void>;
}

/** One bundle at work and one at hand, so that a thread never waits for the market's. */
const BUNDLES_A_THREAD = 2;
const MOST_THREADS = 4;

/** Threads do not keep the process alive. A thread that ends before `close` is a bug, and everything waiting rejects. */
export function openSignaturePool(threads = Math.min(MOST_THREADS, Math.max(1, availableParallelism() - 1))) {
  return new ThreadPool(threads) satisfies SignaturePool as SignaturePool;
}

class ThreadPool implements SignaturePool {
  readonly slots: number;
  readonly #threads: SignatureThread[];

  constructor(threads: number) {
    this.#threads = Array.from({ length: threads }, () => new SignatureThread());
    this.slots = threads * BUNDLES_A_THREAD;
  }

  find(tasks: readonly SignatureTask[]): Promise<readonly SignatureFinding[]> {
    const idlest = this.#threads.reduce((best, thread) => (thread.waiting < best.waiting ? thread : best));
    return idlest.find(tasks);
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.close()));
  }
}

class SignatureThread {
  readonly #worker = new Worker(new URL('./signature-worker.ts', import.meta.url));
  readonly #waiting = new Map<number, PromiseWithResolvers<readonly SignatureFinding[]>>();
  #bundles = 0;
  #end: Error | null = null;

  constructor() {
    this.#worker.unref();
    this.#worker.on('message', ({ number, findings }: SignatureFindings) => {
      this.#waiting.get(number)?.resolve(findings);
      this.#waiting.delete(number);
    });
    this.#worker.on('error', (error) => this.#abandon(error));
    this.#worker.on('exit', () => this.#abandon(new Error('the signature pool is closed')));
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  find(tasks: readonly SignatureTask[]): Promise<readonly SignatureFinding[]> {
    if (this.#end !== null) return Promise.reject(this.#end);
    this.#bundles += 1;
    const bundle: SignatureBundle = { number: this.#bundles, tasks };
    const found = Promise.withResolvers<readonly SignatureFinding[]>();
    this.#waiting.set(bundle.number, found);
    this.#worker.postMessage(bundle);
    return found.promise;
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
  }

  #abandon(error: Error): void {
    this.#end ??= error;
    for (const { reject } of this.#waiting.values()) reject(this.#end);
    this.#waiting.clear();
  }
}
