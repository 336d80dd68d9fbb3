import { CANCEL, COMMAND_WORDS, type CommandStream, LADDER_STEPS, priceAtStep } from './command-stream.ts';
import { StreamBook } from './stream-book.ts';
import type { TradeTape } from './trade-tape.ts';

export interface StreamPlan {
  readonly name: string;
  readonly commands: number;
  readonly prefill: number;
  readonly books: number;
  readonly members: number;
  /** How many orders shall live; the share of cancels follows. */
  readonly live: number;
  /** How many price steps the limits spread over, on each side of the middle. */
  readonly spread: number;
  readonly seed: number;
}

export const STREAM_PLANS: readonly StreamPlan[] = [
  { name: 'shallow', commands: 1_000_000, prefill: 300, books: 1, members: 1000, live: 300, spread: 30, seed: 11 },
  { name: 'single', commands: 1_000_000, prefill: 8000, books: 1, members: 1000, live: 10_000, spread: 75, seed: 12 },
  {
    name: 'energy',
    commands: 2_000_000,
    prefill: 672_000,
    books: 672,
    members: 1000,
    live: 600_000,
    spread: 100,
    seed: 13,
  },
];

/** The same mix on one book that holds more and more. */
export const GROWTH_PLANS: readonly StreamPlan[] = [1000, 10_000, 100_000, 1_000_000].map((live) => ({
  name: `resting-${live}`,
  commands: live + 300_000,
  prefill: live,
  books: 1,
  members: 1000,
  live,
  spread: 75,
  seed: 14,
}));

export interface MadeStream {
  readonly plan: StreamPlan;
  readonly stream: CommandStream;
  /** The trades that every engine has to make. */
  readonly expected: TradeTape;
  /** Orders that lived in the mixed part. */
  readonly fewestLive: number;
  readonly mostLive: number;
}

const SHARE_IOC = 0.15;
const SHARE_CANCEL = 0.3;
const IOC_CROSSES = 8;

/** Members of an even number only buy, of an odd number only sell: no engine has to keep one from meeting itself. */
export function makeStream(plan: StreamPlan): MadeStream {
  const maker = new StreamMaker(plan);
  for (let at = 0; at < plan.prefill; at += 1) maker.prefill(at);
  let [fewestLive, mostLive] = [Number.POSITIVE_INFINITY, 0];
  for (let at = plan.prefill; at < plan.commands; at += 1) {
    maker.mix();
    fewestLive = Math.min(fewestLive, maker.books.liveCount);
    mostLive = Math.max(mostLive, maker.books.liveCount);
  }
  const { name: _, ...header } = plan;
  const stream = { ...header, orders: maker.orders, words: maker.words };
  return { plan, stream, expected: maker.books.tape(), fewestLive, mostLive };
}

class StreamMaker {
  readonly words: Int32Array;
  readonly books: StreamBook;
  orders = 0;
  readonly #plan: StreamPlan;
  readonly #middle: Int32Array;
  readonly #nextId: Int32Array;
  readonly #orderAt: Int32Array;
  #random: number;
  #written = 0;

  constructor(plan: StreamPlan) {
    this.#plan = plan;
    this.#random = plan.seed;
    this.words = new Int32Array(plan.commands * COMMAND_WORDS);
    this.books = new StreamBook(plan.books, plan.commands);
    this.#middle = new Int32Array(plan.books).fill(LADDER_STEPS / 2);
    this.#nextId = new Int32Array(plan.members).fill(1);
    this.#orderAt = new Int32Array(plan.commands);
  }

  /** One order of every member in every book, or as many as there are, on its own side of the middle. */
  prefill(at: number): void {
    const { books, members, spread } = this.#plan;
    const member = Math.floor(at / books) % members;
    const away = 1 + Math.min(this.#below(spread), this.#below(spread));
    const step = LADDER_STEPS / 2 + (member % 2 === 1 ? away : -away);
    this.#order(at % books, member, step, 1 + this.#below(100), true);
  }

  mix(): void {
    const chance = this.#below(1_000_000) / 1_000_000;
    const cancels = Math.min(0.8, SHARE_CANCEL * (this.books.liveCount / this.#plan.live) ** 4);
    if (chance < cancels && this.books.liveCount > 0) this.#cancel();
    else this.#trade(this.#below(1_000_000) / 1_000_000 < SHARE_IOC / (1 - SHARE_CANCEL));
  }

  #trade(ioc: boolean): void {
    const { books, members, spread } = this.#plan;
    const book = this.#below(books);
    const member = this.#below(members);
    const middle = this.#walk(book);
    const away = Math.min(this.#below(spread), this.#below(spread)) - 1;
    const towards = member % 2 === 1 ? 1 : -1;
    const step = ioc ? middle - towards * IOC_CROSSES : middle + towards * away;
    this.#order(book, member, step, 1 + this.#below(100), !ioc);
  }

  /** The middle of a book moves one step in every sixteenth order. */
  #walk(book: number): number {
    const moves = this.#below(32);
    const middle = (this.#middle[book] ?? 0) + (moves === 0 ? 1 : 0) - (moves === 1 ? 1 : 0);
    this.#middle[book] = Math.max(LADDER_STEPS / 4, Math.min((3 * LADDER_STEPS) / 4, middle));
    return this.#middle[book] ?? 0;
  }

  #order(book: number, member: number, step: number, energy: number, rests: boolean): void {
    const order = this.orders;
    const isSell = member % 2 === 1;
    const id = this.#nextId[member] ?? 1;
    this.#nextId[member] = id + 1;
    this.orders += 1;
    this.#orderAt[order] = this.#written;
    this.#write((isSell ? 1 : 0) + (rests ? 0 : 2), book, member, id, order, step, energy, priceAtStep(step));
    this.books.place(order, book, isSell, step, energy, rests);
  }

  /** Seven of eight name an order that lives, the eighth any that came before. */
  #cancel(): void {
    const order = this.#below(8) > 0 ? this.books.liveAt(this.#below(this.books.liveCount)) : this.#below(this.orders);
    const [, book = 0, member = 0, id = 0] = this.words.subarray((this.#orderAt[order] ?? 0) * COMMAND_WORDS);
    this.#write(CANCEL, book, member, id, order, 0, 0, 0);
    this.books.cancel(order);
  }

  #write(...command: readonly number[]): void {
    this.words.set(command, this.#written * COMMAND_WORDS);
    this.#written += 1;
  }

  /** Linear congruential, Numerical Recipes. */
  #below(bound: number): number {
    this.#random = (Math.imul(this.#random, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((this.#random / 2 ** 32) * bound);
  }
}
