const TWO_32 = 2 ** 32;
const TWO_53 = 2 ** 53;
const UTF_8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Reads protocol-buffer bytes that anyone may have sent. The first thing wrong is kept in `problem`; from then on it
 * stands at its end and yields zeros, so a loop over it always stops.
 */
export class ByteReader {
  problem: string | null = null;
  /** The upper half of the last varint, unsigned. */
  high = 0;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #at = 0;
  #end: number;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#end = bytes.length;
  }

  fail(problem: string): void {
    this.problem ??= problem;
    this.#at = this.#end = 0;
  }

  /** True while something is left of the part that is being read. */
  more(): boolean {
    return this.#at < this.#end;
  }

  /** The lower 32 bits of a varint, unsigned; the upper ones are in `high`. */
  varint(): number {
    let low = 0;
    this.high = 0;
    for (let index = 0; index < 10; index += 1) {
      if (this.#at >= this.#end) return this.#cut();
      const byte = this.#bytes[this.#at++] ?? 0;
      const bits = byte & 0x7f;
      if (index < 4) low |= bits << (7 * index);
      else if (index === 4) {
        low |= bits << 28;
        this.high = bits >>> 4;
      } else this.high |= bits << (7 * index - 32);
      if (byte < 0x80) {
        this.high >>>= 0;
        return low >>> 0;
      }
    }
    this.fail('a varint is longer than ten bytes');
    return 0;
  }

  /** An unsigned 64-bit varint that a double holds exactly. */
  uint64(what: string): number {
    const low = this.varint();
    const value = this.high * TWO_32 + low;
    if (value < TWO_53) return value;
    this.fail(`${what} is beyond 2^53`);
    return 0;
  }

  float(): number {
    if (!this.#has(4)) return this.#cut();
    this.#at += 4;
    return this.#view.getFloat32(this.#at - 4, true);
  }

  double(): number {
    if (!this.#has(8)) return this.#cut();
    this.#at += 8;
    return this.#view.getFloat64(this.#at - 8, true);
  }

  string(): string {
    const length = this.#length();
    const bytes = this.#bytes.subarray(this.#at, this.#at + length);
    this.#at += length;
    try {
      return UTF_8.decode(bytes);
    } catch {
      this.fail('a text is not UTF-8');
      return '';
    }
  }

  /** Enters a part with its length before it; returns where the part around it ends, for `leave`. */
  enter(): number {
    const outer = this.#end;
    const length = this.#length();
    if (this.problem === null) this.#end = this.#at + length;
    return outer;
  }

  leave(outer: number): void {
    if (this.problem !== null) return;
    this.#at = this.#end;
    this.#end = outer;
  }

  /** Passes over the field whose key was just read. */
  skip(key: number): void {
    const wireType = key & 7;
    if (key >>> 3 === 0) this.fail('a field has the number 0');
    else if (wireType === 0) this.varint();
    else if (wireType === 1) this.double();
    else if (wireType === 2) this.leave(this.enter());
    else if (wireType === 5) this.float();
    else this.fail(`wire type ${wireType} is not used by Sparkplug`);
  }

  #length(): number {
    const length = this.varint();
    if (this.high === 0 && this.#has(length)) return length;
    return this.#cut();
  }

  #has(count: number): boolean {
    return this.#at + count <= this.#end;
  }

  #cut(): number {
    this.fail('the bytes end in the middle of a field');
    return 0;
  }
}
