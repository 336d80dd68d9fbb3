import type { MarketChance } from './market-chance.ts';
import type { MarketSchedule } from './market-schedule.ts';

/** Of a thousand messages, how many are lost, come twice, or come very late. */
export interface BusFaults {
  readonly droppedPerMille: number;
  readonly doubledPerMille: number;
  readonly latePerMille: number;
}

const USUAL_MS = 60;
const LATE_MS = 25_000;

/**
 * A bus that keeps none of the promises of a bus: it drops, doubles, delays and reorders, and now and then knows nobody
 * behind one of its links. What it does deliver is what was sent.
 */
export class FaultyBus<Message> {
  readonly #schedule: MarketSchedule;
  readonly #chance: MarketChance;
  readonly #faults: BusFaults;
  readonly #listeners = new Map<string, (message: Message) => void>();
  readonly #cut = new Set<string>();

  constructor(schedule: MarketSchedule, chance: MarketChance, faults: BusFaults) {
    this.#schedule = schedule;
    this.#chance = chance;
    this.#faults = faults;
  }

  listen(name: string, onMessage: (message: Message) => void): void {
    this.#listeners.set(name, onMessage);
  }

  /** Whether the link of that name is down: what is sent over it, either way, is lost. */
  cut(name: string, isCut: boolean): void {
    if (isCut) this.#cut.add(name);
    else this.#cut.delete(name);
  }

  send(from: string, to: string, message: Message): void {
    const { droppedPerMille, doubledPerMille } = this.#faults;
    const copies = this.#chance.happens(droppedPerMille) ? 0 : this.#chance.happens(doubledPerMille) ? 2 : 1;
    for (let copy = 0; copy < copies; copy += 1) {
      this.#schedule.after(this.#delayMs(), `bus: ${from} to ${to}`, () => this.#deliver(from, to, message));
    }
  }

  #delayMs(): number {
    const isLate = this.#chance.happens(this.#faults.latePerMille);
    return this.#chance.between(1, isLate ? LATE_MS : USUAL_MS);
  }

  #deliver(from: string, to: string, message: Message): void {
    if (!this.#cut.has(from) && !this.#cut.has(to)) this.#listeners.get(to)?.(message);
  }
}
