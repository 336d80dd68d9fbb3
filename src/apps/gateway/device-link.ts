import { isStale } from '../../domain/metering/freshness.ts';
import { type LinkQuality, NEW_LINK, recordRequest } from '../../domain/metering/link-quality.ts';
import type { ReadingQuality } from '../../domain/metering/meter-reading.ts';
import { type Fault, isFault } from '../../errors/fault.ts';

const DEAD_AFTER_FAILURES = 3;

/** What becomes of a device that is read. */
export interface LinkListener {
  /** Its values are older than twice its interval. */
  stale(device: string): void;
  /** It left three readings in a row unanswered. */
  died(device: string, fault: Fault): void;
  /** Its link lost too much to be believed, or is good again. */
  lossy(device: string, isLossy: boolean): void;
}

/** One device behind a gateway: it is read again and again, and its link is judged by how often it answers. */
export class DeviceLink<Reading> {
  readonly #name: string;
  readonly #device: { read(): Promise<Reading> };
  readonly #listener: LinkListener;
  #quality: LinkQuality = NEW_LINK;
  #failures = 0;
  #latest: { readonly reading: Reading; readonly wall: number } | null = null;
  #toldStale = false;

  constructor(name: string, device: { read(): Promise<Reading> }, listener: LinkListener) {
    this.#name = name;
    this.#device = device;
    this.#listener = listener;
  }

  /** `stale` while the link loses more than 5 % of its requests, until it loses less than 2 %. */
  get quality(): ReadingQuality {
    return this.#quality.stale ? 'stale' : 'good';
  }

  /** The last reading, or null where it is older than twice `intervalMs` or its link is not to be believed. */
  fresh(intervalMs: number, wallNow: number): Reading | null {
    const { latest, stale } = { latest: this.#latest, stale: this.#quality.stale };
    return latest === null || stale || olderThanTwice(latest.wall, intervalMs, wallNow) ? null : latest.reading;
  }

  /** Null where the device did not answer: the caller goes on without it. */
  async read(intervalMs: number, wallNow: () => number): Promise<Reading | null> {
    try {
      const reading = await this.#device.read();
      this.#count(true);
      this.#latest = { reading, wall: wallNow() };
      this.#failures = 0;
      this.#toldStale = false;
      return reading;
    } catch (error) {
      if (!isFault(error)) throw error;
      this.#count(false);
      this.#failed(error, intervalMs, wallNow());
      return null;
    }
  }

  #count(answered: boolean): void {
    const before = this.#quality.stale;
    this.#quality = recordRequest(this.#quality, answered);
    if (this.#quality.stale !== before) this.#listener.lossy(this.#name, this.#quality.stale);
  }

  /** A dead device is stale for everybody already. */
  #failed(fault: Fault, intervalMs: number, wallNow: number): void {
    this.#failures += 1;
    if (this.#failures === DEAD_AFTER_FAILURES) this.#listener.died(this.#name, fault);
    const isOld = this.#latest !== null && olderThanTwice(this.#latest.wall, intervalMs, wallNow);
    if (this.#toldStale || !isOld || this.#failures >= DEAD_AFTER_FAILURES) return;
    this.#toldStale = true;
    this.#listener.stale(this.#name);
  }
}

function olderThanTwice(measuredAt: number, intervalMs: number, now: number): boolean {
  return isStale(Math.floor(measuredAt) as never, intervalMs, Math.floor(now) as never);
}
