/**
 * What the lamp beside the relay says: so many short flashes, then dark. 0: nothing is wrong. The same number is the
 * Sparkplug metric `Safety/FaultCode`.
 */
export type FaultCode = 0 | 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8;

export const FAULT_CODES = {
  none: 0,
  /** Just started; the contact has not been seen open. */
  boot: 1,
  /** No lease covers this moment. */
  noClearing: 2,
  /** Voltage is outside what the present state asks for. */
  voltageMismatch: 3,
  /** Frequency likewise. */
  frequencyMismatch: 4,
  /** No good reading that is fresh: voltage and frequency are unknown. */
  meterCommunication: 5,
  /** The clocks of this machine and the engine disagree, or the market clock is not known. */
  clock: 6,
  /** No fresh heartbeat of the engine. */
  meshLost: 7,
  /** The contact is not where it was commanded, or cannot be read: welded, stuck or disconnected. */
  relayFeedback: 8,
} as const satisfies Record<string, FaultCode>;

/** A contact that does not obey comes first, then the grid, then what we do not know, then what we may not do. */
const BY_SEVERITY: readonly FaultCode[] = [8, 3, 4, 5, 6, 7, 2, 1];

/** One sentence each, for whoever stands before the cabinet. */
export const FAULT_TEXTS: Readonly<Record<FaultCode, string>> = {
  0: 'No fault.',
  1: 'Starting: the contact has not been seen open yet.',
  2: 'No clearing: no valid lease covers this interval.',
  3: 'Voltage mismatch: the voltage is outside the limits of the grid code.',
  4: 'Frequency mismatch: the frequency is outside the limits of the grid code.',
  5: 'Meter communication: no fresh good reading of voltage and frequency.',
  6: 'Clock: this machine and the engine disagree about the time.',
  7: 'Mesh lost: no heartbeat of the engine for three seconds.',
  8: 'Relay feedback: the contact is not where it was commanded.',
};

/** The one of them that the lamp shows; `none` of none. */
export function mostSevere(faults: Iterable<FaultCode>): FaultCode {
  const present = new Set(faults);
  return BY_SEVERITY.find((code) => present.has(code)) ?? FAULT_CODES.none;
}

export const LAMP_STEP_MS = 200;
const PAUSE_STEPS = 6;

/**
 * The lamp in steps of 200 ms, repeated for ever: one step lit and one dark for each flash, then 1.2 s dark. Without a
 * fault it is steady, lit while the contact is closed.
 */
export function lampPattern(code: FaultCode, closed: boolean): readonly boolean[] {
  if (code === FAULT_CODES.none) return [closed];
  const flashes = Array.from({ length: code }, () => [true, false]).flat();
  return [...flashes, ...Array.from({ length: PAUSE_STEPS }, () => false)];
}
