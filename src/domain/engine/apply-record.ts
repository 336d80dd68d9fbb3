import { ORDER_TYPES, SIDES } from '../market/order.ts';
import type { ProductBook } from '../market/product-book.ts';
import { type VerdictCode, verdictCode } from '../market/verdict.ts';
import { assert } from '../units/assert.ts';
import type { EpochMs } from '../units/time.ts';
import { applyCommand } from './apply-command.ts';
import { AT, decodeCommand, HASH_BYTES, RECORD_KINDS, RECORD_VERSION, type RecordProblem } from './command-record.ts';
import { refusalBeforeBook } from './market-commands.ts';
import type { EngineState } from './state.ts';

const UNKNOWN_ORDER = verdictCode('unknown_order');
const NOT_REPLACING = -1;

/**
 * One record of the journal: the same as `applyCommand` of what it decodes to, except that nobody is told the events.
 * An order or a withdrawal is read where it lies and makes no object. Returns its verdict, and null for other commands.
 */
export function applyRecord(state: EngineState, record: Uint8Array): VerdictCode | null | RecordProblem {
  if (isSigned(record)) {
    const view = new DataView(record.buffer, record.byteOffset, record.byteLength);
    if (state.members.idOf(member(view, 0)) !== undefined) return applySigned(state, view, 0);
  }
  const command = decodeCommand(record, state.members);
  if (typeof command === 'string') return command;
  applyCommand(state, command);
  return null;
}

/** Whole and in bounds; everything else takes the slow way, which names what is wrong. */
function isSigned(record: Uint8Array): boolean {
  const [kind, side = 0, type = 0, siblings = 0] = [
    record[AT.kind],
    record[AT.side],
    record[AT.type],
    record[AT.siblings],
  ];
  if (record[AT.version] !== RECORD_VERSION || record.length !== AT.proof + siblings * HASH_BYTES) return false;
  return (
    kind === RECORD_KINDS.cancel || (kind === RECORD_KINDS.order && side < SIDES.length && type < ORDER_TYPES.length)
  );
}

/** An order or a withdrawal whose record begins at `offset`. */
export function applySigned(state: EngineState, view: DataView, offset: number): VerdictCode {
  const at = view.getFloat64(offset + AT.at, true) as EpochMs;
  assert(Number.isSafeInteger(at) && at >= state.now, `market time went from ${state.now} to ${at}`);
  state.sequence += 1;
  state.now = at;
  const product = view.getFloat64(offset + AT.product, true) as EpochMs;
  const book = state.products.get(product)?.book ?? null;
  if (view.getUint8(offset + AT.kind) === RECORD_KINDS.cancel) {
    if (book === null) return UNKNOWN_ORDER;
    return book.cancel(member(view, offset), view.getUint32(offset + AT.clientOrderId, true), state.sequence);
  }
  if (book === null || !state.current.has(member(view, offset))) {
    const refusal = refusalBeforeBook(state, product, member(view, offset));
    assert(refusal !== null, 'there is a reason');
    return verdictCode(refusal);
  }
  return place(book, view, offset, state.sequence);
}

function place(book: ProductBook, view: DataView, offset: number, sequence: number): VerdictCode {
  const isReplacing = view.getUint8(offset + AT.hasReplaces) !== 0;
  return book.place(
    member(view, offset),
    view.getUint32(offset + AT.clientOrderId, true),
    view.getUint8(offset + AT.side),
    view.getUint8(offset + AT.type),
    view.getInt32(offset + AT.limit, true),
    view.getInt32(offset + AT.energy, true),
    isReplacing ? view.getUint32(offset + AT.replaces, true) : NOT_REPLACING,
    view.getInt16(offset + AT.clockOff, true),
    sequence,
  );
}

function member(view: DataView, offset: number): number {
  return view.getUint32(offset + AT.member, true);
}
