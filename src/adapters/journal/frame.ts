import { crc32 } from 'node:zlib';
import { assert } from '../../domain/units/assert.ts';

/**
 * One group commit on disk: `version u8, length u32, crc u32, body`, little endian; the body holds the batch's records,
 * each with a u32 length before it. A frame is written by one write and synced before the next begins, so only the
 * last frame of a journal can be torn, and nothing in a torn frame was ever acknowledged.
 */
export const FRAME_VERSION = 1;
const HEADER_BYTES = 9;
const MAX_BODY_BYTES = 2 ** 28;

export function encodeFrame(records: readonly Uint8Array[]): Buffer {
  const bodyBytes = records.reduce((sum, record) => sum + 4 + record.length, 0);
  assert(bodyBytes <= MAX_BODY_BYTES, `a batch of ${bodyBytes} bytes, which could not be read again`);
  const frame = Buffer.alloc(HEADER_BYTES + bodyBytes);
  let offset = HEADER_BYTES;
  for (const record of records) {
    offset = frame.writeUInt32LE(record.length, offset);
    frame.set(record, offset);
    offset += record.length;
  }
  frame.writeUInt8(FRAME_VERSION, 0);
  frame.writeUInt32LE(bodyBytes, 1);
  frame.writeUInt32LE(checksum(frame, 0, bodyBytes), 5);
  return frame;
}

/** The checksum covers version, length and body, so that a flipped bit anywhere is seen. */
function checksum(bytes: Buffer, at: number, bodyBytes: number): number {
  return crc32(bytes.subarray(at + HEADER_BYTES, at + HEADER_BYTES + bodyBytes), crc32(bytes.subarray(at, at + 5)));
}

export interface DecodedFrame {
  readonly records: readonly Uint8Array[];
  readonly nextOffset: number;
}

/** The frame at `at`, or null where there is no whole and undamaged one. */
export function decodeFrame(bytes: Buffer, at: number): DecodedFrame | null {
  if (at + HEADER_BYTES > bytes.length || bytes.readUInt8(at) !== FRAME_VERSION) return null;
  const bodyBytes = bytes.readUInt32LE(at + 1);
  const end = at + HEADER_BYTES + bodyBytes;
  if (bodyBytes > MAX_BODY_BYTES || end > bytes.length) return null;
  if (bytes.readUInt32LE(at + 5) !== checksum(bytes, at, bodyBytes)) return null;
  return { records: splitBody(bytes.subarray(at + HEADER_BYTES, end)), nextOffset: end };
}

function splitBody(body: Buffer): Uint8Array[] {
  const records: Uint8Array[] = [];
  for (let offset = 0; offset < body.length; ) {
    const length = body.readUInt32LE(offset);
    records.push(new Uint8Array(body.subarray(offset + 4, offset + 4 + length)));
    offset += 4 + length;
  }
  return records;
}

/** True where an undamaged frame begins anywhere after `from`: then what lies before it was acknowledged and is damaged. */
export function hasFrameAfter(bytes: Buffer, from: number): boolean {
  for (let at = from + 1; at + HEADER_BYTES <= bytes.length; at++) {
    if (bytes[at] === FRAME_VERSION && bytes.readUInt32LE(at + 1) > 0 && decodeFrame(bytes, at) !== null) return true;
  }
  return false;
}
