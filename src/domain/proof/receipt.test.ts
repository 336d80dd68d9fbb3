import { describe, expect, test } from 'vitest';
import {
  addressOf,
  keccakHasher as hasher,
  recoverAddress as recover,
  signDigest,
} from '../../adapters/keys/secp256k1-signer.ts';
import type { MarketId, MemberId } from '../units/identity.ts';
import type { EpochMs } from '../units/time.ts';
import { toHex } from './canonical-bytes.ts';
import { merkleTree } from './merkle-tree.ts';
import {
  chainStart,
  contentOf,
  nextLink,
  type Receipt,
  receiptHash,
  receiptProblem,
  type SignedReceipt,
} from './receipt.ts';
import { receiptHeadDigest } from './typed-statement.ts';

const KEY = hasher.keccak256(Uint8Array.of(1));
const check = { hasher, recover, chainId: 1, engine: addressOf(KEY) };
const market = 'elm' as MarketId;
const previous = toHex(chainStart(market, 900_000 as EpochMs, hasher));

function receipt(sequence: number): Receipt {
  const named = { market, product: 900_000 as EpochMs, member: 'home-01' as MemberId, verdict: 'accepted' as const };
  return { ...named, sequence, record: toHex(hasher.keccak256(Uint8Array.of(sequence))), previous };
}

function signed(count: number, index: number): SignedReceipt {
  const receipts = Array.from({ length: count }, (_, at) => receipt(10 + 2 * at));
  const { root, path } = merkleTree(
    receipts.map((each) => receiptHash(contentOf(each), hasher)),
    hasher,
  );
  const head = { market, firstSequence: 10, count, previous, root: toHex(root) };
  const signature = toHex(signDigest(KEY, receiptHeadDigest(1, head, hasher)));
  return { receipt: receipt(10 + 2 * index), index, count, path: path(index).map(toHex), head, signature };
}

test.each([
  [1, 0],
  [2, 1],
  [7, 6],
  [7, 2],
])('of %i receipts of a commit, number %i stands under the signed head', (count, index) => {
  expect(receiptProblem(signed(count, index), check)).toBeNull();
});

describe('what the engine did not sign', () => {
  const good = signed(5, 3);
  test.each<[string, SignedReceipt, string]>([
    ['another verdict', { ...good, receipt: { ...good.receipt, verdict: 'self_cross' } }, 'chain_broken'],
    ['another sequence', { ...good, receipt: { ...good.receipt, sequence: 17 } }, 'chain_broken'],
    ['another member', { ...good, receipt: { ...good.receipt, member: 'home-02' as MemberId } }, 'chain_broken'],
    ['another product', { ...good, receipt: { ...good.receipt, product: 0 as EpochMs } }, 'chain_broken'],
    ['another record', { ...good, receipt: { ...good.receipt, record: previous } }, 'chain_broken'],
    [
      'another receipt before it',
      { ...good, receipt: { ...good.receipt, previous: good.receipt.record } },
      'chain_broken',
    ],
    ['another place', { ...good, index: 2 }, 'chain_broken'],
    ['another size', { ...good, count: 6 }, 'chain_broken'],
    ['another path', { ...good, path: good.path.slice(1) }, 'chain_broken'],
    ['another market', { ...good, head: { ...good.head, market: 'oak' as MarketId } }, 'chain_broken'],
    ['a later head', { ...good, head: { ...good.head, firstSequence: 16 } }, 'chain_broken'],
    ['another chain before the head', { ...good, head: { ...good.head, previous: good.head.root } }, 'signature_wrong'],
    ['an earlier head', { ...good, head: { ...good.head, firstSequence: 9 } }, 'signature_wrong'],
    ['another signature', { ...good, signature: signed(4, 3).signature }, 'signature_wrong'],
    ['no signature', { ...good, signature: `0x${'00'.repeat(65)}` }, 'signature_wrong'],
  ])('%s', (_, changed, problem) => {
    expect(receiptProblem(changed, check)).toBe(problem);
  });

  test('for another chain, or by another engine', () => {
    expect(receiptProblem(good, { ...check, chainId: 2 })).toBe('signature_wrong');
    expect(receiptProblem(good, { ...check, engine: `0x${'00'.repeat(20)}` })).toBe('signature_wrong');
  });
});

test('chains begin apart and every link depends on all before it', () => {
  const starts = [null, 0, 900_000].map((product) => toHex(chainStart(market, product as EpochMs | null, hasher)));
  expect(new Set([...starts, toHex(chainStart('oak' as MarketId, null, hasher))]).size).toBe(4);
  const [a, b, c] = [1, 2, 3].map((at) => hasher.keccak256(Uint8Array.of(at))) as [Uint8Array, Uint8Array, Uint8Array];
  const chain = (...all: Uint8Array[]) => toHex(all.reduce((link, each) => nextLink(link, each, hasher)));
  expect(new Set([chain(a, b, c), chain(a, c, b), chain(b, a, c), chain(a, b)]).size).toBe(4);
});
