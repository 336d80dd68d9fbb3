import { Fault } from '../../errors/fault.ts';
import { encodeSegmentHeader, FORMAT, HEADER_BYTES } from './frame.ts';
import { fullDiskOf, type JournalDisk, type JournalFile, readBytes, unlessFull } from './journal-disk.ts';
import { type SegmentEnd, type SegmentName, segmentPath } from './segment.ts';
import { SpaceReserve } from './space-reserve.ts';
import type { WaitingFrame } from './waiting-frame.ts';

export interface TailOptions {
  readonly folder: string;
  readonly engineVersion: number;
  readonly segmentBytes: number;
  readonly reserveBytes?: number;
  readonly disk: JournalDisk;
  readonly drawSalt: () => number;
}

/** The segment that grows. Frames stand up to `position`; behind it zeros may hold space up to `room`. */
interface OpenSegment {
  readonly file: JournalFile;
  readonly firstSequence: number;
  readonly salt: number;
  position: number;
  room: number;
}

export interface LastSegment {
  readonly name: SegmentName;
  readonly end: SegmentEnd;
}

/**
 * The end of the journal. It is in one of two states: ordinary, or full. Full begins when a write finds no space, which
 * is taken back to the last whole frame; from then on ordinary records are refused and urgent ones go into the reserve.
 * Full ends before an ordinary record is written, when the disk has room again and the reserve is whole.
 */
export class JournalTail {
  readonly #options: TailOptions;
  readonly #reserve: SpaceReserve;
  #segment: OpenSegment;
  #count: number;
  #full: Fault | null = null;

  private constructor(options: TailOptions, reserve: SpaceReserve, count: number, segment: OpenSegment) {
    this.#options = options;
    this.#reserve = reserve;
    this.#count = count;
    this.#segment = segment;
  }

  /** Continues after the last whole frame; what follows was torn and never acknowledged. */
  static async open(options: TailOptions, last: LastSegment | null): Promise<JournalTail> {
    const { folder, reserveBytes, engineVersion, disk } = options;
    const reserve = await SpaceReserve.find(disk, folder, reserveBytes);
    const found = last !== null && last.end.nextSequence > last.name.firstSequence ? last : null;
    const continued = found === null ? null : await continueSegment(disk, found);
    const count = (last?.end.nextSequence ?? 1) - 1;
    const continues = found?.end.format === FORMAT && found.end.engineVersion === engineVersion;
    if (continued !== null && !continues) await continued.file.close();
    const segment = continued !== null && continues ? continued : await startSegment(options, count + 1);
    if (segment instanceof Error) throw segment;
    await disk.syncFolder(folder);
    const tail = new JournalTail(options, reserve, count, segment);
    await tail.#beginWithReserve();
    return tail;
  }

  get count(): number {
    return this.#count;
  }

  get position(): number {
    return this.#segment.position;
  }

  get firstSequence(): number {
    return this.#segment.firstSequence;
  }

