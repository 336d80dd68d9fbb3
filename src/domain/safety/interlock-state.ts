import type { EpochMs } from '../units/time.ts';
import { FAULT_CODES, type FaultCode } from './fault-code.ts';
import type { LeaseValidity } from './lease-check.ts';

/**
 * BOOT_OPEN: just started or reset, commanded open, the contact has not been seen open yet.
 * WAIT_WINDOW: open, until voltage and frequency have been inside the enter-service window for the whole delay.
 * READY: open, the grid is fit, a clearing lease is awaited.
 * CLOSED: closed, every condition holds.
 * TRIPPED: opened itself because of the grid, the meter or the contact, until all three are good again.
 * LOCKOUT: open until a person resets it, after a weld or three trips in ten minutes.
 */
export type InterlockPhase = 'BOOT_OPEN' | 'WAIT_WINDOW' | 'READY' | 'CLOSED' | 'TRIPPED' | 'LOCKOUT';

export interface InterlockSettings {
  /** Enter-service delay, market time. IEEE 1547-2018 4.10.3: 300 s, 0 to 600. */
  readonly delayMs: number;
  /** How often the interlock is stepped, wall time. */
  readonly tickMs: number;
  /** How often the meter is read, wall time. */
  readonly pollMs: number;
  /** What the contact may take to follow a command, wall time. */
  readonly contactMs: number;
  /** The fastest that market time may run against the wall: 1 but in simulation. Nothing it says counts beyond that. */
  readonly maximumSpeed: number;
}

/** What the grid code says about the last reading of one quantity; times count from when it left normal. */
export interface QuantityState {
  readonly insideEnterService: boolean;
  /** null: normal, for ever. 0: at once. */
  readonly mayOpenAfterMs: number | null;
  /** null: no trip limit is exceeded. */
  readonly mustOpenWithinMs: number | null;
}

export interface GridReading {
  readonly good: boolean;
  /** Since the values were measured: wall time and market time. */
  readonly ageMs: number;
  readonly marketAgeMs: number;
  readonly voltage: QuantityState;
  readonly frequency: QuantityState;
}

/** What the auxiliary contact said last. */
export interface ContactFeedback {
  readonly closed: boolean;
  readonly ageMs: number;
  /** From when the driver acknowledged the present command to when the contact was read; null: not read since. */
  readonly sinceCommandMs: number | null;
}

export interface InterlockTick {
  readonly kind: 'tick';
  readonly reading: GridReading | null;
  readonly lease: LeaseValidity;
  /** Wall time since the engine's last heartbeat was sent; null: none was heard. */
  readonly heartbeatAgeMs: number | null;
  /** null: it cannot be read. */
  readonly feedback: ContactFeedback | null;
  /** How far this machine's clock is known to be off, ms. Shown above 50; what it endangers lapses by itself. */
  readonly clockOffsetMs: number;
}

/** `reset`: a person has looked, and ends a lockout. */
export type InterlockInput = InterlockTick | { readonly kind: 'reset' };

/** `market` is null until the market clock is known. `wall` is monotonic ms. */
export interface InterlockTime {
  readonly market: EpochMs | null;
  readonly wall: number;
}

export interface InterlockState {
  readonly phase: InterlockPhase;
  /** How long both quantities have been seen inside the enter-service window, market ms; null: they are not. */
  readonly insideWindowMs: number | null;
  /** How long each may have been abnormal, counted from its last normal reading: the doubt is on the safe side. */
  readonly abnormalMs: { readonly voltage: number; readonly frequency: number };
  /** Market times of the last trips. */
  readonly trips: readonly number[];
  /** When the command last changed, wall; null before the first tick. */
  readonly commandedAt: number | null;
  readonly last: InterlockTime | null;
  /** Why it tripped or locked out. */
  readonly cause: FaultCode;
  readonly fault: FaultCode;
}

/** The command to the contact, given on every tick, and what the lamp shows. */
export interface InterlockOutputs {
  readonly closed: boolean;
  readonly fault: FaultCode;
}

export interface InterlockStep {
  readonly state: InterlockState;
  readonly outputs: InterlockOutputs;
}

export const INTERLOCK_AT_BOOT: InterlockState = {
  phase: 'BOOT_OPEN',
  insideWindowMs: null,
  abnormalMs: { voltage: 0, frequency: 0 },
  trips: [],
  commandedAt: null,
  last: null,
  cause: FAULT_CODES.boot,
  fault: FAULT_CODES.boot,
};

const LEAST_FRESH_MS_ACCELERATED = 3_000;

/** What is older is stale: two polls, and under acceleration not less than 3 s of wall time. */
export function freshnessLimitMs(settings: InterlockSettings): number {
  const twoPolls = 2 * settings.pollMs;
  return settings.maximumSpeed > 1 ? Math.max(LEAST_FRESH_MS_ACCELERATED, twoPolls) : twoPolls;
}

/** The reading, if the interlock may rely on it. */
export function freshReading(settings: InterlockSettings, tick: InterlockTick): GridReading | null {
  const { reading } = tick;
  return reading?.good === true && reading.ageMs <= freshnessLimitMs(settings) ? reading : null;
}
