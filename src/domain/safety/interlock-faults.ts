import { FAULT_CODES, type FaultCode } from './fault-code.ts';
import {
  freshnessLimitMs,
  freshReading,
  type GridReading,
  type InterlockSettings,
  type InterlockState,
  type InterlockTick,
  type InterlockTime,
  type QuantityState,
} from './interlock-state.ts';
import { HEARTBEAT_LIFE_MS } from './lease-check.ts';

export const CLOCK_LIMIT_MS = 50;

/** What is wrong at this tick, apart by what it means for a closed contact. */
export interface InterlockFaults {
  /** Of the grid, the meter or the contact: a trip. */
  readonly trip: readonly FaultCode[];
  /** The permission is withdrawn: open, but nothing is broken. */
  readonly permission: readonly FaultCode[];
  /** Shown only. */
  readonly notice: readonly FaultCode[];
  /** Closed against the command for longer than the contact takes. */
  readonly welded: boolean;
}

/** `state` has its timers at `now`. */
export function findFaults(
  settings: InterlockSettings,
  state: InterlockState,
  tick: InterlockTick,
  now: InterlockTime,
): InterlockFaults {
  const reading = freshReading(settings, tick);
  const feedback = feedbackFault(settings, state, tick, now);
  return {
    trip: [
      ...(feedback === null ? [] : [FAULT_CODES.relayFeedback]),
      ...(reading === null ? [FAULT_CODES.meterCommunication] : gridTrips(settings, state, reading)),
    ],
    permission: permissionFaults(tick, now),
    notice: notices(state, tick, reading),
    welded: feedback === 'welded',
  };
}

function gridTrips(settings: InterlockSettings, state: InterlockState, reading: GridReading): FaultCode[] {
  const codes: FaultCode[] = [];
  if (mustOpen(settings, reading.voltage, state.abnormalMs.voltage)) codes.push(FAULT_CODES.voltageMismatch);
  if (mustOpen(settings, reading.frequency, state.abnormalMs.frequency)) codes.push(FAULT_CODES.frequencyMismatch);
  return codes;
}

function mustOpen(settings: InterlockSettings, quantity: QuantityState, abnormalForMs: number): boolean {
  const { mayOpenAfterMs, mustOpenWithinMs } = quantity;
  if (mayOpenAfterMs !== null && abnormalForMs >= mayOpenAfterMs) return true;
  const nextTickMs = abnormalForMs + settings.tickMs * settings.maximumSpeed;
  return mustOpenWithinMs !== null && nextTickMs >= mustOpenWithinMs;
}

function permissionFaults(tick: InterlockTick, now: InterlockTime): FaultCode[] {
  const codes: FaultCode[] = [];
  if (now.market === null) codes.push(FAULT_CODES.clock);
  if (tick.heartbeatAgeMs === null || tick.heartbeatAgeMs >= HEARTBEAT_LIFE_MS) codes.push(FAULT_CODES.meshLost);
  if (tick.lease !== 'valid') codes.push(FAULT_CODES.noClearing);
  return codes;
}

/** While closed only what the code calls abnormal is shown; before that, all that keeps the window from passing. */
function notices(state: InterlockState, tick: InterlockTick, reading: GridReading | null): FaultCode[] {
  const shown = (quantity: QuantityState) =>
    state.phase === 'CLOSED' ? quantity.mayOpenAfterMs !== null : !quantity.insideEnterService;
  const codes: FaultCode[] = [];
  if (reading !== null && shown(reading.voltage)) codes.push(FAULT_CODES.voltageMismatch);
  if (reading !== null && shown(reading.frequency)) codes.push(FAULT_CODES.frequencyMismatch);
  if (Math.abs(tick.clockOffsetMs) > CLOCK_LIMIT_MS) codes.push(FAULT_CODES.clock);
  return codes;
}

/** A command that the driver never acknowledged is a mismatch, never a weld: only a contact that was told can be one. */
function feedbackFault(
  settings: InterlockSettings,
  state: InterlockState,
  tick: InterlockTick,
  now: InterlockTime,
): 'welded' | 'mismatch' | null {
  const { feedback } = tick;
  if (feedback === null || feedback.ageMs > freshnessLimitMs(settings)) return 'mismatch';
  if (feedback.closed === (state.phase === 'CLOSED')) return null;
  if (feedback.sinceCommandMs !== null && feedback.sinceCommandMs > settings.contactMs) {
    return feedback.closed ? 'welded' : 'mismatch';
  }
  const commandedForMs = now.wall - (state.commandedAt ?? now.wall);
  return commandedForMs > settings.contactMs + freshnessLimitMs(settings) ? 'mismatch' : null;
}
