import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { Fault } from '../../errors/fault.ts';
import {
  countRecords,
  decodeFrameHeader,
  decodeSegmentHeader,
  FORMAT,
  type FrameHeader,
  frameBytes,
  HEADER_BYTES,
} from './frame.ts';
import { decodeFrameV1, FIRST_BYTE_V1, isTornV1 } from './frame-v1.ts';
import type { JournalDisk } from './journal-disk.ts';
import { SegmentBytes } from './segment-bytes.ts';
import { judgeTail } from './torn-tail.ts';

const SEGMENT_NAME = /^commands-(\d{12})\.log$/;

/** A segment is named by its first record: one that is gone is missed, and a reader finds its place without opening all. */
export interface SegmentName {
  readonly path: string;
  readonly firstSequence: number;
}

export function segmentPath(folder: string, firstSequence: number): string {
  return join(folder, `commands-${String(firstSequence).padStart(12, '0')}.log`);
}

/** In the order of their records. */
export async function listSegments(disk: JournalDisk, folder: string): Promise<SegmentName[]> {
  const numbers = (await disk.list(folder)).map((name) => Number(SEGMENT_NAME.exec(name)?.[1] ?? Number.NaN));
  const found = numbers.filter((firstSequence) => firstSequence > 0).sort((a, b) => a - b);
  return found.map((firstSequence) => ({ path: segmentPath(folder, firstSequence), firstSequence }));
}

/** The segments that hold `sequence` and what comes after. @throws Fault JOURNAL_CORRUPT where the first of them is gone */
export function segmentsFrom(segments: readonly SegmentName[], sequence: number, folder: string): SegmentName[] {
  const first = segments.findLastIndex(({ firstSequence }) => firstSequence <= Math.max(1, sequence));
  if (first < 0 && segments.length > 0) {
    throw new Fault('JOURNAL_CORRUPT', `${folder}: the segment with record ${Math.max(1, sequence)} is gone`);
  }
  return segments.slice(Math.max(0, first));
}

/** A segment that ends too early or too late, judged by the name of the one after it. */
export function assertJoined(end: number, next: SegmentName | undefined): void {
  if (next === undefined || end === next.firstSequence) return;
  const problem = `record ${end} should come first in it, not record ${next.firstSequence} as its name says`;
  throw new Fault('JOURNAL_CORRUPT', `${next.path}: damaged at byte 0: ${problem}`);
}

/** The records of one group commit: each with a u32 length before it. The body is the reader's to keep. */
export interface Frame {
  readonly firstSequence: number;
  readonly records: number;
  readonly body: Buffer;
  readonly engineVersion: number;
}

/** How a segment ends. */
export interface SegmentEnd {
  readonly format: 1 | typeof FORMAT;
  /** Zero in format 1, which did not say. */
  readonly engineVersion: number;
  readonly salt: number;
  readonly nextSequence: number;
  /** Behind the last whole frame; 0 where even the header of the segment is torn. */
  readonly validBytes: number;
  /** Where the last whole frame begins. */
  readonly lastFrameAt: number;
  /** Behind the last byte that is not zero: what lies between `validBytes` and this is torn. */
  readonly dirtyEnd: number;
  readonly sizeBytes: number;
}

export interface SegmentScope {
  /** Only in the last segment may the last frame be torn. */
  readonly mayBeTorn: boolean;
  /** Reads no further: what lies behind is still being written. */
  readonly limitBytes?: number;
}

/** Every frame of the segment, each checked. @throws Fault JOURNAL_CORRUPT with file, byte and record at the first damage */
export async function* readSegment(
  disk: JournalDisk,
  name: SegmentName,
  scope: SegmentScope,
): AsyncGenerator<Frame, SegmentEnd> {
  const file = await disk.open(name.path, 'existing');
  try {
    const bytes = new SegmentBytes(file, Math.min(await file.size(), scope.limitBytes ?? Number.POSITIVE_INFINITY));
    const head = await bytes.from(0, HEADER_BYTES);
    if (head[0] === FIRST_BYTE_V1) return yield* readFormat1(bytes, name, scope);
    return yield* readFormat2(bytes, name, scope);
  } finally {
    await file.close();
  }
}

