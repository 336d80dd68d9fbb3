import fc from 'fast-check';
import { expect, test } from 'vitest';
import { keccakHasher } from './secp256k1-signer.ts';
import { wasmKeccakHasher } from './wasm-keccak.ts';

const hasher = wasmKeccakHasher();
const hex = (bytes: Uint8Array) => Buffer.from(bytes).toString('hex');

test('the hash of nothing is the one that everybody knows', () => {
  const nothing = 'c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470';
  expect(hex(hasher.keccak256(new Uint8Array(0)))).toBe(nothing);
});

test('every length up to three blocks hashes as it does in JavaScript', () => {
  for (let length = 0; length <= 3 * 136 + 1; length += 1) {
    const message = Uint8Array.from({ length }, (_, at) => (at * 37 + length) & 0xff);
    expect(hex(hasher.keccak256(message)), `${length} bytes`).toBe(hex(keccakHasher.keccak256(message)));
  }
});

test('so does anything else, and the message is left as it was', () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 1000 }), (message) => {
      const before = Uint8Array.from(message);
      expect(hasher.keccak256(message)).toEqual(keccakHasher.keccak256(message));
      expect(message).toEqual(before);
    }),
    { numRuns: 200 },
  );
});

test('a hash that was given stays as it is', () => {
  const first = hasher.keccak256(Uint8Array.of(1));
  const copy = Uint8Array.from(first);
  hasher.keccak256(Uint8Array.of(2));
  expect(first).toEqual(copy);
});
