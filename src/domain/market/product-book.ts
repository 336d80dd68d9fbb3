import { assert } from '../units/assert.ts';
import type { Book, BookTrade, OrderState, ProductRules } from './book.ts';
import { callTrade, continuousTrade, orderStateOf } from './book-report.ts';
import { type CallBook, ClosedCall, linesAtGate } from './call-closing.ts';
import type { MemberTable } from './member-table.ts';
import { ORDER_TYPES, SIDES } from './order.ts';
import { OrderChecks } from './order-checks.ts';
import { OrderKeys } from './order-keys.ts';
import { LINE_WORDS, NO_ORDER, OPEN, type OrderLines } from './order-lines.ts';
import { acceptedFlags, flagsOf, OrderRecords } from './order-records.ts';
import { PositionTable } from './position-table.ts';
import { PriceLadder } from './price-ladder.ts';
import { PriceTimeBook } from './price-time-book.ts';
import { SnapshotReader, SnapshotWriter } from './snapshot-words.ts';
import { type FateCode, fateCode, type VerdictCode, verdictCode } from './verdict.ts';

/** To be raised with the layout of a snapshot, and where a place in VERDICTS, ORDER_TYPES or ORDER_FATES changes. */
const FORMAT = 1;

const BUY = SIDES.indexOf('buy');
const LIMIT = ORDER_TYPES.indexOf('limit');
const FOK = ORDER_TYPES.indexOf('fok');
const MAX_VOLUME = 2 ** 31 - 1;

const ACCEPTED = verdictCode('accepted');
const EXISTS = verdictCode('exists');
const CANCELLED = verdictCode('cancelled');
const UNKNOWN_ORDER = verdictCode('unknown_order');
const NOT_OPEN = verdictCode('not_open');
const GATE_CLOSED = verdictCode('gate_closed');

const FATE_CANCELLED = fateCode('cancelled');
const FATE_EXPIRED = fateCode('expired');
const FATE_LAPSED = fateCode('lapsed');
const FATE_KILLED = fateCode('killed');
const FATE_REPLACED = fateCode('replaced');

/**
 * The book of one product in typed arrays: placing and withdrawing an order takes plain integers and allocates nothing.
 * It composes what each of its parts knows: `OrderChecks` the rules, `PriceTimeBook` the queues, `OrderRecords` the
 * orders as they came, `OrderKeys` their names, `PositionTable` what each member holds here, `MemberTable` what it holds
 * in all books.
 */
export class ProductBook implements Book {
  readonly rules: ProductRules;
  readonly #members: MemberTable;
  readonly #ladder: PriceLadder;
  readonly #queue: PriceTimeBook;
  readonly #lines: OrderLines;
  readonly #records: OrderRecords;
  readonly #keys: OrderKeys;
  readonly #positions: PositionTable;
  readonly #checks: OrderChecks;
  readonly #isCall: boolean;
  #isClosed = false;
  #isReleased = false;
  #call: ClosedCall | null = null;

  constructor(rules: ProductRules, members: MemberTable) {
    assert(rules.maxVolume >= 0 && rules.maxVolume <= MAX_VOLUME, `a volume of ${rules.maxVolume} Wh`);
    assert(rules.penalty >= 0, `a penalty of ${rules.penalty}`);
    this.rules = rules;
    this.#members = members;
    this.#ladder = new PriceLadder(rules);
    this.#queue = new PriceTimeBook(this.#ladder.ticks);
    this.#lines = this.#queue.lines;
    this.#records = new OrderRecords();
    this.#keys = new OrderKeys(this.#records);
    this.#positions = new PositionTable(this.#lines, this.#records);
    this.#checks = new OrderChecks({ ...this.#parts(), keys: this.#keys, positions: this.#positions });
    this.#isCall = rules.mechanism === 'call';
  }

