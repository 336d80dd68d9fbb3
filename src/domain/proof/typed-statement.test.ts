import { hashStruct, hashTypedData } from 'viem';
import { expect, test } from 'vitest';
import { keccakHasher as hasher } from '../../adapters/keys/secp256k1-signer.ts';
import type { MarketId } from '../units/identity.ts';
import type { EpochMs } from '../units/time.ts';
import { type Hex, toHex } from './canonical-bytes.ts';
import { gateRootDigest, gateRootHash, receiptHeadDigest } from './typed-statement.ts';

const domain = { name: 'energy-logic', version: '1', chainId: 31_337 } as const;

function hash(number: number): Hex {
  return toHex(hasher.keccak256(Uint8Array.of(number)));
}

test('a receipt head has the digest that a wallet and a contract compute', () => {
  const head = { market: 'elm' as MarketId, firstSequence: 2 ** 40 + 3, count: 7, previous: hash(1), root: hash(2) };
  const types = {
    ReceiptHead: [
      { name: 'market', type: 'string' },
      { name: 'firstSequence', type: 'uint64' },
      { name: 'count', type: 'uint32' },
      { name: 'previous', type: 'bytes32' },
      { name: 'root', type: 'bytes32' },
    ],
  } as const;
  const message = {
    ...head,
    firstSequence: BigInt(head.firstSequence),
    previous: head.previous as `0x${string}`,
    root: head.root as `0x${string}`,
  };
  const expected = hashTypedData({ domain, types, primaryType: 'ReceiptHead', message });
  expect(toHex(receiptHeadDigest(31_337, head, hasher))).toBe(expected);
});

test('a gate root has that digest, and the root of the product is its struct hash', () => {
  const gate = {
    ...{ market: 'elm' as MarketId, product: 1_800_000_000_000 as EpochMs, sequence: 812, commands: 40 },
    ...{ log: hash(1), rules: hash(2), members: hash(3), result: hash(4) },
  };
  const types = {
    GateRoot: [
      { name: 'market', type: 'string' },
      { name: 'product', type: 'uint64' },
      { name: 'sequence', type: 'uint64' },
      { name: 'commands', type: 'uint32' },
      { name: 'log', type: 'bytes32' },
      { name: 'rules', type: 'bytes32' },
      { name: 'members', type: 'bytes32' },
      { name: 'result', type: 'bytes32' },
    ],
  };
  const message = { ...gate, product: BigInt(gate.product), sequence: BigInt(gate.sequence) };
  const typed = { domain, types, primaryType: 'GateRoot', message } as const;
  expect(toHex(gateRootDigest(31_337, gate, hasher))).toBe(hashTypedData(typed));
  expect(toHex(gateRootHash(gate, hasher))).toBe(hashStruct({ data: message, types, primaryType: 'GateRoot' }));
});
