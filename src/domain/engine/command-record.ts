import { ORDER_TYPES, SIDES } from '../market/order.ts';
import { assert } from '../units/assert.ts';
import type { Wh } from '../units/energy.ts';
import type { MemberId } from '../units/identity.ts';
import type { PricePerKwh } from '../units/price.ts';
import type { EpochMs } from '../units/time.ts';
import { asciiBytes, asciiText } from './ascii.ts';
import { type BatchProof, type CancelCommand, type Command, canonicalJson, type OrderCommand } from './command.ts';

/**
 * A command as the journal keeps it, little endian. Byte 0 is the version, byte 1 the kind. Orders and withdrawals have a
 * fixed length, so that a million a second can be read where they lie; all other kinds are rare and carry canonical JSON.
 * Version 1 was text: it begins with `{`.
 */
export const RECORD_VERSION = 2;
export const RECORD_KINDS = { order: 1, cancel: 2, other: 3 } as const;

/** Where the fields of an order lie; a withdrawal has those up to the client order id, and the signature. */
export const AT = {
  version: 0,
  kind: 1,
  /** i16, ms; further off is written as the nearest that fits. */
  clockOff: 2,
  member: 4,
  at: 8,
  product: 16,
  clientOrderId: 24,
  limit: 28,
  energy: 32,
  side: 36,
  type: 37,
  /** 0: no order is replaced. */
  hasReplaces: 38,
  /** Of the hashes behind the signature. */
  siblings: 39,
  replaces: 40,
  leaf: 44,
  signature: 48,
  /** Last byte of a signature of 65 bytes; 0: it had 64. */
  recovery: 112,
  proof: 116,
} as const;

const SIGNATURE_BYTES = 64;
export const HASH_BYTES = 32;
const FARTHEST_CLOCK_MS = 32_767;
const MOST_SIBLINGS = 32;

/** The numbers that stand for members in records: the same in every replay of one journal. */
export interface MemberNumbers {
  numberOf(member: MemberId): number | undefined;
  idOf(number: number): MemberId | undefined;
}

/** Equal commands have equal bytes. Members of orders and withdrawals have been admitted. */
export function encodeCommand(command: Command, members: MemberNumbers): Uint8Array {
  if (command.type === 'order') return encodeOrder(command, members);
  if (command.type === 'cancel') return encodeSigned(command, members, RECORD_KINDS.cancel);
  const text = asciiBytes(canonicalJson(command));
  const record = new Uint8Array(text.length + 2);
  record[AT.version] = RECORD_VERSION;
  record[AT.kind] = RECORD_KINDS.other;
  record.set(text, 2);
  return record;
}

/** Why a record can't be read; its checksum has already been verified. */
export type RecordProblem = 'unknown_version' | 'unknown_kind' | 'malformed' | 'unknown_member';

/** The inverse of `encodeCommand`, and of the text of version 1. Total: any bytes have an answer. */
export function decodeCommand(record: Uint8Array, members: MemberNumbers): Command | RecordProblem {
  if (record[AT.version] === 0x7b) return decodeFirstVersion(record);
  if (record[AT.version] !== RECORD_VERSION) return 'unknown_version';
  const kind = record[AT.kind];
  if (kind === RECORD_KINDS.other) return parseText(record.subarray(2));
  if (kind === RECORD_KINDS.order || kind === RECORD_KINDS.cancel) return decodeSigned(record, kind, members);
  return 'unknown_kind';
}

function encodeOrder(order: OrderCommand, members: MemberNumbers): Uint8Array {
  const record = encodeSigned(order, members, RECORD_KINDS.order);
  const view = viewOf(record);
  const clockOff = Math.max(-FARTHEST_CLOCK_MS, Math.min(FARTHEST_CLOCK_MS, Math.round(order.clockOffMs)));
  view.setInt16(AT.clockOff, clockOff, true);
  view.setInt32(AT.limit, order.limit, true);
  view.setInt32(AT.energy, order.energy, true);
  view.setUint8(AT.side, SIDES.indexOf(order.side));
  view.setUint8(AT.type, ORDER_TYPES.indexOf(order.orderType));
  view.setUint8(AT.hasReplaces, order.replaces === undefined ? 0 : 1);
  view.setUint32(AT.replaces, order.replaces ?? 0, true);
  return record;
}

