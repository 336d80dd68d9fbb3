import type { MarketClock } from '../../domain/ports.ts';
import { type EpochMs, epochMs } from '../../domain/units/time.ts';

/** Wall time and timers: everything a market clock needs from the machine. Tests bring their own. */
export interface WallTime {
  /** Epoch ms that never go back and never leap. */
  wallNow(): EpochMs;
  /** Calls back once after that many ms of wall time; the result cancels it. */
  setTimer(delayMs: number, callback: () => void): () => void;
  /** How far the system clock has leapt away from `wallNow` since the start, in ms; positive: it is ahead. */
  clockJumpMs(): number;
  /** Takes the system clock's word for the time. The time may leap then; only a caller who has checked it does this. */
  reanchor(): void;
}

/** Where time comes from. `monotonicNow` is in ms from any origin. */
export interface TimeSource {
  readonly systemNow: () => number;
  readonly monotonicNow: () => number;
}

const MACHINE: TimeSource = { systemNow: () => Date.now(), monotonicNow: () => performance.now() };

/**
 * The machine's clock, read once and carried on by the monotonic one: a leap of the system clock (a correction, a
 * hand, a suspended laptop) does not move it and is reported by `clockJumpMs`. As a market clock it runs at speed 1.
 */
export function systemClock(source: TimeSource = MACHINE): WallTime & MarketClock {
  let offsetMs = source.systemNow() - source.monotonicNow();
  const wallNow = (): EpochMs => epochMs(Math.floor(source.monotonicNow() + offsetMs));
  return {
    now: wallNow,
    wallNow,
    setTimer(delayMs, callback) {
      const timer = setTimeout(callback, delayMs);
      return () => clearTimeout(timer);
    },
    clockJumpMs: () => Math.round(source.systemNow() - source.monotonicNow() - offsetMs),
    reanchor() {
      offsetMs = source.systemNow() - source.monotonicNow();
    },
  };
}
