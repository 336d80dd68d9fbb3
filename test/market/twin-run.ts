import type { Book, OrderState } from '../../src/domain/market/book.ts';
import { AcceptanceLog } from './acceptance-log.ts';
import { apply, bookOf, type Episode, type Market, type MarketCommand, type MarketMaker } from './market-command.ts';
import { type GateOrder, zonalFaults } from './zonal-optimality.ts';

const FULL_COMPARISON_EVERY = 64;

/**
 * Two markets that carry out the same commands. `step` says how they differ, or `null`. Where zones are joined, several
 * clearings are right: then both are proved right, their volumes are compared, and what they reserved is released.
 */
export class TwinRun {
  readonly reference: Market;
  readonly #other: Market;
  readonly #log = new AcceptanceLog();
  readonly #isLoose: boolean[];
  readonly #restartEvery: number;
  #count = 0;

  constructor({ products, restartEvery }: Omit<Episode, 'commands'>, reference: MarketMaker, other: MarketMaker) {
    this.reference = reference(products);
    this.#other = other(products);
    this.#isLoose = products.map(() => false);
    this.#restartEvery = restartEvery;
  }

  step(command: MarketCommand): string | null {
    try {
      return this.#step(command);
    } catch (thrown) {
      return `thrown: ${thrown instanceof Error ? thrown.stack : String(thrown)}`;
    }
  }

  compareAll(): string | null {
    for (const [position] of this.reference.books.entries()) {
      const found = this.#compareBook(position);
      if (found !== null) return `book ${position}: ${found}`;
    }
    return this.#compareReserved();
  }

  #step(command: MarketCommand): string | null {
    this.#count += 1;
    if (this.#restartEvery > 0 && this.#count % this.#restartEvery === 0) this.#other.restart?.();
    const gate = this.#gateOrders(command);
    const [expected, actual] = [apply(this.reference, command), apply(this.#other, command)];
    if (expected !== actual) return `the answer is ${actual}, expected ${expected}`;
    this.#log.note(command, expected);
    const found = gate === null ? this.#compareTouched(command) : this.#compareZones(gate);
    if (found !== null) return found;
    const isMilestone = command.kind === 'close-gate' || command.kind === 'release';
    return isMilestone || this.#count % FULL_COMPARISON_EVERY === 0 ? this.compareAll() : null;
  }

  #compareTouched(command: MarketCommand): string | null {
    if (command.kind !== 'place' && command.kind !== 'cancel') return null;
    const [expected, actual] = this.#both(command.book);
    const { member, clientOrderId } = command;
    const counts = (book: Book) => `${book.orderCount} orders, ${book.tradeCount} trades`;
    if (!this.#isLoose[command.book] && counts(expected) !== counts(actual))
      return `${counts(actual)}, expected ${counts(expected)}`;
    const [wanted, found] = [expected.find(member, clientOrderId), actual.find(member, clientOrderId)];
    const difference = this.#compareOrder(wanted, found, command.book);
    if (difference !== null) return difference;
    const reserved = [this.reference, this.#other].map(({ members }) => members.reserved(member));
    return reserved[0] === reserved[1] ? null : `member ${member} has ${reserved[1]} reserved, expected ${reserved[0]}`;
  }

  #compareBook(position: number): string | null {
    const [expected, actual] = this.#both(position);
    const isLoose = this.#isLoose[position];
    if (expected.orderCount !== actual.orderCount)
      return `${actual.orderCount} orders, expected ${expected.orderCount}`;
    if (expected.isClosed !== actual.isClosed) return `closed is ${actual.isClosed}, expected ${expected.isClosed}`;
    for (let order = 0; order < expected.orderCount; order += 1) {
      const found = this.#compareOrder(expected.orderAt(order), actual.orderAt(order), position);
      if (found !== null) return found;
    }
    if (isLoose) return null;
    if (expected.tradeCount !== actual.tradeCount)
      return `${actual.tradeCount} trades, expected ${expected.tradeCount}`;
    for (let trade = 0; trade < expected.tradeCount; trade += 1) {
      const found = compareFields(expected.tradeAt(trade), actual.tradeAt(trade));
      if (found !== null) return `trade ${trade}: ${found}`;
    }
    if (expected.rules.mechanism === 'continuous') return null;
    const [wanted, got] = [expected, actual].map((book) => book.clearingPrices().join(', '));
    return wanted === got ? null : `the prices are ${got}, expected ${wanted}`;
  }

  #compareOrder(expected: OrderState | null, actual: OrderState | null, book: number): string | null {
    if (expected === null || actual === null) {
      return expected === actual ? null : `an order is ${actual === null ? 'unknown' : 'known'} to one only`;
    }
    const found = this.#isLoose[book]
      ? compareFields(withoutFills(expected), withoutFills(actual))
      : compareFields(expected, actual);
    return found === null ? null : `order ${expected.clientOrderId} of member ${expected.member}: ${found}`;
  }

  #compareReserved(): string | null {
    for (let member = 0; member < this.reference.members.count; member += 1) {
      const [expected, actual] = [this.reference, this.#other].map(({ members }) => members.reserved(member));
      if (expected !== actual) return `member ${member} has ${actual} reserved, expected ${expected}`;
    }
    return null;
  }

  /** What stands in a call with zones at the moment its gate closes; else `null`. */
  #gateOrders(command: MarketCommand): { book: number; orders: GateOrder[] } | null {
    if (command.kind !== 'close-gate') return null;
    const book = bookOf(this.reference, command.book);
    if (book.isClosed || book.rules.mechanism !== 'call' || book.rules.fees.length === 1) return null;
    return { book: command.book, orders: this.#log.standingIn(book, command.book) };
  }

  #compareZones({ book, orders }: { book: number; orders: readonly GateOrder[] }): string | null {
    this.#isLoose[book] = true;
    const both = this.#both(book);
    for (const [index, one] of both.entries()) {
      const faults = zonalFaults(one, orders);
      if (faults.length > 0) return `${index === 0 ? 'the reference' : 'the other'}: ${faults.join('; ')}`;
    }
    const [expected, actual] = both.map(volumeOf);
    for (const one of both) one.release();
    return expected === actual ? null : `the volume is ${actual}, expected ${expected}`;
  }

  #both(position: number): [Book, Book] {
    return [bookOf(this.reference, position), bookOf(this.#other, position)];
  }
}

function withoutFills({ filled, fate, ...rest }: OrderState): Omit<OrderState, 'filled' | 'fate'> {
  return rest;
}

function volumeOf(book: Book): number {
  let volume = 0;
  for (let trade = 0; trade < book.tradeCount; trade += 1) volume += book.tradeAt(trade).energy;
  return volume;
}

function compareFields<T extends object>(expected: T, actual: T): string | null {
  for (const field of Object.keys(expected) as (keyof T)[]) {
    if (!Object.is(expected[field], actual[field]))
      return `${String(field)} is ${actual[field]}, expected ${expected[field]}`;
  }
  return null;
}