  /** Writes, syncs, answers. What it throws ends the journal; a record that is refused for space is told so here. */
  async commit(frame: WaitingFrame): Promise<void> {
    if (this.#full !== null && frame.hasOrdinary) await this.#resume();
    if (this.#full === null) {
      const fullDisk = await this.#writeOrdinary(frame);
      if (fullDisk === null) return;
      await this.#enterFull(fullDisk);
    }
    if (this.#full !== null) await this.#writeUrgent(frame, this.#full);
  }

  close(): Promise<void> {
    return this.#segment.file.close();
  }

  /** Null when it is written and answered, the error when there was no space. A sync that fails is thrown, whatever its reason. */
  async #writeOrdinary(frame: WaitingFrame): Promise<Error | null> {
    const { position, firstSequence } = this.#segment;
    if (position >= this.#options.segmentBytes && firstSequence <= this.#count) {
      const next = await startSegment(this.#options, this.#count + 1);
      if (next instanceof Error) return next;
      await this.#turnTo(next);
    }
    const { file, salt } = this.#segment;
    const bytes = frame.seal(this.#count + 1, salt);
    const fullDisk = await fullDiskOf(file.write(bytes, this.#segment.position));
    if (fullDisk === null) await this.#acknowledge(frame, bytes.length);
    return fullDisk;
  }

  async #acknowledge(frame: WaitingFrame, bytes: number): Promise<void> {
    await this.#segment.file.sync();
    const firstSequence = this.#count + 1;
    this.#segment.position += bytes;
    this.#count += frame.records;
    frame.resolve(firstSequence);
  }

  /** Takes back what was written of the frame: it is refused only when it is certain that it will not be read again. */
  async #enterFull(error: Error): Promise<void> {
    await this.#releaseRoom();
    this.#full = new Fault('DISK_FULL', `journal in ${this.#options.folder}: ${String(error)}`, error);
  }

  async #writeUrgent(frame: WaitingFrame, full: Fault): Promise<void> {
    const needed = frame.urgentBytes;
    if (needed > this.#segment.room - this.#segment.position && needed > 0 && this.#reserve.isWhole) {
      await this.#spendReserve();
    }
    frame.keepUrgent(this.#segment.room - this.#segment.position, full);
    if (frame.isEmpty) return;
    const bytes = frame.seal(this.#count + 1, this.#segment.salt);
    await this.#segment.file.write(bytes, this.#segment.position);
    await this.#acknowledge(frame, bytes.length);
  }

  async #spendReserve(): Promise<void> {
    const { folder, engineVersion, drawSalt } = this.#options;
    const [firstSequence, salt] = [this.#count + 1, drawSalt()];
    const header = encodeSegmentHeader({ engineVersion, firstSequence, salt });
    const file = await this.#reserve.spend(segmentPath(folder, firstSequence), header);
    await this.#turnTo({ file, firstSequence, salt, position: HEADER_BYTES, room: this.#reserve.bytes });
  }

  async #turnTo(next: OpenSegment): Promise<void> {
    const { file } = this.#segment;
    this.#segment = next;
    await file.close();
  }

  /** Ordinary again, once there is room for the reserve and as much beside it. */
  async #resume(): Promise<void> {
    const { disk, folder } = this.#options;
    const { freeBytes } = await disk.space(folder);
    const missing = this.#reserve.isWhole ? 0 : this.#reserve.bytes;
    if (freeBytes < missing + this.#reserve.bytes) return;
    if (!this.#reserve.isWhole && (await fullDiskOf(this.#reserve.restore())) !== null) return;
    if (this.#segment.room > 0) await this.#releaseRoom();
    this.#full = null;
  }

  async #beginWithReserve(): Promise<void> {
    const error = this.#reserve.isWhole ? null : await fullDiskOf(this.#reserve.restore());
    if (error !== null)
      this.#full = new Fault('DISK_FULL', `journal in ${this.#options.folder}: ${String(error)}`, error);
    else if (this.#segment.room > 0) await this.#releaseRoom();
  }

  async #releaseRoom(): Promise<void> {
    await this.#segment.file.truncate(this.#segment.position);
    await this.#segment.file.sync();
    this.#segment.room = 0;
  }
}

/** A new file with its header and its name on the disk, or the error when there is no space for them. */
async function startSegment(options: TailOptions, firstSequence: number): Promise<OpenSegment | Error> {
  const { folder, disk, engineVersion, drawSalt } = options;
  const [path, salt] = [segmentPath(folder, firstSequence), drawSalt()];
  const file = await unlessFull(disk.open(path, 'create'));
  if (file instanceof Error) return file;
  await emptied(file);
  const fullDisk = await fullDiskOf(file.write(encodeSegmentHeader({ engineVersion, firstSequence, salt }), 0));
  if (fullDisk !== null) {
    await file.close();
    await disk.remove(path);
    return fullDisk;
  }
  await file.sync();
  await disk.syncFolder(folder);
  return { file, firstSequence, salt, position: HEADER_BYTES, room: 0 };
}

/** What a crash left of a segment without records is gone from the disk before the new header gets there. */
async function emptied(file: JournalFile): Promise<void> {
  if ((await file.size()) === 0) return;
  await file.truncate(0);
  await file.sync();
}

async function continueSegment(disk: JournalDisk, { name, end }: LastSegment): Promise<OpenSegment> {
  const file = await disk.open(name.path, 'existing');
  try {
    await cutTornFrame(file, end);
    await writeAgain(file, 0, Math.min(HEADER_BYTES, end.validBytes));
    await writeAgain(file, end.lastFrameAt, end.validBytes);
    await file.sync();
  } catch (error) {
    await file.close();
    throw error;
  }
  const room = end.sizeBytes > end.dirtyEnd ? end.sizeBytes : 0;
  return { file, firstSequence: name.firstSequence, salt: end.salt, position: end.validBytes, room };
}

/**
 * The length is set even where it is right: after a failed sync the disk may hold another. Where zeros behind it hold
 * space, the frame is overwritten with zeros: its header last, so that half of this is still torn.
 */
async function cutTornFrame(file: JournalFile, { validBytes, dirtyEnd, sizeBytes }: SegmentEnd): Promise<void> {
  if (dirtyEnd === sizeBytes) return file.truncate(validBytes);
  if (dirtyEnd === validBytes) return;
  const body = Math.min(validBytes + HEADER_BYTES, dirtyEnd);
  await file.write(new Uint8Array(dirtyEnd - body), body);
  await file.sync();
  await file.write(new Uint8Array(body - validBytes), validBytes);
}

/**
 * After a failed sync the system may show bytes that never reached the disk, and a later sync does not try again. The
 * last frame may be such a one, so its bytes are written once more before anything is built on them.
 */
async function writeAgain(file: JournalFile, from: number, to: number): Promise<void> {
  await file.write(await readBytes(file, from, to - from), from);
}
