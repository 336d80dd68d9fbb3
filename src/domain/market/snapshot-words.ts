import { assert } from '../units/assert.ts';

const WORD_BYTES = 4;
const TWO_TO_32 = 2 ** 32;
const FIRST_WORDS = 64;

/**
 * Snapshots are 32-bit words: a format number, then what the writer puts there. The words are those of the machine,
 * little-endian on every processor that runs Node.
 */
export class SnapshotWriter {
  #words = new Int32Array(FIRST_WORDS);
  #count = 0;

  constructor(format: number) {
    this.word(format);
  }

  /** A 32-bit integer. */
  word(value: number): void {
    this.#reserve(1);
    this.#words[this.#count] = value;
    this.#count += 1;
  }

  /** A safe integer of either sign. */
  wide(value: number): void {
    this.word(value | 0);
    this.word(Math.floor(value / TWO_TO_32));
  }

  /** A text by its code units, whatever they are. */
  text(value: string): void {
    this.word(value.length);
    for (let at = 0; at < value.length; at += 1) this.word(value.charCodeAt(at));
  }

  block(words: Int32Array): void {
    this.word(words.length);
    this.#reserve(words.length);
    this.#words.set(words, this.#count);
    this.#count += words.length;
  }

  bytes(): Uint8Array {
    return new Uint8Array(this.#words.buffer, 0, this.#count * WORD_BYTES);
  }

  #reserve(more: number): void {
    if (this.#count + more <= this.#words.length) return;
    const wider = new Int32Array(Math.max(this.#count + more, this.#words.length * 2));
    wider.set(this.#words);
    this.#words = wider;
  }
}

/** Reads what `SnapshotWriter` wrote. The bytes were checked by who kept them, so that what does not fit is a bug. */
export class SnapshotReader {
  readonly #words: Int32Array;
  #at = 0;

  constructor(bytes: Uint8Array, format: number) {
    assert(bytes.byteLength % WORD_BYTES === 0, `a snapshot of ${bytes.byteLength} bytes`);
    const aligned = bytes.byteOffset % WORD_BYTES === 0 ? bytes : new Uint8Array(bytes);
    this.#words = new Int32Array(aligned.buffer, aligned.byteOffset, aligned.byteLength / WORD_BYTES);
    const found = this.word();
    assert(found === format, `a snapshot of format ${found}, not ${format}`);
  }

  word(): number {
    const value = this.#words[this.#at];
    assert(value !== undefined, 'a snapshot that is too short');
    this.#at += 1;
    return value;
  }

  wide(): number {
    const low = this.word() >>> 0;
    return this.word() * TWO_TO_32 + low;
  }

  text(): string {
    let text = '';
    for (let left = this.word(); left > 0; left -= 1) text += String.fromCharCode(this.word());
    return text;
  }

  /** A view into the snapshot. */
  block(): Int32Array {
    const length = this.word();
    assert(length >= 0 && this.#at + length <= this.#words.length, 'a snapshot that is too short');
    this.#at += length;
    return this.#words.subarray(this.#at - length, this.#at);
  }

  end(): void {
    assert(this.#at === this.#words.length, 'a snapshot that is too long');
  }
}
