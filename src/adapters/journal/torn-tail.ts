import { decodeFrameHeader, FRAME_MAGIC, type FrameHeader, frameBytes, HEADER_BYTES } from './frame.ts';
import type { SegmentBytes } from './segment-bytes.ts';

/**
 * What stands behind the last whole frame.
 * - `empty`: nothing, or zeros that hold space.
 * - `torn`: a frame that was being written when the power went. Nobody was answered for it.
 * - `damaged`: a frame was synced here and is not what was written.
 */
export interface Tail {
  readonly kind: 'empty' | 'torn' | 'damaged';
  /** Behind the last byte that is not zero. */
  readonly end: number;
}

const SECTOR_BYTES = 512;

/**
 * A torn write lacks its end or whole sectors, and what is lacking reads as zeros; the next frame is not begun before
 * the sync. So a bad frame is torn only where something is lacking and no frame follows: all else is damage.
 * The work is linear in the bytes that are left, whatever they hold.
 */
export async function judgeTail(
  bytes: SegmentBytes,
  from: number,
  header: FrameHeader | null,
  salt: number,
): Promise<Tail> {
  const { end, hasFrame } = await surveyRest(bytes, from, salt);
  if (end === from) return { kind: 'empty', end };
  const isTorn =
    !hasFrame && (header === null ? await lacksHeader(bytes, from, end) : await lacksPart(bytes, from, end, header));
  return { kind: isTorn ? 'torn' : 'damaged', end };
}

async function surveyRest(
  bytes: SegmentBytes,
  from: number,
  salt: number,
): Promise<{ end: number; hasFrame: boolean }> {
  let [end, hasFrame] = [from, false];
  for await (const { at, bytes: piece } of bytes.rest(from, HEADER_BYTES)) {
    const content = endOfContent(piece);
    if (content > 0) end = Math.max(end, at + content);
    hasFrame ||= hasFrameHeader(piece, at === from ? 1 : 0, salt);
  }
  return { end, hasFrame };
}

/** At any byte, not only where frames begin: bytes may have gone or come between. */
function hasFrameHeader(piece: Buffer, from: number, salt: number): boolean {
  for (let at = piece.indexOf(FRAME_MAGIC, from); at >= 0; at = piece.indexOf(FRAME_MAGIC, at + 1)) {
    if (decodeFrameHeader(piece, at, salt) !== null) return true;
  }
  return false;
}

/** The header never got to the disk, or nothing of what follows it did. */
async function lacksHeader(bytes: SegmentBytes, from: number, end: number): Promise<boolean> {
  return end <= from + HEADER_BYTES || isZero(await bytes.from(from, HEADER_BYTES));
}

async function lacksPart(bytes: SegmentBytes, from: number, end: number, header: FrameHeader): Promise<boolean> {
  const length = frameBytes(header.bodyBytes);
  if (end !== from + length) return end < from + length;
  return hasZeroSector(await bytes.from(from, length), 0, from);
}

/** A whole sector of zeros in `bytes`, the first of which is byte `fileAt` of the file. */
export function hasZeroSector(bytes: Buffer, from: number, fileAt = 0): boolean {
  const first = Math.ceil((fileAt + from) / SECTOR_BYTES) * SECTOR_BYTES - fileAt;
  for (let at = first; at + SECTOR_BYTES <= bytes.length; at += SECTOR_BYTES) {
    if (isZero(bytes.subarray(at, at + SECTOR_BYTES))) return true;
  }
  return false;
}

export function isZero(bytes: Buffer): boolean {
  return endOfContent(bytes) === 0;
}

/** Behind the last byte that is not zero. */
function endOfContent(bytes: Buffer): number {
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === 0) end -= 1;
  return end;
}