  place(
    member: number,
    clientOrderId: number,
    side: number,
    type: number,
    limit: number,
    energy: number,
    replaces: number,
    clockOffMs: number,
    sequence: number,
  ): VerdictCode {
    const known = this.#keys.find(member, clientOrderId);
    if (known >= 0) return this.#checks.repeat(known, side, type, limit, energy, replaces);
    const answer = this.#isClosed
      ? GATE_CLOSED
      : this.#checks.check(member, side, type, limit, energy, replaces, clockOffMs);
    const isAccepted = answer === ACCEPTED;
    const reserves = isAccepted && this.#members.hasCollateral(member);
    const position = this.#lines.append(isAccepted ? (this.#checks.tick << 1) | side : side);
    const flags = flagsOf(side, type, replaces, answer) | acceptedFlags(this.#members.zone(member), reserves);
    this.#records.write(position, member, clientOrderId, flags, limit, energy, replaces, sequence);
    this.#keys.put(known, member, clientOrderId);
    if (!isAccepted) return answer;
    const kept = energy - this.#enter(position, member, side, type, energy, sequence);
    const { row, rate } = this.#checks;
    this.#hold(side, row, kept);
    if (reserves) this.#members.reserve(member, rate * kept);
    return answer;
  }

  cancel(member: number, clientOrderId: number, sequence: number): VerdictCode {
    const position = this.#keys.find(member, clientOrderId);
    if (position < 0) return UNKNOWN_ORDER;
    if (this.#isClosed || this.#lines.openOf(position) === 0) return this.#cannotCancel(position);
    const open = this.#isCall ? this.#takeOpen(position) : this.#queue.remove(position);
    this.#withdraw(position, open, FATE_CANCELLED, sequence);
    return CANCELLED;
  }

  #cannotCancel(position: number): VerdictCode {
    if (this.#records.answer(position) !== ACCEPTED) return NOT_OPEN;
    if (this.#records.fate(position) === FATE_CANCELLED) return EXISTS;
    return this.#isClosed ? GATE_CLOSED : NOT_OPEN;
  }

  /** Lets an accepted order stand or match. Returns the Wh that do neither. */
  #enter(position: number, member: number, side: number, type: number, energy: number, sequence: number): number {
    const queue = this.#queue;
    const checks = this.#checks;
    const { tick } = checks;
    if (checks.row < 0) checks.row = this.#positions.open(member);
    if (this.#isCall) this.#lines.words[position * LINE_WORDS + OPEN] = energy;
    else if (checks.replaced === NO_ORDER || !this.#takePlace(checks.replaced, position, type, energy, sequence)) {
      if (type === FOK && !queue.isMatchable(side, tick, energy)) return this.#drop(position, energy, FATE_KILLED);
      const left = queue.match(position, side, tick, energy);
      if (left === 0) return 0;
      if (type !== LIMIT) return this.#drop(position, left, FATE_LAPSED);
      queue.rest(position, left);
    }
    this.#positions.rest(checks.row, position);
    return 0;
  }

  /** Notes that part of an order that just came neither trades nor stands. Returns that part. */
  #drop(position: number, energy: number, fate: FateCode): number {
    this.#records.end(position, energy, fate);
    return energy;
  }

  /** Withdraws the replaced order. True: the new one has its place, for it asks for no more at the same price. */
  #takePlace(replaced: number, position: number, type: number, energy: number, sequence: number): boolean {
    const lines = this.#lines;
    const isSamePrice = lines.keyOf(replaced) === lines.keyOf(position);
    const keepsPlace = type === LIMIT && isSamePrice && energy <= lines.openOf(replaced);
    const open = keepsPlace ? this.#queue.exchange(replaced, position, energy) : this.#queue.remove(replaced);
    this.#withdraw(replaced, open, FATE_REPLACED, sequence);
    return keepsPlace;
  }

  #takeOpen(position: number): number {
    const open = this.#lines.openOf(position);
    this.#lines.words[position * LINE_WORDS + OPEN] = 0;
    return open;
  }

