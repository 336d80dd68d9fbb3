import type { RelayDriver } from '../domain/ports.ts';
import { Fault } from '../errors/fault.ts';

/** welded: does not open. stuck: does not close. silent: neither takes a command nor tells its contact. */
export type RelayTrouble = 'welded' | 'stuck' | 'silent';

/** The switch of a simulated home, with a contact that takes its time. */
export interface SimulatedRelay extends RelayDriver {
  /** Where the contact is now, whatever was commanded. */
  contactClosed(): boolean;
  /** From now on; null ends the trouble and lets the contact follow its last command. */
  trouble(kind: RelayTrouble | null): void;
}

/** Starts open. `now` is any clock in ms; the contact follows a command after `contactMs` of it. */
export function simulatedRelay(options: { readonly contactMs: number; readonly now: () => number }): SimulatedRelay {
  const { contactMs, now } = options;
  let contact = false;
  let commanded = false;
  let movesAt = now();
  let present: RelayTrouble | null = null;
  const settle = () => {
    const held = (present === 'welded' && contact) || (present === 'stuck' && !contact);
    if (!held && now() >= movesAt) contact = commanded;
  };
  const assertAnswering = () => {
    if (present === 'silent') throw new Fault('RELAY_UNREACHABLE', 'the simulated relay is silent');
  };
  return {
    async command(closed) {
      assertAnswering();
      settle();
      if (closed === commanded) return;
      commanded = closed;
      movesAt = now() + contactMs;
    },
    async feedback() {
      assertAnswering();
      settle();
      return contact;
    },
    contactClosed() {
      settle();
      return contact;
    },
    trouble(kind) {
      settle();
      present = kind;
    },
  };
}