function encodeSigned(command: OrderCommand | CancelCommand, members: MemberNumbers, kind: number): Uint8Array {
  const { at, product, clientOrderId, signature, proof } = command;
  const siblings = proof?.siblings ?? [];
  assert(siblings.length <= MOST_SIBLINGS, `a proof of ${siblings.length} hashes`);
  const member = members.numberOf(command.member);
  assert(member !== undefined, `member ${command.member} was never admitted`);
  const record = new Uint8Array(AT.proof + siblings.length * HASH_BYTES);
  const view = viewOf(record);
  view.setUint8(AT.version, RECORD_VERSION);
  view.setUint8(AT.kind, kind);
  view.setUint32(AT.member, member, true);
  view.setFloat64(AT.at, at, true);
  view.setFloat64(AT.product, product, true);
  view.setUint32(AT.clientOrderId, clientOrderId, true);
  view.setUint8(AT.siblings, siblings.length);
  view.setUint32(AT.leaf, proof?.index ?? 0, true);
  setHex(record, AT.signature, signature);
  for (const [index, hash] of siblings.entries()) setHex(record, AT.proof + index * HASH_BYTES, hash);
  return record;
}

function decodeSigned(record: Uint8Array, kind: number, members: MemberNumbers): Command | RecordProblem {
  const siblings = record[AT.siblings] ?? 0;
  if (record.length !== AT.proof + siblings * HASH_BYTES) return 'malformed';
  const view = viewOf(record);
  const member = members.idOf(view.getUint32(AT.member, true));
  if (member === undefined) return 'unknown_member';
  const head = {
    at: view.getFloat64(AT.at, true) as EpochMs,
    product: view.getFloat64(AT.product, true) as EpochMs,
    member,
    clientOrderId: view.getUint32(AT.clientOrderId, true),
    signature: signatureOf(record),
    ...proofOf(record, view, siblings),
  };
  return kind === RECORD_KINDS.cancel ? { type: 'cancel', ...head } : decodeOrder(view, head);
}

function decodeOrder(view: DataView, head: Omit<CancelCommand, 'type'>): Command | RecordProblem {
  const side = SIDES[view.getUint8(AT.side)];
  const orderType = ORDER_TYPES[view.getUint8(AT.type)];
  if (side === undefined || orderType === undefined) return 'malformed';
  const replaces = view.getUint8(AT.hasReplaces) === 0 ? {} : { replaces: view.getUint32(AT.replaces, true) };
  return {
    type: 'order',
    ...head,
    side,
    orderType,
    limit: view.getInt32(AT.limit, true) as PricePerKwh,
    energy: view.getInt32(AT.energy, true) as Wh,
    ...replaces,
    clockOffMs: view.getInt16(AT.clockOff, true),
  };
}

function proofOf(record: Uint8Array, view: DataView, count: number): { proof?: BatchProof } {
  if (count === 0) return {};
  const siblings = Array.from({ length: count }, (_, index) =>
    hexAt(record, AT.proof + index * HASH_BYTES, HASH_BYTES),
  );
  return { proof: { index: view.getUint32(AT.leaf, true), siblings } };
}

function signatureOf(record: Uint8Array): string {
  const bytes = record[AT.recovery] === 0 ? SIGNATURE_BYTES : SIGNATURE_BYTES + 1;
  return hexAt(record, AT.signature, bytes);
}

/** The text of version 1 had its version among its keys. */
function decodeFirstVersion(record: Uint8Array): Command | RecordProblem {
  const parsed = parseText(record);
  if (typeof parsed === 'string') return parsed;
  const { v, ...command } = parsed as Command & { v?: number };
  return v === 1 ? (command as Command) : 'unknown_version';
}

/** What each kind of command must carry, beside its time, for the engine to look at it. */
const FIELDS: Readonly<Record<Command['type'], readonly string[]>> = {
  terms: ['terms'],
  open: ['product', 'tariff'],
  order: ['product', 'member', 'clientOrderId', 'side', 'orderType', 'limit', 'energy', 'clockOffMs', 'signature'],
  cancel: ['product', 'member', 'clientOrderId', 'signature'],
  halt: ['member'],
  resume: ['member'],
  close: ['product'],
  complete: ['boundary', 'tariff', 'readings', 'feeder'],
};

function parseText(bytes: Uint8Array): Command | RecordProblem {
  try {
    const command = JSON.parse(asciiText(bytes));
    if (typeof command?.type !== 'string' || !Number.isSafeInteger(command.at)) return 'malformed';
    if (!Object.hasOwn(FIELDS, command.type)) return 'unknown_kind';
    const fields = FIELDS[command.type as Command['type']];
    return fields.every((field) => command[field] !== undefined) ? command : 'malformed';
  } catch {
    return 'malformed';
  }
}

function setHex(record: Uint8Array, at: number, hex: string): void {
  for (let digit = 2; digit < hex.length; digit += 2) {
    record[at + digit / 2 - 1] = Number.parseInt(hex.slice(digit, digit + 2), 16);
  }
}

function hexAt(record: Uint8Array, at: number, bytes: number): string {
  let hex = '0x';
  for (let index = 0; index < bytes; index += 1) hex += (record[at + index] ?? 0).toString(16).padStart(2, '0');
  return hex;
}

function viewOf(record: Uint8Array): DataView {
  return new DataView(record.buffer, record.byteOffset, record.byteLength);
}
