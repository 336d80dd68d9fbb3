import { crc32 } from 'node:zlib';

/**
 * Format 2 of the journal, little endian. A segment begins with a header of 32 bytes, then frames follow, each a header
 * of 32 bytes, the records of one group commit with a u32 length before each, and 1 to 32 bytes of padding up to the
 * next multiple of 32. So a header never crosses a sector, and the last byte of a frame is never zero: a torn write
 * leaves marks that a flipped bit does not leave.
 */
export const HEADER_BYTES = 32;
export const FORMAT = 2;
/** Fills a frame up. No single flipped bit makes it zero. */
export const PADDING = 0xed;
/** No frame is longer: what says so is damaged. */
export const MAX_BODY_BYTES = 2 ** 28;

export const SEGMENT_MAGIC = Buffer.from('ELJS');
export const FRAME_MAGIC = Buffer.from('ELJF');
const SEGMENT_WORD = SEGMENT_MAGIC.readUInt32LE();
const FRAME_WORD = FRAME_MAGIC.readUInt32LE();
const CRC_AT = 28;
const TWO_TO_32 = 2 ** 32;

/** `salt`: drawn for every segment and repeated in its frames, so that nothing inside a record can pass for a frame. */
export interface SegmentHeader {
  readonly engineVersion: number;
  readonly firstSequence: number;
  readonly salt: number;
}

export interface FrameHeader {
  readonly bodyBytes: number;
  readonly firstSequence: number;
  readonly records: number;
  readonly bodyCrc: number;
}

/** From the first byte of a frame to the first byte of the next. */
export function frameBytes(bodyBytes: number): number {
  return (Math.floor((HEADER_BYTES + bodyBytes) / HEADER_BYTES) + 1) * HEADER_BYTES;
}

/** magic u32, format u32, engine version u32, first sequence u64, salt u32, crc u32 of these. */
export function encodeSegmentHeader(header: SegmentHeader): Uint8Array {
  const bytes = Buffer.alloc(HEADER_BYTES);
  bytes.writeUInt32LE(SEGMENT_WORD, 0);
  bytes.writeUInt32LE(FORMAT, 4);
  bytes.writeUInt32LE(header.engineVersion, 8);
  writeSequence(bytes, header.firstSequence, 12);
  bytes.writeUInt32LE(header.salt, 20);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, CRC_AT)), CRC_AT);
  return bytes;
}

/** Null where the bytes are no undamaged header. A later format keeps this header and says its number. */
export function decodeSegmentHeader(bytes: Buffer): (SegmentHeader & { readonly format: number }) | null {
  if (bytes.length < HEADER_BYTES || bytes.readUInt32LE(0) !== SEGMENT_WORD) return null;
  if (bytes.readUInt32LE(CRC_AT) !== crc32(bytes.subarray(0, CRC_AT))) return null;
  return {
    format: bytes.readUInt32LE(4),
    engineVersion: bytes.readUInt32LE(8),
    firstSequence: readSequence(bytes, 12),
    salt: bytes.readUInt32LE(20),
  };
}

/** magic u32, body bytes u32, first sequence u64, records u32, salt u32, crc u32 of body and padding, crc u32 of these. */
export function writeFrameHeader(bytes: Buffer, header: FrameHeader, salt: number): void {
  bytes.writeUInt32LE(FRAME_WORD, 0);
  bytes.writeUInt32LE(header.bodyBytes, 4);
  writeSequence(bytes, header.firstSequence, 8);
  bytes.writeUInt32LE(header.records, 16);
  bytes.writeUInt32LE(salt, 20);
  bytes.writeUInt32LE(header.bodyCrc, 24);
  bytes.writeUInt32LE(crc32(bytes.subarray(0, CRC_AT)), CRC_AT);
}

/** Null where no undamaged frame header of this segment begins at `at`. */
export function decodeFrameHeader(bytes: Buffer, at: number, salt: number): FrameHeader | null {
  if (at + HEADER_BYTES > bytes.length || bytes.readUInt32LE(at) !== FRAME_WORD) return null;
  if (bytes.readUInt32LE(at + 20) !== salt) return null;
  if (bytes.readUInt32LE(at + CRC_AT) !== crc32(bytes.subarray(at, at + CRC_AT))) return null;
  const bodyBytes = bytes.readUInt32LE(at + 4);
  if (bodyBytes > MAX_BODY_BYTES) return null;
  return {
    bodyBytes,
    firstSequence: readSequence(bytes, at + 8),
    records: bytes.readUInt32LE(at + 16),
    bodyCrc: bytes.readUInt32LE(at + 24),
  };
}

/** The records of a body, which share its memory, or null where the lengths do not fill it exactly. */
export function splitRecords(body: Buffer): Uint8Array[] | null {
  const records: Uint8Array[] = [];
  for (let at = 0; at < body.length; ) {
    if (at + 4 > body.length) return null;
    const end = at + 4 + body.readUInt32LE(at);
    if (end > body.length) return null;
    records.push(body.subarray(at + 4, end));
    at = end;
  }
  return records;
}

/** How many records fill the body exactly, or -1. */
export function countRecords(body: Buffer): number {
  let records = 0;
  let at = 0;
  for (; at + 4 <= body.length; records += 1) at += 4 + body.readUInt32LE(at);
  return at === body.length ? records : -1;
}

function writeSequence(bytes: Buffer, sequence: number, at: number): void {
  bytes.writeUInt32LE(sequence % TWO_TO_32, at);
  bytes.writeUInt32LE(Math.floor(sequence / TWO_TO_32), at + 4);
}

/** Above 2^53 it is no longer exact, and equals no sequence that is looked for. */
function readSequence(bytes: Buffer, at: number): number {
  return bytes.readUInt32LE(at + 4) * TWO_TO_32 + bytes.readUInt32LE(at);
}
