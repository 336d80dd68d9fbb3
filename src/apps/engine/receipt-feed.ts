import type { CancelCommand, Command, OrderCommand } from '../../domain/engine/command.ts';
import { AT, RECORD_KINDS, RECORD_VERSION } from '../../domain/engine/command-record.ts';
import type { EngineState } from '../../domain/engine/state.ts';
import type { VerdictName } from '../../domain/market/verdict.ts';
import type { MemberState } from '../../domain/proof/gate-root.ts';
import { assert } from '../../domain/units/assert.ts';
import type { EpochMs } from '../../domain/units/time.ts';
import { memberStatesOf } from './member-states.ts';
import type { ReceiptBook } from './receipt-book.ts';

/** An order or a withdrawal by its key. */
export type SignedHead = Pick<OrderCommand | CancelCommand, 'type' | 'product' | 'member' | 'clientOrderId'>;

/** All of a command that the receipt book asks for. */
export type FedCommand = SignedHead | Exclude<Command, OrderCommand | CancelCommand>;

/** Tells the receipt book of every command of the journal, live and in a replay alike. */
export class ReceiptFeed {
  readonly #book: ReceiptBook;
  readonly #state: EngineState;
  #members: readonly Omit<MemberState, 'sequence'>[];

  /** Both as they are after the same command. */
  constructor(book: ReceiptBook, state: EngineState) {
    this.#book = book;
    this.#state = state;
    this.#members = book.members;
  }

  get book(): ReceiptBook {
    return this.#book;
  }

  /** Before a command is applied: what its member has reserved, nano-currency; null: no collateral is asked of it. */
  reservedBefore(command: FedCommand): number | null {
    if (command.type !== 'order') return null;
    const { members } = this.#state;
    const number = members.numberOf(command.member);
    return number !== undefined && members.table.hasCollateral(number) ? members.table.reserved(number) : null;
  }

  /** After it was applied. `verdict`: the answer to an order or a withdrawal. */
  take(command: FedCommand, record: Uint8Array, reserved: number | null, verdict: VerdictName | null): void {
    const { sequence } = this.#state;
    const { type } = command;
    if (type === 'order' || type === 'cancel') this.#record(command, record, reserved, verdict);
    if (type === 'terms') this.#setMembers(sequence);
    if (type === 'halt' || type === 'resume') {
      if (command.member === null) this.#book.haltMarket(sequence, type === 'halt');
      else this.#setMembers(sequence);
    }
    if (type === 'open' || type === 'close') this.#turn(type, command.product);
    if (type === 'complete') this.#forget();
  }

  /** The key of an order or a withdrawal, read where it lies; null: the record is something else, or of the first version. */
  headOf(record: Uint8Array): SignedHead | null {
    const kind = record[AT.kind];
    const isSigned = kind === RECORD_KINDS.order || kind === RECORD_KINDS.cancel;
    if (record[AT.version] !== RECORD_VERSION || !isSigned || record.length < AT.proof) return null;
    const view = new DataView(record.buffer, record.byteOffset, record.byteLength);
    const member = this.#state.members.idOf(view.getUint32(AT.member, true));
    if (member === undefined) return null;
    const product = view.getFloat64(AT.product, true) as EpochMs;
    const clientOrderId = view.getUint32(AT.clientOrderId, true);
    return { type: kind === RECORD_KINDS.cancel ? 'cancel' : 'order', product, member, clientOrderId };
  }

  #record(command: SignedHead, record: Uint8Array, reserved: number | null, verdict: VerdictName | null): void {
    const { type: kind, product, member: memberId, clientOrderId } = command;
    const { members, sequence } = this.#state;
    const member = members.numberOf(memberId);
    assert(member !== undefined && verdict !== null, `the ${kind} of ${memberId} has an answer`);
    const key = { product, member, memberId, clientOrderId };
    this.#book.record({ kind, sequence, record, ...key, verdict, reserved });
  }

  #turn(type: 'open' | 'close', product: EpochMs): void {
    const { products, sequence } = this.#state;
    const book = products.get(product)?.book ?? null;
    if (book === null) return;
    if (type === 'open') this.#book.open(sequence, book.rules);
    else this.#book.close(sequence, book);
  }

  #setMembers(sequence: number): void {
    this.#members = memberStatesOf(this.#state, this.#members);
    this.#book.setMembers(sequence, this.#members);
  }

  /** What the engine has forgotten. */
  #forget(): void {
    for (const product of this.#book.products) {
      if (!this.#state.products.has(product)) this.#book.forget(product);
    }
  }
}
