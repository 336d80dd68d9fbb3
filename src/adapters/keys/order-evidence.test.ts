import { secp256k1 } from '@noble/curves/secp256k1.js';
import { keccak_256 } from '@noble/hashes/sha3.js';
import fc from 'fast-check';
import { hashTypedData } from 'viem';
import { describe, expect, test } from 'vitest';
import type { Order } from '../../domain/market/order.ts';
import { wh } from '../../domain/units/energy.ts';
import type { MarketId, MemberId } from '../../domain/units/identity.ts';
import { pricePerKwh } from '../../domain/units/price.ts';
import { epochMs } from '../../domain/units/time.ts';
import { batchTree, rootAbove } from './batch-tree.ts';
import { demoOrderKey } from './demo-keys.ts';
import { toHex } from './hex.ts';
import { recoverBatchSigner, recoverSigner, type SignedContent, signBatch } from './order-evidence.ts';
import { batchDigest, orderDigest, signOrder } from './order-signatures.ts';
import { addressOf } from './secp256k1-signer.ts';

const CHAIN = 31_337;
const KEY = demoOrderKey(7, 'home-01');
const ADDRESS = addressOf(KEY);
const ORDER: Order = {
  market: 'elm' as MarketId,
  product: epochMs(1_750_500_000_000),
  member: 'home-01' as MemberId,
  clientOrderId: 1,
  side: 'sell',
  type: 'fok',
  limit: pricePerKwh(80_000),
  energy: wh(1_234),
};

function contents(count: number): SignedContent[] {
  return Array.from({ length: count }, (_, index) => {
    const order = { ...ORDER, clientOrderId: index, ...(index % 3 === 0 ? {} : { replaces: index - 1 }) };
    return index % 5 === 4 ? { kind: 'cancel', key: order } : { kind: 'order', order };
  });
}

const concat = (...parts: Uint8Array[]) => keccak_256(Buffer.concat(parts));
const word = (byte: number) => new Uint8Array(32).fill(byte);

describe('the tree over a batch', () => {
  test('is the one that its description says: three leaves, worked by hand', () => {
    const [a, b, c] = [1, 2, 3].map((byte) => concat(Uint8Array.of(0), word(byte))) as [
      Uint8Array,
      Uint8Array,
      Uint8Array,
    ];
    const node = (left: Uint8Array, right: Uint8Array) => concat(Uint8Array.of(1), left, right);
    const { root, proof } = batchTree([1, 2, 3].map(word));
    expect(toHex(root)).toBe(toHex(node(node(a, b), node(c, word(0)))));
    expect(proof(2).map(toHex)).toEqual([word(0), node(a, b)].map(toHex));
    expect(toHex(batchTree([word(1)]).root)).toBe(toHex(node(a, word(0))));
  });

  test('every place of every size has a proof, for that place and that digest only', () => {
    for (let count = 1; count <= 64; count += 1) {
      const digests = Array.from({ length: count }, (_, index) => concat(Uint8Array.of(count, index)));
      const { root, proof } = batchTree(digests);
      for (const [index, digest] of digests.entries()) {
        const siblings = proof(index);
        expect(toHex(rootAbove(digest, index, siblings) ?? word(0))).toBe(toHex(root));
        for (const other of [index ^ 1, index ^ (2 ** (siblings.length - 1))].filter((place) => place !== index)) {
          expect(toHex(rootAbove(digest, other, siblings) ?? word(0))).not.toBe(toHex(root));
        }
        expect(rootAbove(digest, index + 2 ** siblings.length, siblings)).toBeNull();
      }
    }
  });

  test('a node passes for no leaf, nor a longer or shorter proof for this one', () => {
    const { root, proof } = batchTree([1, 2, 3, 4].map(word));
    const inner = Buffer.concat([proof(2)[1] ?? word(0), proof(0)[1] ?? word(0)]);
    for (const digest of [inner, word(1)]) {
      for (const siblings of [[], proof(0).slice(1), [...proof(0), word(0)]]) {
        expect(toHex(rootAbove(digest, 0, siblings) ?? word(0))).not.toBe(toHex(root));
      }
    }
    expect(
      rootAbove(
        word(1),
        0,
        Array.from({ length: 7 }, () => word(0)),
      ),
    ).toBeNull();
  });
});

