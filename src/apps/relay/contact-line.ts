import type { RelayDriver } from '../../domain/ports.ts';
import type { ContactFeedback } from '../../domain/safety/interlock-state.ts';
import type { Complaints } from './complaints.ts';

/** The command is told again this often, for a relay board that restarted and for a contact with its own timeout. */
const REPEAT_MS = 1_000;
const SUBJECT = 'relay';

/** `change` tells under which command the contact was read. */
interface Sample {
  readonly closed: boolean;
  readonly at: number;
  readonly change: number;
  readonly sinceCommandMs: number | null;
}

/**
 * Carries commands to the driver and the state of the contact back. An opening goes out at once, whatever else is on
 * its way; everything else is asked for one at a time.
 */
export class ContactLine {
  readonly #relay: RelayDriver;
  readonly #monotonicNow: () => number;
  readonly #complaints: Complaints;
  #closed = false;
  /** Counts the changes of the command, so that an acknowledgement of an older one says nothing. */
  #change = 0;
  #acknowledgedAt: number | null = null;
  #sentAt: number | null = null;
  #sample: Sample | null = null;
  #serving: Promise<void> | null = null;

  constructor(relay: RelayDriver, monotonicNow: () => number, complaints: Complaints) {
    this.#relay = relay;
    this.#monotonicNow = monotonicNow;
    this.#complaints = complaints;
  }

  get commandedClosed(): boolean {
    return this.#closed;
  }

  /** Takes the command of this tick, and asks the contact once if nothing is being asked. */
  step(closed: boolean): void {
    const changed = closed !== this.#closed;
    if (changed) {
      this.#closed = closed;
      this.#change += 1;
      this.#acknowledgedAt = null;
      this.#sentAt = null;
    }
    if (changed && !closed) void this.#send();
    this.#serving ??= this.#serve().finally(() => {
      this.#serving = null;
    });
  }

  /** What the contact said last, or null before the first answer. */
  feedback(): ContactFeedback | null {
    if (this.#sample === null) return null;
    const { closed, at, change, sinceCommandMs } = this.#sample;
    const ageMs = Math.max(0, this.#monotonicNow() - at);
    return { closed, ageMs, sinceCommandMs: change === this.#change ? sinceCommandMs : null };
  }

  /** Commands open and waits for the driver's word. False: it failed, and where the contact is, is unknown. */
  async open(): Promise<boolean> {
    this.#closed = false;
    this.#change += 1;
    this.#acknowledgedAt = null;
    const opened = await this.#send();
    if (this.#serving === null) return opened;
    await this.#serving;
    return this.#send();
  }

  async #serve(): Promise<void> {
    const due = this.#sentAt === null || this.#monotonicNow() - this.#sentAt >= REPEAT_MS;
    if (this.#acknowledgedAt === null || due) await this.#send();
    await this.#ask();
  }

  async #send(): Promise<boolean> {
    const [change, closed] = [this.#change, this.#closed];
    this.#sentAt = this.#monotonicNow();
    try {
      await this.#relay.command(closed);
    } catch (error) {
      this.#complaints.raise(SUBJECT, messageOf(error));
      return false;
    }
    if (change === this.#change) {
      this.#acknowledgedAt ??= this.#monotonicNow();
    } else {
      // An older command may have reached the relay after the newer one: say the newer one again.
      this.#sentAt = null;
    }
    return true;
  }

  async #ask(): Promise<void> {
    const at = this.#monotonicNow();
    const change = this.#change;
    const sinceCommandMs = this.#acknowledgedAt === null ? null : at - this.#acknowledgedAt;
    try {
      const closed = await this.#relay.feedback();
      this.#sample = { closed, at, change, sinceCommandMs };
      this.#complaints.clear(SUBJECT);
    } catch (error) {
      this.#complaints.raise(SUBJECT, messageOf(error));
    }
  }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
