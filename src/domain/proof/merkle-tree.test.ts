import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { keccakHasher as hasher } from '../../adapters/keys/secp256k1-signer.ts';
import { toHex } from './canonical-bytes.ts';
import { merkleRoot, merkleTree, rootOfPath } from './merkle-tree.ts';

function leaf(number: number): Uint8Array {
  return hasher.keccak256(Uint8Array.of(number & 255, number >> 8));
}

function leaves(count: number): Uint8Array[] {
  return Array.from({ length: count }, (_, at) => leaf(at));
}

/** As the standard says it: split at the largest power of two below the size. */
function splitRoot(hashes: readonly Uint8Array[]): Uint8Array {
  const [only] = hashes;
  if (hashes.length === 1 && only !== undefined) return only;
  let half = 1;
  while (half * 2 < hashes.length) half *= 2;
  return merkleRoot([splitRoot(hashes.slice(0, half)), splitRoot(hashes.slice(half))], hasher);
}

describe('a tree', () => {
  test.each(Array.from({ length: 40 }, (_, at) => at + 1))('of %i leaves has the root of the standard', (count) => {
    expect(toHex(merkleRoot(leaves(count), hasher))).toBe(toHex(splitRoot(leaves(count))));
  });

  test('of one leaf is the leaf; of none it is no leaf', () => {
    expect(merkleRoot([leaf(1)], hasher)).toEqual(leaf(1));
    expect(toHex(merkleRoot([], hasher))).toMatch(/^0x[0-9a-f]{64}$/);
  });

  test('does not double the last leaf', () => {
    const three = leaves(3);
    expect(merkleRoot([...three, leaf(2)], hasher)).not.toEqual(merkleRoot(three, hasher));
  });

  test('is another one for any other leaf or order', () => {
    const places = fc.tuple(fc.integer({ min: 2, max: 30 }), fc.nat(), fc.nat()).map(([count, a, b]) => {
      return { count, a: a % count, b: b % count };
    });
    fc.assert(
      fc.property(places, ({ count, a, b }) => {
        const hashes = leaves(count);
        const root = toHex(merkleRoot(hashes, hasher));
        [hashes[a], hashes[b]] = [hashes[b] as Uint8Array, hashes[a] as Uint8Array];
        expect(toHex(merkleRoot(hashes, hasher)) === root).toBe(a === b);
        expect(toHex(merkleRoot(hashes.with(a, leaf(999)), hasher))).not.toBe(root);
      }),
    );
  });
});

describe('a path', () => {
  test('leads from every leaf to the root, and from no other leaf, place or size', () => {
    for (let count = 1; count <= 20; count += 1) {
      const hashes = leaves(count);
      const { root, path } = merkleTree(hashes, hasher);
      for (const [index, hash] of hashes.entries()) {
        const siblings = path(index);
        expect(rootOfPath(hash, { index, count }, siblings, hasher)).toEqual(root);
        expect(rootOfPath(leaf(999), { index, count }, siblings, hasher)).not.toEqual(root);
        if (count > 1) expect(rootOfPath(hash, { index: index ^ 1, count }, siblings, hasher)).not.toEqual(root);
        expect(rootOfPath(hash, { index, count }, [...siblings, hash], hasher)).toBeNull();
        if (siblings.length > 0) expect(rootOfPath(hash, { index, count }, siblings.slice(1), hasher)).toBeNull();
      }
    }
  });

  test.each([
    [-1, 3],
    [3, 3],
    [0, 0],
  ])('of place %i among %i is none', (index, count) => {
    expect(rootOfPath(leaf(0), { index, count }, [], hasher)).toBeNull();
  });
});