describe('evidence', () => {
  test('a batch has the digest that viem computes over its root', () => {
    const root = word(9);
    const typed = {
      domain: { name: 'energy-logic', version: '1', chainId: CHAIN },
      types: { OrderBatch: [{ name: 'root', type: 'bytes32' }] },
      primaryType: 'OrderBatch' as const,
      message: { root: toHex(root) as `0x${string}` },
    };
    expect(toHex(batchDigest(CHAIN, root))).toBe(hashTypedData(typed));
  });

  test.each([1, 2, 3, 5, 63, 64])(
    'a batch of %i: one signature, and every entry stands by its own evidence',
    (count) => {
      const batch = contents(count);
      const { signer, evidence } = recoverBatchSigner(CHAIN, batch, signBatch(CHAIN, batch, KEY));
      expect(signer).toBe(ADDRESS);
      expect(evidence).toHaveLength(count);
      for (const place of [0, count - 1]) {
        const [content, proven] = [batch[place], evidence[place]];
        if (content === undefined || proven === undefined) throw new Error('no evidence');
        expect(recoverSigner(CHAIN, content, proven)).toBe(ADDRESS);
        const changed = { kind: 'order', order: { ...ORDER, clientOrderId: 99 } } as const;
        expect(recoverSigner(CHAIN, changed, proven)).not.toBe(ADDRESS);
      }
    },
  );

  test('a batch with one entry more, less, changed or moved was signed by nobody known', () => {
    const batch = contents(3);
    const signature = signBatch(CHAIN, batch, KEY);
    const [a, b, c] = batch as [SignedContent, SignedContent, SignedContent];
    for (const other of [
      [a, b],
      [a, b, c, c],
      [a, c, b],
      [b, b, c],
    ]) {
      expect(recoverBatchSigner(CHAIN, other, signature).signer).not.toBe(ADDRESS);
    }
    expect(recoverBatchSigner(1, batch, signature).signer).not.toBe(ADDRESS);
    expect(recoverBatchSigner(CHAIN, batch, '0x00')).toEqual({ signer: null, evidence: [] });
  });

  test('a signature over one order is evidence for it, and for no batch', () => {
    const content = { kind: 'order', order: ORDER } as const;
    const signature = signOrder(CHAIN, ORDER, KEY);
    expect(recoverSigner(CHAIN, content, { signature })).toBe(ADDRESS);
    expect(recoverSigner(CHAIN, content, { signature, proof: { index: 0, siblings: [toHex(word(0))] } })).not.toBe(
      ADDRESS,
    );
    expect(recoverBatchSigner(CHAIN, [content], signature).signer).not.toBe(ADDRESS);
  });

  test.each([
    ['no sibling', []],
    ['a short one', ['0x00']],
    ['one that is no hex', [`0x${'zz'.repeat(32)}`]],
    ['too many', Array.from({ length: 7 }, () => toHex(word(0)))],
  ])('a proof with %s is none', (_, siblings) => {
    const content = { kind: 'order', order: ORDER } as const;
    expect(
      recoverSigner(CHAIN, content, { signature: signBatch(CHAIN, [content], KEY), proof: { index: 0, siblings } }),
    ).toBeNull();
  });
});

describe('an order that replaces another', () => {
  const types = {
    Replace: [
      { name: 'market', type: 'string' },
      { name: 'product', type: 'uint64' },
      { name: 'member', type: 'string' },
      { name: 'clientOrderId', type: 'uint32' },
      { name: 'replaces', type: 'uint32' },
      { name: 'side', type: 'uint8' },
      { name: 'type', type: 'uint8' },
      { name: 'limit', type: 'int64' },
      { name: 'energy', type: 'uint64' },
    ],
  } as const;

  test('has the digest that viem computes for a type of its own', () => {
    const message = {
      ...ORDER,
      product: BigInt(ORDER.product),
      replaces: 7,
      side: 1,
      type: 3,
      limit: 80_000n,
      energy: 1234n,
    };
    const typed = {
      domain: { name: 'energy-logic', version: '1', chainId: CHAIN },
      types,
      primaryType: 'Replace' as const,
      message,
    };
    expect(toHex(orderDigest(CHAIN, { ...ORDER, replaces: 7 }))).toBe(hashTypedData(typed));
  });

  test('is not the same order without, or with another', () => {
    const signature = signOrder(CHAIN, { ...ORDER, replaces: 0 }, KEY);
    expect(recoverSigner(CHAIN, { kind: 'order', order: { ...ORDER, replaces: 0 } }, { signature })).toBe(ADDRESS);
    expect(recoverSigner(CHAIN, { kind: 'order', order: ORDER }, { signature })).not.toBe(ADDRESS);
    expect(recoverSigner(CHAIN, { kind: 'order', order: { ...ORDER, replaces: 1 } }, { signature })).not.toBe(ADDRESS);
  });
});

test('s is taken up to half the order of the group and not one above', () => {
  const half = secp256k1.Point.CURVE().n / 2n;
  const seen: string[] = [];
  const recovery = (_: Uint8Array, rs: Uint8Array) => {
    seen.push(toHex(rs.subarray(32)));
    return null;
  };
  const withS = (s: bigint) => `0x${'11'.repeat(32)}${s.toString(16).padStart(64, '0')}1b`;
  fc.assert(
    fc.property(fc.constantFrom(half - 1n, half, half + 1n, half + 2n), (s) => {
      seen.length = 0;
      recoverSigner(CHAIN, { kind: 'order', order: ORDER }, { signature: withS(s) }, recovery);
      expect(seen).toHaveLength(s <= half ? 1 : 0);
    }),
  );
});
