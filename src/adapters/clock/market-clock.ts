import type { MarketClock } from '../../domain/ports.ts';
import { assert } from '../../domain/units/assert.ts';
import { type EpochMs, epochMs } from '../../domain/units/time.ts';
import type { WallTime } from './system-clock.ts';

/** At `wallAnchor` market time was `marketAnchor`; it runs `speed` times as fast, and stands at `holdAt` if not null. */
export interface ClockAnchor {
  readonly marketAnchor: EpochMs;
  readonly wallAnchor: EpochMs;
  readonly speed: number;
  readonly holdAt: EpochMs | null;
}

/** Market time as the engine's clock messages tell it. */
export interface FollowingClock extends MarketClock {
  /** A bug before the first anchor: ask `anchor()` or wait for `started`. */
  now(): EpochMs;
  /** Takes a new anchor. Time never goes back: where the anchor says less, it stands until the anchor has caught up. */
  follow(anchor: ClockAnchor): void;
  /** The last anchor, or null before the first. */
  anchor(): ClockAnchor | null;
  /** Resolves at the first anchor. */
  readonly started: Promise<void>;
  /**
   * Calls back when market time has reached `time`, never synchronously from here; at once if it has. Callbacks come
   * in the order of their times, those of one time in the order of their registration. The result cancels.
   */
  at(time: EpochMs, callback: () => void): () => void;
  /** Wall ms by which the system clock has leapt; market time did not move with it. */
  clockJumpMs(): number;
  /** Cancels every timer. */
  stop(): void;
}

interface Waiting {
  readonly time: EpochMs;
  readonly order: number;
  readonly callback: () => void;
}

/** The longest delay that timers of the runtime can hold. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

export function followingClock(wall: WallTime, first: ClockAnchor | null = null): FollowingClock {
  return new Follower(wall, first);
}

/** Market time that is wall time: speed 1, never held. */
export function realTimeAnchor(wall: WallTime): ClockAnchor {
  const at = wall.wallNow();
  return { marketAnchor: at, wallAnchor: at, speed: 1, holdAt: null };
}

class Follower implements FollowingClock {
  readonly started: Promise<void>;
  private readonly wall: WallTime;
  private readonly waiting: Waiting[] = [];
  private readonly start: () => void;
  private current: ClockAnchor | null = null;
  private latest: EpochMs | null = null;
  private registered = 0;
  private cancelTimer: (() => void) | null = null;

  constructor(wall: WallTime, first: ClockAnchor | null) {
    this.wall = wall;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.started = promise;
    this.start = resolve;
    if (first !== null) this.follow(first);
  }

  now(): EpochMs {
    assert(this.current !== null, 'market time was asked for before the first clock message');
    const told = toldBy(this.current, this.wall.wallNow());
    this.latest = this.latest !== null && this.latest > told ? this.latest : told;
    return this.latest;
  }

  follow(anchor: ClockAnchor): void {
    assert(anchor.speed > 0, `market time cannot run at speed ${anchor.speed}`);
    if (this.current !== null) this.now();
    this.current = anchor;
    this.start();
    this.arm();
  }

  anchor(): ClockAnchor | null {
    return this.current;
  }

  at(time: EpochMs, callback: () => void): () => void {
    const entry: Waiting = { time, order: this.registered, callback };
    this.registered += 1;
    const place = this.waiting.findIndex((other) => other.time > time);
    this.waiting.splice(place === -1 ? this.waiting.length : place, 0, entry);
    this.arm();
    return () => this.cancel(entry);
  }

  clockJumpMs(): number {
    return this.wall.clockJumpMs();
  }

  stop(): void {
    this.waiting.length = 0;
    this.arm();
  }

  private cancel(entry: Waiting): void {
    const place = this.waiting.indexOf(entry);
    if (place === -1) return;
    this.waiting.splice(place, 1);
    this.arm();
  }

  /** One timer, for the earliest that waits. While time stands for ever there is none: the next anchor arms it. */
  private arm(): void {
    this.cancelTimer?.();
    this.cancelTimer = null;
    const next = this.waiting[0];
    if (next === undefined || this.current === null) return;
    const delayMs = this.wallDelayMs(this.current, next.time);
    if (delayMs === null) return;
    this.cancelTimer = this.wall.setTimer(Math.min(delayMs, LONGEST_TIMER_MS), () => this.wake());
  }

  private wallDelayMs(anchor: ClockAnchor, time: EpochMs): number | null {
    if (time <= this.now()) return 0;
    if (anchor.holdAt !== null && time > anchor.holdAt) return null;
    const dueAt = anchor.wallAnchor + (time - anchor.marketAnchor) / anchor.speed;
    return Math.max(0, Math.ceil(dueAt - this.wall.wallNow()));
  }

  /** A callback may register, cancel or stop: the list is read anew each time. */
  private wake(): void {
    this.cancelTimer = null;
    try {
      for (let next = this.waiting[0]; next !== undefined && next.time <= this.now(); next = this.waiting[0]) {
        this.waiting.shift();
        next.callback();
      }
    } finally {
      this.arm();
    }
  }
}

function toldBy(anchor: ClockAnchor, wallNow: EpochMs): EpochMs {
  const running = Math.floor(anchor.marketAnchor + (wallNow - anchor.wallAnchor) * anchor.speed);
  return epochMs(anchor.holdAt === null ? running : Math.min(anchor.holdAt, running));
}
