import type { MemberNumber } from '../../domain/market/book.ts';
import { VERDICTS, type VerdictName, verdictCode } from '../../domain/market/verdict.ts';
import { HASH_BYTES } from '../../domain/proof/canonical-bytes.ts';
import { assert } from '../../domain/units/assert.ts';

/** An order or a withdrawal as the log of its product keeps it. */
export interface TapedCommand {
  readonly kind: 'order' | 'cancel';
  readonly sequence: number;
  readonly member: MemberNumber;
  readonly clientOrderId: number;
  readonly verdict: VerdictName;
  readonly reserved: number | null;
  /** Its bytes in the journal. */
  readonly record: Uint8Array;
  /** Hash of its receipt. */
  readonly receipt: Uint8Array;
}

/** Where the fields of a command lie, little endian; its record follows. */
const AT = { sequence: 0, reserved: 8, member: 16, clientOrderId: 20, length: 24, kind: 28, verdict: 29, receipt: 32 };
const RECORD_AT = AT.receipt + HASH_BYTES;
const FIRST_BYTES = 4096;
const NOTHING_RESERVED = -1;
const CANCEL = 1;

/**
 * Commands one behind the other in one piece of memory: a market keeps those of a hundred products until nobody can
 * dispute them, and as objects they would take several times the room.
 */
export class CommandTape {
  #bytes: Uint8Array;
  #view: DataView;
  #length: number;
  #count = 0;

  /** `bytes`: those of another tape. */
  constructor(bytes: Uint8Array = new Uint8Array(0)) {
    this.#bytes = bytes.length === 0 ? new Uint8Array(FIRST_BYTES) : Uint8Array.from(bytes);
    this.#view = new DataView(this.#bytes.buffer);
    this.#length = bytes.length;
    for (let at = 0; at < this.#length; at = this.#end(at)) this.#count += 1;
  }

  get count(): number {
    return this.#count;
  }

  /** Valid until the next command is added. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  add({ kind, sequence, member, clientOrderId, verdict, reserved, record, receipt }: TapedCommand): void {
    const at = this.#room(RECORD_AT + record.length);
    const view = this.#view;
    view.setFloat64(at + AT.sequence, sequence, true);
    view.setFloat64(at + AT.reserved, reserved ?? NOTHING_RESERVED, true);
    view.setUint32(at + AT.member, member, true);
    view.setUint32(at + AT.clientOrderId, clientOrderId, true);
    view.setUint32(at + AT.length, record.length, true);
    view.setUint8(at + AT.kind, kind === 'cancel' ? CANCEL : 0);
    view.setUint8(at + AT.verdict, verdictCode(verdict));
    this.#bytes.set(receipt, at + AT.receipt);
    this.#bytes.set(record, at + RECORD_AT);
    this.#count += 1;
  }

  /** From the first on. What it gives shares memory with the tape. */
  *commands(): Generator<TapedCommand> {
    for (let at = 0; at < this.#length; at = this.#end(at)) yield this.#commandAt(at);
  }

  #commandAt(at: number): TapedCommand {
    const view = this.#view;
    const verdict = VERDICTS[view.getUint8(at + AT.verdict)];
    assert(verdict !== undefined, 'a tape of another version');
    const reserved = view.getFloat64(at + AT.reserved, true);
    return {
      kind: view.getUint8(at + AT.kind) === CANCEL ? 'cancel' : 'order',
      sequence: view.getFloat64(at + AT.sequence, true),
      member: view.getUint32(at + AT.member, true),
      clientOrderId: view.getUint32(at + AT.clientOrderId, true),
      verdict,
      reserved: reserved === NOTHING_RESERVED ? null : reserved,
      record: this.#bytes.subarray(at + RECORD_AT, this.#end(at)),
      receipt: this.#bytes.subarray(at + AT.receipt, at + RECORD_AT),
    };
  }

  #end(at: number): number {
    return at + RECORD_AT + this.#view.getUint32(at + AT.length, true);
  }

  #room(bytes: number): number {
    const at = this.#length;
    this.#length = at + bytes;
    if (this.#length <= this.#bytes.length) return at;
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length));
    larger.set(this.#bytes);
    this.#bytes = larger;
    this.#view = new DataView(larger.buffer);
    return at;
  }
}
