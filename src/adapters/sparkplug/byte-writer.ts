const TWO_32 = 2 ** 32;

/** Protocol-buffer bytes into one buffer that grows and is used again. Varints of up to 64 bits come as two halves. */
export class ByteWriter {
  #bytes = new Uint8Array(1024);
  #view = new DataView(this.#bytes.buffer);
  #at = 0;
  readonly #text = new TextEncoder();

  reset(): void {
    this.#at = 0;
  }

  /** A copy: the buffer itself is overwritten by the next message. */
  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#at);
  }

  /** An unsigned 32-bit number. */
  uint32(value: number): void {
    this.#room(5);
    this.#varint(value >>> 0);
  }

  /** A safe integer as 64 bits, negative ones in two's complement. */
  int64(value: number): void {
    this.#room(10);
    let high = Math.floor(value / TWO_32);
    let low = value - high * TWO_32;
    high >>>= 0;
    low >>>= 0;
    while (high !== 0) {
      this.#bytes[this.#at++] = (low & 0x7f) | 0x80;
      low = ((low >>> 7) | (high << 25)) >>> 0;
      high >>>= 7;
    }
    this.#varint(low);
  }

  float(value: number): void {
    this.#room(4);
    this.#view.setFloat32(this.#at, value, true);
    this.#at += 4;
  }

  double(value: number): void {
    this.#room(8);
    this.#view.setFloat64(this.#at, value, true);
    this.#at += 8;
  }

  /** UTF-8 with its length before it. */
  string(value: string): void {
    this.#room(3 * value.length);
    const start = this.open();
    this.#at += this.#text.encodeInto(value, this.#bytes.subarray(this.#at)).written;
    this.close(start);
  }

  /** Begins a part whose length stands before it; one byte is kept for the length. */
  open(): number {
    this.#room(5);
    this.#at += 1;
    return this.#at;
  }

  /** Ends the part that began at `start`; it moves up when its length needs more than one byte. */
  close(start: number): void {
    const length = this.#at - start;
    const extra = length < 0x80 ? 0 : length < 0x4000 ? 1 : length < 0x200000 ? 2 : 3;
    if (extra > 0) {
      this.#room(extra);
      this.#bytes.copyWithin(start + extra, start, this.#at);
    }
    this.#at = start - 1;
    this.#varint(length);
    this.#at += length;
  }

  #varint(value: number): void {
    let rest = value;
    while (rest > 0x7f) {
      this.#bytes[this.#at++] = (rest & 0x7f) | 0x80;
      rest >>>= 7;
    }
    this.#bytes[this.#at++] = rest;
  }

  /** Makes room for that many bytes and ten more. */
  #room(count: number): void {
    if (this.#at + count + 10 <= this.#bytes.length) return;
    const larger = new Uint8Array(2 * (this.#bytes.length + count));
    larger.set(this.#bytes);
    this.#bytes = larger;
    this.#view = new DataView(larger.buffer);
  }
}
