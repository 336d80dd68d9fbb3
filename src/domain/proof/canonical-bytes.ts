import { assert, assertSafeInteger } from '../units/assert.ts';

/** Bytes as text: `0x` and lower-case digits. */
export type Hex = string;

export const HASH_BYTES = 32;
const FIRST_BYTES = 256;
const TWO_TO_32 = 2 ** 32;

/**
 * Writes one unambiguous encoding: every field has a fixed width or its length before it, integers are big-endian, and
 * the tag at the front names what is encoded and in which version, so that no two structures share bytes.
 */
export class CanonicalBytes {
  #bytes = new Uint8Array(FIRST_BYTES);
  #view = new DataView(this.#bytes.buffer);
  #length = 0;

  constructor(tag: string) {
    this.text(tag);
  }

  u8(value: number): this {
    assert(Number.isInteger(value) && value >= 0 && value < 2 ** 8, `${value} is not a byte`);
    const at = this.#room(1);
    this.#view.setUint8(at, value);
    return this;
  }

  u32(value: number): this {
    assert(Number.isInteger(value) && value >= 0 && value < TWO_TO_32, `${value} has no 32 bits`);
    const at = this.#room(4);
    this.#view.setUint32(at, value);
    return this;
  }

  /** A safe integer in 64 bits, two's complement. */
  i64(value: number): this {
    assertSafeInteger(value, 'an encoded number');
    const at = this.#room(8);
    this.#view.setInt32(at, Math.floor(value / TWO_TO_32));
    this.#view.setUint32(at + 4, value >>> 0);
    return this;
  }

  /** A number or nothing: nothing and zero differ. */
  optional(value: number | null): this {
    return this.u8(value === null ? 0 : 1).i64(value ?? 0);
  }

  /** 32 bytes without a length. */
  hash(bytes: Uint8Array): this {
    assert(bytes.length === HASH_BYTES, `a hash of ${bytes.length} bytes`);
    const at = this.#room(HASH_BYTES);
    this.#bytes.set(bytes, at);
    return this;
  }

  /** At most 255 characters of ASCII: identifiers and names. */
  text(value: string): this {
    this.u8(value.length);
    const at = this.#room(value.length);
    this.#bytes.set(asciiBytes(value), at);
    return this;
  }

  /** Valid until the next write. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#length);
  }

  /** Where so many bytes may be written. It may change the view, so it is asked for first. */
  #room(count: number): number {
    const at = this.#length;
    this.#length = at + count;
    if (this.#length > this.#bytes.length) this.#grow();
    return at;
  }

  #grow(): void {
    const larger = new Uint8Array(Math.max(this.#bytes.length * 2, this.#length));
    larger.set(this.#bytes);
    this.#bytes = larger;
    this.#view = new DataView(larger.buffer);
  }
}

/** One byte a character. @throws a bug for a character beyond ASCII: readers check first */
export function asciiBytes(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length);
  for (let at = 0; at < text.length; at += 1) {
    const code = text.charCodeAt(at);
    assert(code < 0x80, `"${text}" is not ASCII`);
    bytes[at] = code;
  }
  return bytes;
}

const DIGITS = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

export function toHex(bytes: Uint8Array): Hex {
  let text = '0x';
  for (const byte of bytes) text += DIGITS[byte];
  return text;
}

/** The bytes of `0x` and an even number of lower-case digits. @throws a bug for any other text: readers check first */
export function fromHex(text: Hex): Uint8Array {
  assert(isHex(text), 'not hexadecimal');
  const bytes = new Uint8Array((text.length - 2) / 2);
  for (let at = 0; at < bytes.length; at += 1) bytes[at] = Number.parseInt(text.slice(2 + 2 * at, 4 + 2 * at), 16);
  return bytes;
}

/** `0x` and whole bytes in lower case; with `bytes`, exactly that many. */
export function isHex(text: string, bytes?: number): boolean {
  return /^0x(?:[0-9a-f]{2})*$/.test(text) && (bytes === undefined || text.length === 2 + 2 * bytes);
}
