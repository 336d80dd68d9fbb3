import type { LoadDoor } from './doors-open.ts';
import type { ReadyOrder } from './doors-orders.ts';

/** What came of a load: how long answers took, ms, in no order. */
export interface LoadFigures {
  readonly seconds: number;
  readonly waits: Float64Array;
  readonly refused: number;
}

/** Everybody waits for an answer before sending the next: as many under way as there are members in the list. */
export async function closedLoop(door: LoadDoor, orders: readonly ReadyOrder[], members: number): Promise<LoadFigures> {
  const figures = new Tally(orders.length);
  const from = performance.now();
  const one = async (member: number) => {
    for (let at = member; at < orders.length; at += members) {
      const sent = performance.now();
      figures.note(at, sent, await door.send(orders[at] as ReadyOrder));
    }
  };
  await Promise.all(Array.from({ length: members }, (_, member) => one(member)));
  return figures.after(from);
}

/**
 * Orders fall due at a steady rate, whatever became of those before. The wait counts from when an order was due, so that
 * a load generator that comes late hides nothing.
 */
export async function openLoop(
  door: LoadDoor,
  orders: readonly ReadyOrder[],
  ordersPerSecond: number,
): Promise<LoadFigures> {
  const figures = new Tally(orders.length);
  const from = performance.now();
  const answers: Promise<void>[] = [];
  await atRate(orders.length, ordersPerSecond, (at, due) => {
    answers.push(door.send(orders[at] as ReadyOrder).then((isAccepted) => figures.note(at, due, isAccepted)));
  });
  await Promise.all(answers);
  return figures.after(from);
}

/** Calls `send` when each is due, the first at once; resolves after the last. */
export async function atRate(count: number, perSecond: number, send: (at: number, due: number) => void): Promise<void> {
  const from = performance.now();
  const dueOf = (at: number) => from + (at * 1000) / perSecond;
  for (let at = 0; at < count; ) {
    for (const now = performance.now(); at < count && dueOf(at) <= now; at += 1) send(at, dueOf(at));
    if (at < count) await new Promise((resolve) => setTimeout(resolve, Math.max(0, dueOf(at) - performance.now())));
  }
}

class Tally {
  readonly #waits: Float64Array;
  #refused = 0;

  constructor(count: number) {
    this.#waits = new Float64Array(count);
  }

  note(at: number, since: number, isAccepted: boolean): void {
    this.#waits[at] = performance.now() - since;
    if (!isAccepted) this.#refused += 1;
  }

  after(from: number): LoadFigures {
    return { seconds: (performance.now() - from) / 1000, waits: this.#waits, refused: this.#refused };
  }
}

/** The value that so large a share of them does not exceed. */
export function quantile(values: Iterable<number>, share: number): number {
  const sorted = Float64Array.from(values).sort();
  return sorted[Math.max(0, Math.ceil(sorted.length * share) - 1)] ?? Number.NaN;
}
