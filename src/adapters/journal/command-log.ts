import { randomBytes } from 'node:crypto';
import type { AppendOptions, CommandBatch, CommandLog } from '../../domain/ports.ts';
import { assert } from '../../domain/units/assert.ts';
import { Fault } from '../../errors/fault.ts';
import { MAX_BODY_BYTES, splitRecords } from './frame.ts';
import { isDiskFull, type JournalDisk, nodeDisk } from './journal-disk.ts';
import { JournalTail, type LastSegment } from './journal-tail.ts';
import { assertJoined, listSegments, readSegment, type SegmentEnd, type SegmentName, segmentsFrom } from './segment.ts';
import { WaitingFrame } from './waiting-frame.ts';

export interface JournalOptions {
  readonly folder: string;
  /** Written into every segment, so that a later engine knows whose rules its commands met. */
  readonly engineVersion?: number;
  /** Segments whose records all come before this one are neither opened nor checked: the snapshot stands for them. */
  readonly verifyFrom?: number;
  readonly segmentBytes?: number;
  /** What is kept for urgent records on a full disk. */
  readonly reserveBytes?: number;
  readonly disk?: JournalDisk;
  /** A number that nobody who sends commands can know: 32 bits, drawn for every segment. */
  readonly drawSalt?: () => number;
}

/** A frame that is this full is closed; the next record begins another. */
const FRAME_BYTES = 2 ** 20;

/**
 * Opens the journal of one market: append-only segments, group commit, an answer only after the sync.
 * A torn last frame is cut; any other damage is a fault, never skipped.
 * @throws Fault JOURNAL_CORRUPT, DISK_FULL, JOURNAL_WRITE_FAILED
 */
export async function openJournal(options: JournalOptions): Promise<JournalWriter> {
  try {
    return await begin(options);
  } catch (error) {
    throw journalFault(options.folder, error);
  }
}

async function begin(options: JournalOptions): Promise<JournalWriter> {
  const { folder, disk = nodeDisk, verifyFrom = 1, drawSalt = () => randomBytes(4).readUInt32LE() } = options;
  await disk.makeFolder(folder);
  const segments = segmentsFrom(await listSegments(disk, folder), verifyFrom, folder);
  let last: LastSegment | null = null;
  for (const [index, name] of segments.entries()) {
    const end = await endOf(disk, name, index === segments.length - 1);
    assertJoined(end.nextSequence, segments[index + 1]);
    last = { name, end };
  }
  const count = (last?.end.nextSequence ?? 1) - 1;
  if (verifyFrom > count + 1) {
    throw new Fault('JOURNAL_CORRUPT', `${folder}: ends after record ${count}, and record ${verifyFrom - 1} is known`);
  }
  const settings = { segmentBytes: SEGMENT_BYTES, engineVersion: 1, ...options, disk, drawSalt };
  return new JournalWriter(disk, folder, await JournalTail.open(settings, last));
}

const SEGMENT_BYTES = 64 * 2 ** 20;

async function endOf(disk: JournalDisk, name: SegmentName, mayBeTorn: boolean): Promise<SegmentEnd> {
  const frames = readSegment(disk, name, { mayBeTorn });
  for (;;) {
    const next = await frames.next();
    if (next.done === true) return next.value;
  }
}

class JournalWriter implements CommandLog {
  readonly #disk: JournalDisk;
  readonly #folder: string;
  readonly #tail: JournalTail;
  /** The last of these fills while the first is on its way to the disk. */
  readonly #waiting: WaitingFrame[] = [];
  readonly #spare: WaitingFrame[] = [];
  #writing: Promise<void> | null = null;
  #broken: Fault | null = null;
  #closing: Fault | null = null;

  constructor(disk: JournalDisk, folder: string, tail: JournalTail) {
    this.#disk = disk;
    this.#folder = folder;
    this.#tail = tail;
  }

  /** The last record that is on stable storage, 0 for none. */
  get lastSequence(): number {
    return this.#tail.count;
  }

  append(record: Uint8Array, options?: AppendOptions): Promise<number> {
    const refusal = this.#broken ?? this.#closing;
    if (refusal !== null) return Promise.reject(refusal);
    const frame = this.#openFrame(record.length);
    frame.add(record);
    return this.#enter(frame, options);
  }

