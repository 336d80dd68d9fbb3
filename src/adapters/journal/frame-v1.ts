import { crc32 } from 'node:zlib';
import { countRecords, FRAME_MAGIC, SEGMENT_MAGIC } from './frame.ts';
import { hasZeroSector, isZero } from './torn-tail.ts';

/**
 * Format 1, still read and never written: no segment header; a frame is `version u8, length u32, crc u32, body`, little
 * endian, the body as in format 2. Segments were at most one frame longer than 64 MiB, so they are read whole.
 */
export const FIRST_BYTE_V1 = 1;
const HEADER_BYTES = 9;
const MAX_BODY_BYTES = 2 ** 28;
/** The search behind damage may check this many times the segment; who needs more does not look like a torn write. */
const SEARCH_PASSES = 16;

export interface FrameV1 {
  readonly body: Buffer;
  readonly records: number;
  readonly nextOffset: number;
}

/** The frame at `at`, or null where there is no whole and undamaged one. */
export function decodeFrameV1(bytes: Buffer, at: number): FrameV1 | null {
  if (at + HEADER_BYTES > bytes.length || bytes[at] !== FIRST_BYTE_V1) return null;
  const bodyBytes = bytes.readUInt32LE(at + 1);
  const nextOffset = at + HEADER_BYTES + bodyBytes;
  if (bodyBytes > MAX_BODY_BYTES || nextOffset > bytes.length) return null;
  const body = bytes.subarray(at + HEADER_BYTES, nextOffset);
  if (bytes.readUInt32LE(at + 5) !== crc32(body, crc32(bytes.subarray(at, at + 5)))) return null;
  const records = countRecords(body);
  return records < 0 ? null : { body, records, nextOffset };
}

/**
 * True where the frame at `at` was being written when the power went. Its header has no checksum of its own, so a length
 * that leads beyond the end counts as cut off, unless a whole frame follows: then it was acknowledged. What looks like a later format was never torn in this one.
 */
export function isTornV1(bytes: Buffer, at: number): boolean {
  return lacksPartV1(bytes, at) && !hasFrameAfterV1(bytes, at) && !isFormat2(bytes.subarray(at));
}

function isFormat2(bytes: Buffer): boolean {
  return bytes.includes(SEGMENT_MAGIC) || bytes.includes(FRAME_MAGIC);
}

function lacksPartV1(bytes: Buffer, at: number): boolean {
  if (at + HEADER_BYTES > bytes.length || isZero(bytes.subarray(at, at + HEADER_BYTES))) return true;
  if (bytes[at] !== FIRST_BYTE_V1) return false;
  const end = at + HEADER_BYTES + bytes.readUInt32LE(at + 1);
  return end > bytes.length || bytes[end - 1] === 0 || hasZeroSector(bytes.subarray(0, end), at);
}

function hasFrameAfterV1(bytes: Buffer, from: number): boolean {
  let budget = SEARCH_PASSES * bytes.length;
  for (let at = bytes.indexOf(FIRST_BYTE_V1, from + 1); at >= 0; at = bytes.indexOf(FIRST_BYTE_V1, at + 1)) {
    if (at + HEADER_BYTES > bytes.length) return false;
    const bodyBytes = bytes.readUInt32LE(at + 1);
    if (bodyBytes === 0 || at + HEADER_BYTES + bodyBytes > bytes.length) continue;
    budget -= bodyBytes;
    if (budget < 0 || decodeFrameV1(bytes, at) !== null) return true;
  }
  return false;
}
