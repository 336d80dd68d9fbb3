import type { MarketClock } from '../domain/ports.ts';
import { assert } from '../domain/units/assert.ts';
import { type EpochMs, epochMs } from '../domain/units/time.ts';

interface ScheduledEvent {
  readonly at: number;
  readonly name: string;
  readonly act: () => void;
}

const HASH_PRIME = 0x01000193;
const HASH_SEED = 0x811c9dc5;

/** The one clock of a simulated market. Whatever happens is an event in it; of one instant, the event scheduled first. */
export class MarketSchedule implements MarketClock {
  /** The latest first. */
  readonly #events: ScheduledEvent[] = [];
  readonly #seen = new Map<string, number>();
  #now: EpochMs;
  #count = 0;
  #hash = HASH_SEED;

  constructor(start: EpochMs) {
    this.#now = start;
  }

  now(): EpochMs {
    return this.#now;
  }

  /** How many events there were. */
  get count(): number {
    return this.#count;
  }

  /** Of everything that happened and was noted: equal runs have equal hashes. FNV-1a, 32 bits. */
  get hash(): string {
    return (this.#hash >>> 0).toString(16).padStart(8, '0');
  }

  /** How often each thing happened. */
  get seen(): ReadonlyMap<string, number> {
    return this.#seen;
  }

  after(delayMs: number, name: string, act: () => void): void {
    assert(delayMs >= 0, `an event ${delayMs} ms from now`);
    const at = this.#now + delayMs;
    this.#events.splice(this.#placeOf(at), 0, { at, name, act });
  }

  /** Lets the next event happen and returns its name; null where nothing is left. */
  next(): string | null {
    const event = this.#events.pop();
    if (event === undefined) return null;
    this.#now = epochMs(event.at);
    this.#count += 1;
    this.note(event.name);
    event.act();
    return event.name;
  }

  /** Counts what happened, and takes it into the hash with its details. */
  note(what: string, details = ''): void {
    this.#seen.set(what, (this.#seen.get(what) ?? 0) + 1);
    const text = `${what} ${details}`;
    let hash = Math.imul(this.#hash ^ this.#now, HASH_PRIME);
    for (let at = 0; at < text.length; at += 1) hash = Math.imul(hash ^ text.charCodeAt(at), HASH_PRIME);
    this.#hash = hash;
  }

  #placeOf(at: number): number {
    let [low, high] = [0, this.#events.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#events[middle]?.at ?? 0) > at) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
