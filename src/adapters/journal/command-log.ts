import { closeSync, fsyncSync, mkdirSync, openSync, readdirSync, readFileSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { join } from 'node:path';
import type { CommandLog } from '../../domain/ports.ts';
import { Fault } from '../../errors/fault.ts';
import { type DecodedFrame, decodeFrame, encodeFrame, hasFrameAfter } from './frame.ts';

/** What the journal needs of a disk; tests hand in one that fills up, tears and fails. */
export interface JournalDisk {
  open(path: string): Promise<JournalFile>;
  syncFolder(folder: string): void;
}

export interface JournalFile {
  /** Appends at `position`; may write less than asked and throw, as disks do. */
  write(bytes: Uint8Array, position: number): Promise<void>;
  sync(): Promise<void>;
  truncate(length: number): Promise<void>;
  close(): Promise<void>;
}

export interface JournalOptions {
  readonly folder: string;
  readonly segmentBytes?: number;
  readonly disk?: JournalDisk;
}

interface Pending {
  readonly record: Uint8Array;
  readonly resolve: (sequence: number) => void;
  readonly reject: (fault: Fault) => void;
}

const SEGMENT_BYTES = 64 * 2 ** 20;
const SEGMENT_NAME = /^commands-(\d{12})\.log$/;

/**
 * Opens the journal of one market: append-only segments, group commit, an answer only after the sync.
 * A torn last frame is cut; damage before the end is a fault, never skipped.
 */
export async function openJournal(options: JournalOptions): Promise<JournalWriter> {
  mkdirSync(options.folder, { recursive: true });
  const segments = listSegments(options.folder);
  const found = segments.map((segment, index) => scanSegment(options.folder, segment, index === segments.length - 1));
  const count = countJoined(options.folder, found);
  const last = found.at(-1);
  const writer = new JournalWriter(options, count);
  await writer.begin(last?.name ?? segmentName(1), last?.validBytes ?? 0);
  return writer;
}

interface ScannedSegment {
  readonly name: string;
  readonly records: number;
  readonly validBytes: number;
}

function listSegments(folder: string): string[] {
  return readdirSync(folder)
    .filter((name) => SEGMENT_NAME.test(name))
    .sort();
}

function scanSegment(folder: string, name: string, isLast: boolean): ScannedSegment {
  const bytes = readFileSync(join(folder, name));
  let [records, offset] = [0, 0];
  for (const frame of framesOf(bytes)) {
    records += frame.records.length;
    offset = frame.nextOffset;
  }
  const torn = offset < bytes.length;
  if (torn && (!isLast || hasFrameAfter(bytes, offset))) {
    throw new Fault('JOURNAL_CORRUPT', `${join(folder, name)}: damaged at byte ${offset}, after record ${records}`);
  }
  return { name, records, validBytes: offset };
}

function* framesOf(bytes: Buffer): Iterable<DecodedFrame> {
  for (let frame = decodeFrame(bytes, 0); frame !== null; frame = decodeFrame(bytes, frame.nextOffset)) yield frame;
}

/** A segment is named by its first record, so that one that is gone does not renumber those after it. */
function countJoined(folder: string, segments: readonly ScannedSegment[]): number {
  let count = 0;
  for (const { name, records } of segments) {
    if (name !== segmentName(count + 1)) {
      const problem = `${count} records come before it, not as many as its name says`;
      throw new Fault('JOURNAL_CORRUPT', `${join(folder, name)}: ${problem}`);
    }
    count += records;
  }
  return count;
}

function segmentName(firstSequence: number): string {
  return `commands-${String(firstSequence).padStart(12, '0')}.log`;
}

class JournalWriter implements CommandLog {
  readonly #options: JournalOptions;
  readonly #disk: JournalDisk;
  /** How many records are on the disk. They are not kept in memory: a market lives for years. */
  #count: number;
  #file: JournalFile | null = null;
  #position = 0;
  #waiting: Pending[] = [];
  #writing: Promise<void> | null = null;
  #broken: Fault | null = null;
  #closing: Fault | null = null;

  constructor(options: JournalOptions, count: number) {
    this.#options = options;
    this.#disk = options.disk ?? nodeDisk;
    this.#count = count;
  }

  /** Continues the segment after its last whole frame; what follows was torn and never acknowledged. */
  async begin(segment: string, validBytes: number): Promise<void> {
    this.#file = await this.#disk.open(join(this.#options.folder, segment));
    await this.#file.truncate(validBytes);
    await this.#file.sync();
    this.#disk.syncFolder(this.#options.folder);
    this.#position = validBytes;
  }

  append(record: Uint8Array): Promise<number> {
    const refusal = this.#broken ?? this.#closing;
    if (refusal !== null) return Promise.reject(refusal);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ record: new Uint8Array(record), resolve, reject });
      this.#writing ??= this.#writeAll();
    });
  }

  async *read(fromSequence: number): AsyncIterable<{ readonly sequence: number; readonly record: Uint8Array }> {
    const { folder } = this.#options;
    let sequence = 0;
    for (const segment of listSegments(folder)) {
      for (const { records } of framesOf(readFileSync(join(folder, segment)))) {
        for (const record of records) {
          sequence += 1;
          if (sequence > this.#count) return;
          if (sequence >= fromSequence) yield { sequence, record };
        }
      }
    }
  }

  /** What was appended before is still committed. */
  async close(): Promise<void> {
    this.#closing ??= new Fault('JOURNAL_WRITE_FAILED', 'the journal is closed');
    await this.#writing;
    await this.#file?.close();
    this.#file = null;
  }

  /** One frame after another: all that waits goes out together and is answered together. */
  async #writeAll(): Promise<void> {
    await null;
    while (this.#waiting.length > 0 && this.#broken === null) {
      const batch = this.#waiting;
      this.#waiting = [];
      await this.#commit(batch);
    }
    this.#writing = null;
  }

  async #commit(batch: readonly Pending[]): Promise<void> {
    try {
      await this.#rotateWhenFull();
      const frame = encodeFrame(batch.map((pending) => pending.record));
      await this.#file?.write(frame, this.#position);
      await this.#file?.sync();
      this.#position += frame.length;
    } catch (error) {
      await this.#stop(error, batch);
      return;
    }
    for (const pending of batch) {
      this.#count += 1;
      pending.resolve(this.#count);
    }
  }

  async #rotateWhenFull(): Promise<void> {
    if (this.#position < (this.#options.segmentBytes ?? SEGMENT_BYTES)) return;
    await this.#file?.close();
    await this.begin(segmentName(this.#count + 1), 0);
  }

  /** After a failed write or sync nobody knows what is on the disk: cut what was not acknowledged and accept no more. */
  async #stop(error: unknown, batch: readonly Pending[]): Promise<void> {
    const full = error instanceof Error && 'code' in error && (error.code === 'ENOSPC' || error.code === 'EFBIG');
    const code = full ? 'DISK_FULL' : 'JOURNAL_WRITE_FAILED';
    this.#broken = new Fault(code, `journal in ${this.#options.folder}: ${String(error)}`, error);
    await this.#file?.truncate(this.#position).catch(() => undefined);
    for (const pending of [...batch, ...this.#waiting]) pending.reject(this.#broken);
    this.#waiting = [];
  }
}

export type { JournalWriter };

const nodeDisk: JournalDisk = {
  async open(path) {
    return new NodeJournalFile(await open(path, 'a+').then((handle) => handle.close().then(() => open(path, 'r+'))));
  },
  syncFolder(folder) {
    const descriptor = openSync(folder, 'r');
    fsyncSync(descriptor);
    closeSync(descriptor);
  },
};

class NodeJournalFile implements JournalFile {
  readonly #handle: FileHandle;

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  async write(bytes: Uint8Array, position: number): Promise<void> {
    for (let written = 0; written < bytes.length; ) {
      const { bytesWritten } = await this.#handle.write(bytes, written, bytes.length - written, position + written);
      written += bytesWritten;
    }
  }

  sync(): Promise<void> {
    return this.#handle.datasync();
  }

  truncate(length: number): Promise<void> {
    return this.#handle.truncate(length);
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}