  appendAll(records: readonly Uint8Array[], options?: AppendOptions): Promise<number> {
    const refusal = this.#broken ?? this.#closing;
    if (refusal !== null) return Promise.reject(refusal);
    if (records.length === 0) return Promise.resolve(this.lastSequence);
    const bytes = records.reduce((sum, record) => sum + 4 + record.length, 0);
    const frame = this.#openFrame(bytes);
    for (const record of records) frame.add(record);
    return this.#enter(frame, options);
  }

  async *read(fromSequence: number): AsyncIterable<{ readonly sequence: number; readonly record: Uint8Array }> {
    for await (const { firstSequence, records } of this.readBatches(fromSequence)) {
      let sequence = firstSequence;
      for (const record of records) yield { sequence: sequence++, record };
    }
  }

  async *readBatches(fromSequence: number): AsyncIterable<CommandBatch> {
    const [folder, count, position] = [this.#folder, this.#tail.count, this.#tail.position];
    const active = this.#tail.firstSequence;
    if (fromSequence > count) return;
    const segments = segmentsFrom(await listSegments(this.#disk, folder), fromSequence, folder);
    for (const [index, name] of segments.entries()) {
      const limit = name.firstSequence === active ? { limitBytes: position } : {};
      const frames = readSegment(this.#disk, name, { mayBeTorn: false, ...limit });
      let next = await frames.next();
      for (; next.done !== true; next = await frames.next()) {
        const { firstSequence, body, engineVersion } = next.value;
        const skipped = Math.max(0, fromSequence - firstSequence);
        const records = splitRecords(body)?.slice(skipped) ?? [];
        if (records.length > 0) yield { firstSequence: firstSequence + skipped, records, engineVersion };
      }
      assertJoined(next.value.nextSequence, segments[index + 1]);
      if (next.value.nextSequence > count) return;
    }
    throw new Fault('JOURNAL_CORRUPT', `${folder}: the segment with record ${count} is gone`);
  }

  /** What was appended before is still committed. */
  async close(): Promise<void> {
    this.#closing ??= new Fault('JOURNAL_WRITE_FAILED', 'the journal is closed');
    await this.#writing;
    await this.#tail.close();
  }

  #openFrame(bytes: number): WaitingFrame {
    assert(bytes < MAX_BODY_BYTES / 2, `a batch of ${bytes} bytes, which is more than one frame takes`);
    const last = this.#waiting.at(-1);
    if (last !== undefined && last.bytes < FRAME_BYTES) return last;
    const frame = this.#spare.pop() ?? new WaitingFrame();
    this.#waiting.push(frame);
    return frame;
  }

  #enter(frame: WaitingFrame, options: AppendOptions | undefined): Promise<number> {
    const entered = frame.enter(options?.urgent ?? false);
    this.#writing ??= this.#writeAll();
    return entered;
  }

  /** One frame after another: all that waits goes out together and is answered together. */
  async #writeAll(): Promise<void> {
    await null;
    for (let frame = this.#waiting.shift(); frame !== undefined; frame = this.#waiting.shift()) {
      await this.#commit(frame);
      frame.clear(2 * FRAME_BYTES);
      if (this.#spare.length < 2) this.#spare.push(frame);
    }
    this.#writing = null;
  }

  /** After a failed sync, or a write that could not be taken back, nobody knows what is on the disk: nothing more is taken. */
  async #commit(frame: WaitingFrame): Promise<void> {
    if (this.#broken !== null) return frame.reject(this.#broken);
    try {
      await this.#tail.commit(frame);
    } catch (error) {
      this.#broken = journalFault(this.#folder, error);
      frame.reject(this.#broken);
    }
  }
}

export type { JournalWriter };

function journalFault(folder: string, error: unknown): Fault {
  if (error instanceof Fault) return error;
  const code = isDiskFull(error) ? 'DISK_FULL' : 'JOURNAL_WRITE_FAILED';
  return new Fault(code, `journal in ${folder}: ${String(error)}`, error);
}