async function* readFormat2(
  bytes: SegmentBytes,
  name: SegmentName,
  scope: SegmentScope,
): AsyncGenerator<Frame, SegmentEnd> {
  const segment = decodeSegmentHeader(await bytes.from(0, HEADER_BYTES));
  if (segment === null) return await headlessEnd(bytes, name, scope);
  const { engineVersion, salt, format } = segment;
  if (format !== FORMAT) throw new Fault('JOURNAL_CORRUPT', `${name.path}: format ${format} is not known here`);
  if (segment.firstSequence !== name.firstSequence) throw damaged(name, 0, name.firstSequence);
  let [at, lastFrameAt, nextSequence] = [HEADER_BYTES, 0, name.firstSequence];
  for (;;) {
    const header = decodeFrameHeader(await bytes.from(at, HEADER_BYTES), 0, salt);
    const body = header === null ? null : await wholeBody(bytes, at, header);
    if (header === null || body === null) {
      const tail = await judgeTail(bytes, at, header, salt);
      if (tail.kind === 'damaged' || (tail.kind === 'torn' && !scope.mayBeTorn)) throw damaged(name, at, nextSequence);
      const [sizeBytes, dirtyEnd] = [bytes.size, tail.end];
      return { format, engineVersion, salt, nextSequence, validBytes: at, lastFrameAt, dirtyEnd, sizeBytes };
    }
    const { firstSequence, records } = header;
    if (firstSequence !== nextSequence || countRecords(body) !== records) throw damaged(name, at, nextSequence);
    yield { firstSequence, records, body, engineVersion };
    lastFrameAt = at;
    nextSequence += records;
    at += frameBytes(header.bodyBytes);
  }
}

/** Null where the frame is cut off or its checksum does not fit. */
async function wholeBody(bytes: SegmentBytes, at: number, header: FrameHeader): Promise<Buffer | null> {
  const length = frameBytes(header.bodyBytes);
  if (at + length > bytes.size) return null;
  const frame = await bytes.from(at, length);
  const isWhole = frame.length === length && crc32(frame.subarray(HEADER_BYTES)) === header.bodyCrc;
  return isWhole ? frame.subarray(HEADER_BYTES, HEADER_BYTES + header.bodyBytes) : null;
}

/** A crash while the segment was being made: it holds a part of its header and nothing else. */
async function headlessEnd(bytes: SegmentBytes, name: SegmentName, scope: SegmentScope): Promise<SegmentEnd> {
  const { end } = await judgeTail(bytes, 0, null, 0);
  if (!scope.mayBeTorn || end > HEADER_BYTES) throw damaged(name, 0, name.firstSequence);
  const [nextSequence, sizeBytes] = [name.firstSequence, bytes.size];
  const nothing = { engineVersion: 0, salt: 0, validBytes: 0, lastFrameAt: 0 };
  return { format: FORMAT, ...nothing, nextSequence, dirtyEnd: end, sizeBytes };
}

async function* readFormat1(
  source: SegmentBytes,
  name: SegmentName,
  scope: SegmentScope,
): AsyncGenerator<Frame, SegmentEnd> {
  const bytes = await source.from(0, source.size);
  let [at, lastFrameAt, nextSequence] = [0, 0, name.firstSequence];
  for (let frame = decodeFrameV1(bytes, 0); frame !== null; frame = decodeFrameV1(bytes, at)) {
    yield { firstSequence: nextSequence, records: frame.records, body: frame.body, engineVersion: 0 };
    nextSequence += frame.records;
    [lastFrameAt, at] = [at, frame.nextOffset];
  }
  const isTorn = at < bytes.length;
  if (isTorn && (!scope.mayBeTorn || !isTornV1(bytes, at))) throw damaged(name, at, nextSequence);
  const [validBytes, sizeBytes] = [at, bytes.length];
  const end = { validBytes, lastFrameAt, dirtyEnd: sizeBytes, sizeBytes };
  return { format: 1, engineVersion: 0, salt: 0, nextSequence, ...end };
}

function damaged({ path }: SegmentName, byte: number, nextSequence: number): Fault {
  return new Fault('JOURNAL_CORRUPT', `${path}: damaged at byte ${byte}, after record ${nextSequence - 1}`);
}
