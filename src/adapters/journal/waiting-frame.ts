import { crc32 } from 'node:zlib';
import { assert } from '../../domain/units/assert.ts';
import { frameBytes, HEADER_BYTES, MAX_BODY_BYTES, PADDING, writeFrameHeader } from './frame.ts';

/** One call of `append` or `appendAll`: all its records stand in one frame, or none does. */
interface Entry {
  readonly records: number;
  readonly bytes: number;
  readonly urgent: boolean;
  readonly resolve: (lastSequence: number) => void;
  readonly reject: (reason: Error) => void;
}

const FIRST_CAPACITY = 4 * 2 ** 10;
/** The checksum runs along behind the records, so that little is left to do when the disk is free. */
const CHECK_BYTES = 32 * 2 ** 10;

/** The next frame while it fills: records are copied once, from the caller into the bytes that go to the disk. */
export class WaitingFrame {
  #buffer: Buffer = Buffer.allocUnsafeSlow(FIRST_CAPACITY);
  #view = new DataView(this.#buffer.buffer);
  #end = HEADER_BYTES;
  #checked = HEADER_BYTES;
  #crc = 0;
  #records = 0;
  #entries: Entry[] = [];
  #start = HEADER_BYTES;
  #recordsBefore = 0;

  get records(): number {
    return this.#records;
  }

  get isEmpty(): boolean {
    return this.#entries.length === 0;
  }

  /** As many bytes as it takes on the disk. */
  get bytes(): number {
    return frameBytes(this.#end - HEADER_BYTES);
  }

  /** As many bytes as the urgent records take on the disk, 0 for none. */
  get urgentBytes(): number {
    const bytes = this.#entries.reduce((sum, entry) => sum + (entry.urgent ? entry.bytes : 0), 0);
    return bytes === 0 ? 0 : frameBytes(bytes);
  }

  get hasOrdinary(): boolean {
    return this.#entries.some(({ urgent }) => !urgent);
  }

  /** Copies the record behind those that are there; `enter` closes the batch. */
  add(record: Uint8Array): void {
    const end = this.#end + 4 + record.length;
    assert(end - HEADER_BYTES <= MAX_BODY_BYTES, `a batch of ${end} bytes, which could not be read again`);
    if (end + HEADER_BYTES > this.#buffer.length) this.#grow(end + HEADER_BYTES);
    this.#view.setUint32(this.#end, record.length, true);
    this.#buffer.set(record, this.#end + 4);
    this.#end = end;
    this.#records += 1;
    if (end - this.#checked >= CHECK_BYTES) this.#check(end);
  }

  /** Resolves with the sequence of the last record that was added. */
  enter(urgent: boolean): Promise<number> {
    return new Promise((resolve, reject) => {
      const records = this.#records - this.#recordsBefore;
      this.#entries.push({ records, bytes: this.#end - this.#start, urgent, resolve, reject });
      this.#start = this.#end;
      this.#recordsBefore = this.#records;
    });
  }

  /** The whole frame. Valid until the next `add`, `keep` or `clear`. */
  seal(firstSequence: number, salt: number): Uint8Array {
    const end = this.bytes;
    this.#buffer.fill(PADDING, this.#end, end);
    this.#check(end);
    const bodyBytes = this.#end - HEADER_BYTES;
    writeFrameHeader(this.#buffer, { bodyBytes, firstSequence, records: this.#records, bodyCrc: this.#crc }, salt);
    return this.#buffer.subarray(0, end);
  }

  /** Answers everyone, in order. */
  resolve(firstSequence: number): void {
    let sequence = firstSequence - 1;
    for (const entry of this.#entries) {
      sequence += entry.records;
      entry.resolve(sequence);
    }
  }

  reject(reason: Error): void {
    for (const entry of this.#entries) entry.reject(reason);
  }

  /** Rejects whatever is not urgent, and of that what does not fit into `roomBytes`. */
  keepUrgent(roomBytes: number, reason: Error): void {
    const entries = this.#entries;
    let from = HEADER_BYTES;
    this.#forget();
    for (const entry of entries) {
      const keeps = entry.urgent && frameBytes(this.#end - HEADER_BYTES + entry.bytes) <= roomBytes;
      if (keeps) this.#keep(entry, from);
      else entry.reject(reason);
      from += entry.bytes;
    }
  }

  clear(maxCapacity: number): void {
    this.#forget();
    if (this.#buffer.length > maxCapacity) this.#take(Buffer.allocUnsafeSlow(FIRST_CAPACITY));
  }

  #keep(entry: Entry, from: number): void {
    this.#buffer.copyWithin(this.#end, from, from + entry.bytes);
    this.#end += entry.bytes;
    this.#records += entry.records;
    this.#entries.push(entry);
    this.#start = this.#end;
    this.#recordsBefore = this.#records;
  }

  #forget(): void {
    this.#end = HEADER_BYTES;
    this.#checked = HEADER_BYTES;
    this.#crc = 0;
    this.#records = 0;
    this.#entries = [];
    this.#start = HEADER_BYTES;
    this.#recordsBefore = 0;
  }

  #check(end: number): void {
    this.#crc = crc32(this.#buffer.subarray(this.#checked, end), this.#crc);
    this.#checked = end;
  }

  #grow(needed: number): void {
    const larger = Buffer.allocUnsafeSlow(Math.max(needed, 2 * this.#buffer.length));
    larger.set(this.#buffer.subarray(0, this.#end));
    this.#take(larger);
  }

  #take(buffer: Buffer): void {
    this.#buffer = buffer;
    this.#view = new DataView(buffer.buffer);
  }
}
