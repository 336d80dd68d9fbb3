import { assert, assertSafeInteger } from '../units/assert.ts';
import { FAULT_CODES, type FaultCode, mostSevere } from './fault-code.ts';
import { findFaults, type InterlockFaults } from './interlock-faults.ts';
import {
  freshnessLimitMs,
  freshReading,
  type GridReading,
  INTERLOCK_AT_BOOT,
  type InterlockInput,
  type InterlockPhase,
  type InterlockSettings,
  type InterlockState,
  type InterlockStep,
  type InterlockTick,
  type InterlockTime,
} from './interlock-state.ts';

export const TRIP_LIMIT = 3;
export const TRIP_WINDOW_MS = 600_000;

/**
 * One step of the interlock of one relay. It grants and withdraws the permission to export; it is no protection, which
 * is the task of the certified inverter underneath. So it is the more careful of the two: it stays closed through an
 * abnormal voltage or frequency only while the grid code demands that, opens where the code leaves the choice, and
 * opens one tick before a trip time could be missed.
 */
export function stepInterlock(
  settings: InterlockSettings,
  state: InterlockState,
  input: InterlockInput,
  now: InterlockTime,
): InterlockStep {
  assertSafeInteger(now.wall, 'monotonic wall time in ms');
  assert(state.last === null || now.wall >= state.last.wall, 'monotonic time went back');
  if (input.kind === 'reset') return afterReset(state);
  const observed = observe(settings, state, input, now);
  const faults = findFaults(settings, observed, input, now);
  return conclude(observed, nextPhase(settings, observed, input, faults), faults, now);
}

/** A lockout ends; in every other phase there is nothing to reset. */
function afterReset(state: InterlockState): InterlockStep {
  const next =
    state.phase === 'LOCKOUT' ? { ...INTERLOCK_AT_BOOT, commandedAt: state.commandedAt, last: state.last } : state;
  return { state: next, outputs: { closed: next.phase === 'CLOSED', fault: next.fault } };
}

/** Brings the timers to `now`. */
function observe(
  settings: InterlockSettings,
  state: InterlockState,
  tick: InterlockTick,
  now: InterlockTime,
): InterlockState {
  const wallMs = state.last === null ? 0 : now.wall - state.last.wall;
  const marketMs = marketElapsedMs(state, now);
  const reading = freshReading(settings, tick);
  const elapsedMs = Math.max(marketMs, wallMs);
  const market = now.market ?? state.last?.market ?? null;
  return {
    ...state,
    insideWindowMs: insideWindowMs(settings, state, reading, { wallMs, marketMs }),
    abnormalMs: {
      voltage: abnormalMs(state.abnormalMs.voltage, reading, 'voltage', elapsedMs),
      frequency: abnormalMs(state.abnormalMs.frequency, reading, 'frequency', elapsedMs),
    },
    trips: state.trips.filter((at) => market === null || market - at < TRIP_WINDOW_MS),
    commandedAt: state.commandedAt ?? now.wall,
    last: { wall: now.wall, market },
  };
}

function marketElapsedMs(state: InterlockState, now: InterlockTime): number {
  const before = state.last?.market ?? null;
  return now.market === null || before === null ? 0 : Math.max(0, now.market - before);
}

/** Market time counts only as far as it was watched: not over a leap of the market clock, nor over a pause of ours. */
function insideWindowMs(
  settings: InterlockSettings,
  state: InterlockState,
  reading: GridReading | null,
  elapsed: { readonly wallMs: number; readonly marketMs: number },
): number | null {
  if (reading === null || !reading.voltage.insideEnterService || !reading.frequency.insideEnterService) return null;
  if (state.insideWindowMs === null || elapsed.wallMs > freshnessLimitMs(settings)) return 0;
  return state.insideWindowMs + Math.min(elapsed.marketMs, elapsed.wallMs * settings.maximumSpeed);
}

function abnormalMs(
  before: number,
  reading: GridReading | null,
  quantity: 'voltage' | 'frequency',
  elapsedMs: number,
): number {
  const normal = reading !== null && reading[quantity].mayOpenAfterMs === null;
  return normal ? Math.max(reading.ageMs, reading.marketAgeMs) : before + elapsedMs;
}

/** The first row that holds. One move per tick; a closed contact that has any reason to open does so at once. */
function nextPhase(
  settings: InterlockSettings,
  state: InterlockState,
  tick: InterlockTick,
  faults: InterlockFaults,
): InterlockPhase {
  if (state.phase === 'LOCKOUT' || faults.welded) return 'LOCKOUT';
  const windowPassed = state.insideWindowMs !== null && state.insideWindowMs >= settings.delayMs;
  const seenOpen = tick.feedback !== null && !tick.feedback.closed;
  const sound = faults.trip.length === 0 && seenOpen;
  switch (state.phase) {
    case 'BOOT_OPEN':
      return seenOpen ? 'WAIT_WINDOW' : 'BOOT_OPEN';
    case 'WAIT_WINDOW':
      return windowPassed && sound ? 'READY' : 'WAIT_WINDOW';
    case 'READY':
      if (!windowPassed) return 'WAIT_WINDOW';
      return sound && faults.permission.length === 0 ? 'CLOSED' : 'READY';
    case 'CLOSED':
      if (faults.trip.length > 0) return state.trips.length + 1 >= TRIP_LIMIT ? 'LOCKOUT' : 'TRIPPED';
      if (faults.permission.length > 0) return windowPassed ? 'READY' : 'WAIT_WINDOW';
      return 'CLOSED';
    case 'TRIPPED':
      return sound && state.insideWindowMs !== null ? 'WAIT_WINDOW' : 'TRIPPED';
  }
}

function conclude(
  state: InterlockState,
  phase: InterlockPhase,
  faults: InterlockFaults,
  now: InterlockTime,
): InterlockStep {
  const closed = phase === 'CLOSED';
  const wasClosed = state.phase === 'CLOSED';
  const tripped = wasClosed && faults.trip.length > 0;
  const lockedOut = phase === 'LOCKOUT' && state.phase !== 'LOCKOUT';
  const cause = tripped || lockedOut ? mostSevere(faults.trip) : state.cause;
  const present = mostSevere([...faults.trip, ...faults.permission, ...faults.notice]);
  const fault = shownFault(phase, present, cause);
  const trips = tripped ? [...state.trips, state.last?.market ?? 0] : state.trips;
  const commandedAt = closed === wasClosed ? state.commandedAt : now.wall;
  return { state: { ...state, phase, trips, commandedAt, cause, fault }, outputs: { closed, fault } };
}

function shownFault(phase: InterlockPhase, present: FaultCode, cause: FaultCode): FaultCode {
  if (phase === 'LOCKOUT' || phase === 'TRIPPED') return mostSevere([present, cause]);
  return phase === 'BOOT_OPEN' ? mostSevere([present, FAULT_CODES.boot]) : present;
}
