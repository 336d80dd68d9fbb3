import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { CanonicalBytes, fromHex, isHex, toHex } from './canonical-bytes.ts';

describe('the encoding', () => {
  test('has its tag, widths and lengths in place', () => {
    const bytes = new CanonicalBytes('el/x/1').u8(5).u32(258).i64(-1).optional(null).optional(0).text('ab');
    const tag = '06656c2f782f31';
    const numbers = '0500000102ffffffffffffffff';
    expect(toHex(bytes.bytes)).toBe(`0x${tag}${numbers}000000000000000000010000000000000000026162`);
  });

  test('of every safe integer is that of 64 bits in two’s complement', () => {
    fc.assert(
      fc.property(fc.maxSafeInteger(), (value) => {
        const { bytes } = new CanonicalBytes('').i64(value);
        expect(new DataView(bytes.buffer, bytes.byteOffset + 1).getBigInt64(0)).toBe(BigInt(value));
      }),
    );
  });

  test('of two texts shows where one ends', () => {
    const text = fc.stringMatching(/^[a-z]{0,9}$/);
    fc.assert(
      fc.property(text, text, text, text, (a, b, c, d) => {
        const [one, two] = [new CanonicalBytes('t').text(a).text(b), new CanonicalBytes('t').text(c).text(d)];
        expect(toHex(one.bytes) === toHex(two.bytes)).toBe(a === c && b === d);
      }),
    );
  });

  test('grows with what is written', () => {
    const bytes = new CanonicalBytes('t');
    for (let at = 0; at < 1000; at += 1) bytes.u32(at);
    expect(bytes.bytes.length).toBe(4002);
    expect(toHex(bytes.bytes.subarray(-4))).toBe('0x000003e7');
  });

  test.each([
    ['a fraction', () => new CanonicalBytes('t').i64(0.5)],
    ['a byte of 256', () => new CanonicalBytes('t').u8(256)],
    ['a negative length', () => new CanonicalBytes('t').u32(-1)],
    ['a character beyond ASCII', () => new CanonicalBytes('t').text('é')],
    ['a text of 256 characters', () => new CanonicalBytes('t').text('a'.repeat(256))],
    ['a hash of 31 bytes', () => new CanonicalBytes('t').hash(new Uint8Array(31))],
  ])('does not take %s', (_, write) => {
    expect(write).toThrow(/^bug/);
  });
});

test('hexadecimal text and bytes are inverse', () => {
  fc.assert(
    fc.property(fc.uint8Array(), (bytes) => {
      expect(fromHex(toHex(bytes))).toEqual(bytes);
      expect(isHex(toHex(bytes), bytes.length)).toBe(true);
    }),
  );
  for (const text of ['', '0x0', '0xAB', 'ab', '0xzz', '0x00\n']) expect(isHex(text)).toBe(false);
});
