import type { FollowingClock } from '../../adapters/clock/market-clock.ts';
import type { WallTime } from '../../adapters/clock/system-clock.ts';
import type { EpochMs } from '../../domain/units/time.ts';

/** Everything that one gateway has yet to do, so that all of it can be called off. The clocks are shared with others. */
export class Agenda {
  readonly #clock: FollowingClock;
  readonly #wall: WallTime;
  readonly #pending = new Set<() => void>();
  #closed = false;

  constructor(clock: FollowingClock, wall: WallTime) {
    this.#clock = clock;
    this.#wall = wall;
  }

  /** After so many ms of wall time. */
  after(delayMs: number, work: () => void): void {
    this.#keep((once) => this.#wall.setTimer(delayMs, once), work);
  }

  /** When market time has reached `at`. */
  at(at: EpochMs, work: () => void): void {
    this.#keep((once) => this.#clock.at(at, once), work);
  }

  /** Nothing that was noted comes any more, and nothing can be noted. */
  close(): void {
    this.#closed = true;
    for (const cancel of this.#pending) cancel();
    this.#pending.clear();
  }

  #keep(start: (once: () => void) => () => void, work: () => void): void {
    if (this.#closed) return;
    const cancel = start(() => {
      this.#pending.delete(cancel);
      work();
    });
    this.#pending.add(cancel);
  }
}