  #withdraw(position: number, open: number, fate: FateCode, sequence: number): void {
    this.#records.stamp(position, sequence);
    this.#end(position, open, fate);
  }

  /** `energy` Wh of an order will not trade: what they held is free. */
  #end(position: number, energy: number, fate: FateCode): void {
    const records = this.#records;
    const member = records.member(position);
    const side = records.side(position);
    records.end(position, energy, fate);
    this.#hold(side, side === BUY ? 0 : this.#positions.find(member), -energy);
    if (records.reserves(position)) this.#members.reserve(member, -this.#checks.reservation(position, energy));
  }

  /** Counts energy of accepted orders, or, below 0, what of it is withdrawn. `row`: of a seller. */
  #hold(side: number, row: number, energy: number): void {
    if (side === BUY) {
      this.#checks.heldBuys += energy;
      return;
    }
    this.#checks.heldSells += energy;
    this.#positions.addSells(row, energy);
  }

  closeGate(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (this.#isCall) this.#clear();
    else this.#expire();
    this.#queue.levels.clear();
  }

  #expire(): void {
    for (let position = 0; position < this.orderCount; position += 1) {
      const open = this.#takeOpen(position);
      if (open > 0) this.#end(position, open, FATE_EXPIRED);
    }
  }

  #clear(): void {
    this.#call = new ClosedCall(this.#parts(), this.#lines.words);
    const { filled, fate } = this.#call.result;
    for (let position = 0; position < this.orderCount; position += 1) {
      const open = this.#takeOpen(position);
      if (open > 0) this.#end(position, open - (filled[position] as number), fate[position] as number);
    }
  }

  release(): void {
    assert(this.#isClosed, 'a book is settled after its gate');
    if (this.#isReleased) return;
    this.#isReleased = true;
    for (let position = 0; position < this.orderCount; position += 1) {
      const kept = this.#records.energy(position) - this.#records.ended(position);
      const reserved = this.#checks.reservation(position, kept);
      if (reserved > 0) this.#members.reserve(this.#records.member(position), -reserved);
    }
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  get orderCount(): number {
    return this.#lines.count;
  }

  orderAt(position: number): OrderState {
    return orderStateOf(this.#parts(), position);
  }

  find(member: number, clientOrderId: number): OrderState | null {
    const position = this.#keys.find(member, clientOrderId);
    return position < 0 ? null : this.orderAt(position);
  }

  get tradeCount(): number {
    return this.#call === null ? this.#queue.tape.count : this.#call.trades.energies.length;
  }

  tradeAt(position: number): BookTrade {
    assert(position >= 0 && position < this.tradeCount, `no trade at ${position}`);
    if (this.#call !== null) return callTrade(this.#parts(), this.#call, position);
    return continuousTrade(this.#parts(), this.#queue.tape, position);
  }

  clearingPrices(): readonly (number | null)[] {
    return this.#call?.result.prices ?? this.rules.fees.map(() => null);
  }

  /** Bytes of the arrays that hold the book. */
  get bytesHeld(): number {
    const { tape, levels } = this.#queue;
    const orders = this.#lines.words.byteLength + this.#records.bytesHeld + this.#keys.bytesHeld;
    return orders + tape.words.byteLength + levels.bytesHeld + this.#positions.bytesHeld;
  }

  /** The whole book; the members are kept by their own snapshot, taken at the same moment. */
  snapshot(): Uint8Array {
    const writer = new SnapshotWriter(FORMAT);
    writer.wide(this.rules.product);
    writer.word(this.#isClosed ? 1 : 0);
    writer.word(this.#isReleased ? 1 : 0);
    writer.block(this.#lines.content());
    writer.block(this.#records.content(this.orderCount));
    writer.block(this.#queue.tape.content());
    return writer.bytes();
  }

  /** A book that answers and goes on as the one that the snapshot was taken of. `rules`: those it was opened with. */
  static restore(bytes: Uint8Array, rules: ProductRules, members: MemberTable): ProductBook {
    const reader = new SnapshotReader(bytes, FORMAT);
    assert(reader.wide() === rules.product, 'a snapshot of another product');
    const book = new ProductBook(rules, members);
    book.#isClosed = reader.word() === 1;
    book.#isReleased = reader.word() === 1;
    book.#lines.load(reader.block());
    book.#records.load(reader.block());
    book.#queue.tape.load(reader.block());
    reader.end();
    book.#derive();
    return book;
  }

  /** Builds again what follows from the orders: names, holdings, queues and, after a call, its trades. */
  #derive(): void {
    for (let position = 0; position < this.orderCount; position += 1) this.#deriveOrder(position);
    if (!this.#isCall) this.#queue.levels.relink();
    else if (this.#isClosed) this.#call = new ClosedCall(this.#parts(), linesAtGate(this.#parts(), this.#stood));
  }

  #deriveOrder(position: number): void {
    const records = this.#records;
    const [member, clientOrderId] = [records.member(position), records.clientOrderId(position)];
    this.#keys.put(this.#keys.find(member, clientOrderId), member, clientOrderId);
    if (records.answer(position) !== ACCEPTED) return;
    const row = this.#positions.open(member);
    this.#hold(records.side(position), row, records.energy(position) - records.ended(position));
    if (this.#lines.openOf(position) > 0) this.#positions.rest(row, position);
  }

  /** Whether an order stood when the gate closed. */
  readonly #stood = (position: number): boolean =>
    this.#records.answer(position) === ACCEPTED && this.#records.fate(position) !== FATE_CANCELLED;

  #parts(): CallBook {
    const { rules } = this;
    return { rules, lines: this.#lines, records: this.#records, members: this.#members, ladder: this.#ladder };
  }
}
