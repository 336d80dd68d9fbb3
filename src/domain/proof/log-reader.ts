import type { CancelCommand, Command, OrderCommand } from '../engine/command.ts';
import type { MemberNumber } from '../market/book.ts';
import type { Hasher } from '../ports.ts';
import { assert } from '../units/assert.ts';
import type { MarketId, MemberId } from '../units/identity.ts';
import type { EpochMs } from '../units/time.ts';
import { fromHex } from './canonical-bytes.ts';
import type { LoggedCommand } from './clearing-artefact.ts';
import type { MemberState } from './gate-root.ts';
import { receiptHash } from './receipt.ts';

/** The names and numbers of members in the records. */
export interface NumberedMembers {
  numberOf(member: MemberId): MemberNumber | undefined;
  idOf(number: MemberNumber): MemberId | undefined;
}

export interface RecordTools {
  readonly hasher: Hasher;
  /** A record of the journal; a text says why it can't be read. */
  decode(record: Uint8Array, members: NumberedMembers): Command | string;
  /** The account whose signature the command carries over exactly its content, lower-case hex; null: none. */
  signer(command: OrderCommand | CancelCommand, market: MarketId, chainId: number): string | null;
}

export interface LogOrigin {
  readonly market: MarketId;
  readonly product: EpochMs;
  readonly chainId: number;
}

/** One command of the log with its sender as it was at that moment, or why no member can have sent it. */
export type ReadCommand =
  | {
      readonly invented: null;
      readonly command: OrderCommand | CancelCommand;
      readonly sender: MemberState;
      /** Hash of its receipt. */
      readonly receipt: Uint8Array;
    }
  | { readonly invented: string };

/** Reads the commands of a log in order, with what held for its members at each of them. */
export class LogReader {
  readonly #origin: LogOrigin;
  readonly #tools: RecordTools;
  readonly #changes: readonly MemberState[];
  readonly #states = new Map<MemberNumber, MemberState>();
  readonly #numbers = new Map<MemberId, MemberNumber>();
  readonly #onChange: (state: MemberState) => void;
  #next = 0;

  /** `onChange` hears of every member and every change, before the command that comes after it is read. */
  constructor(
    origin: LogOrigin,
    members: { readonly atOpening: readonly MemberState[]; readonly changes: readonly MemberState[] },
    tools: RecordTools,
    onChange: (state: MemberState) => void = () => undefined,
  ) {
    this.#origin = origin;
    this.#tools = tools;
    this.#changes = members.changes;
    this.#onChange = onChange;
    for (const state of members.atOpening) this.#change(state);
  }

  read(logged: LoggedCommand): ReadCommand {
    this.#advanceTo(logged.sequence);
    const record = fromHex(logged.record);
    const command = this.#tools.decode(record, {
      numberOf: (id) => this.#numbers.get(id),
      idOf: (number) => this.#states.get(number)?.id,
    });
    if (typeof command === 'string') return { invented: `its record cannot be read (${command})` };
    if (command.type !== 'order' && command.type !== 'cancel') return { invented: `its record is no order` };
    const { market, product, chainId } = this.#origin;
    if (command.product !== product) return { invented: 'its record is for another product' };
    const sender = this.#states.get(this.#numbers.get(command.member) ?? -1);
    const signer = this.#tools.signer(command, market, chainId);
    if (sender === undefined || signer !== sender.address) return { invented: `${command.member} did not sign it` };
    return { invented: null, command, sender, receipt: this.#receiptOf(logged, command.member, record) };
  }

  #receiptOf({ sequence, verdict, previous }: LoggedCommand, member: MemberId, bytes: Uint8Array): Uint8Array {
    const { hasher } = this.#tools;
    const { market, product } = this.#origin;
    const hashes = { record: hasher.keccak256(bytes), previous: fromHex(previous) };
    return receiptHash({ market, product, sequence, member, verdict, ...hashes }, hasher);
  }

  #advanceTo(sequence: number): void {
    let next = this.#changes[this.#next];
    while (next !== undefined && next.sequence < sequence) {
      this.#change(next);
      this.#next += 1;
      next = this.#changes[this.#next];
    }
  }

  #change(state: MemberState): void {
    const known = this.#states.get(state.number);
    assert(known === undefined || known.id === state.id, 'a number is given once');
    this.#states.set(state.number, state);
    this.#numbers.set(state.id, state.number);
    this.#onChange(state);
  }
}
