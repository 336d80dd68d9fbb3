import type { WallTime } from '../../adapters/clock/system-clock.ts';

/** Notices what is not done in time while it is still not done: an answer that never comes is told as well. */
export class LateWatch {
  readonly #time: Pick<WallTime, 'wallNow' | 'setTimer'>;
  readonly #patienceMs: number;
  readonly #tell: (what: string, waitedMs: number, others: number) => void;
  /** The oldest first. */
  readonly #open = new Set<{ readonly what: string; readonly since: number }>();
  #cancel: (() => void) | null = null;

  /** `tell` hears of the oldest that is late, and how many wait behind it, once per patience while it lasts. */
  constructor(
    time: Pick<WallTime, 'wallNow' | 'setTimer'>,
    patienceMs: number,
    tell: (what: string, waitedMs: number, others: number) => void,
  ) {
    this.#time = time;
    this.#patienceMs = patienceMs;
    this.#tell = tell;
  }

  /** Something is under way; the result says that it is done. */
  begin(what: string): () => void {
    const entry = { what, since: this.#time.wallNow() };
    this.#open.add(entry);
    if (this.#cancel === null) this.#watch(this.#patienceMs);
    return () => this.#open.delete(entry);
  }

  close(): void {
    this.#open.clear();
    this.#cancel?.();
    this.#cancel = null;
  }

  #watch(delayMs: number): void {
    this.#cancel = this.#time.setTimer(delayMs, () => this.#look());
  }

  #look(): void {
    this.#cancel = null;
    const [oldest] = this.#open;
    if (oldest === undefined) return;
    const waitedMs = this.#time.wallNow() - oldest.since;
    const isLate = waitedMs >= this.#patienceMs;
    if (isLate) this.#tell(oldest.what, waitedMs, this.#open.size - 1);
    this.#watch(isLate ? this.#patienceMs : this.#patienceMs - waitedMs);
  }
}
