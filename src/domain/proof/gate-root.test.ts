import { describe, expect, test } from 'vitest';
import { keccakHasher as hasher } from '../../adapters/keys/secp256k1-signer.ts';
import type { BookTrade, ProductRules } from '../market/book.ts';
import type { Wh } from '../units/energy.ts';
import type { MarketId, MemberId } from '../units/identity.ts';
import type { PricePerKwh } from '../units/price.ts';
import type { EpochMs } from '../units/time.ts';
import { toHex } from './canonical-bytes.ts';
import {
  type ClearingResult,
  type ClearingRules,
  type CommandOutcome,
  commandLeaf,
  type MemberState,
  memberLeaf,
  membersHash,
  openingHash,
  productSecret,
  resultHash,
  rulesHash,
  saltOf,
  tradesHash,
} from './gate-root.ts';

const [one, two, three] = [1, 2, 3].map((seed) => hasher.keccak256(Uint8Array.of(seed))) as [
  Uint8Array,
  Uint8Array,
  Uint8Array,
];

const product: ProductRules = {
  ...{ product: 900_000 as EpochMs, mechanism: 'call', rationing: 'pro-rata', tick: 100 },
  band: { lowest: 80_000 as PricePerKwh, highest: 300_000 as PricePerKwh },
  ...{ importPrice: 300_050 as PricePerKwh, penalty: 7 as PricePerKwh, maxVolume: 5000 as Wh },
  fees: [0 as PricePerKwh, 9 as PricePerKwh],
  zoneLimits: [{ from: 0, to: 1, capacity: 40 as Wh }],
};
const rules: ClearingRules = { engineVersion: 2, opened: 3, halts: [{ sequence: 4, halted: true }], product };
const state: MemberState = {
  ...{ sequence: 1, number: 2, id: 'home-02' as MemberId, address: toHex(one.subarray(0, 20)) },
  ...{ capability: 2000, collateral: 5, group: 2, zone: 1, active: true, halted: false },
};
const outcome: CommandOutcome = { reserved: 7, filled: 10, fate: 'filled' };
const trade: BookTrade = { buyer: 1, buyOrder: 2, seller: 3, sellOrder: 4, energy: 5, price: 6, sellerPrice: 8 };
const result: ClearingResult = { prices: [100, null], volume: 5 };

/** The same with one thing changed: every number, text, flag and list in it, one after the other. */
function variants<Of>(value: Of): Of[] {
  if (Array.isArray(value)) {
    const inner = value.flatMap((part, at) => variants(part).map((other) => value.with(at, other)));
    return [...inner, [], [...value, ...value]] as unknown as Of[];
  }
  if (typeof value === 'object' && value !== null) {
    return Object.entries(value).flatMap(([name, part]) =>
      variants(part).map((other) => ({ ...value, [name]: other })),
    );
  }
  if (typeof value === 'number') return [value + 1, -value - 1] as Of[];
  if (typeof value === 'boolean') return [!value] as Of[];
  return value === null ? ([0] as Of[]) : ([`${value}x`] as Of[]);
}

describe('every field is under the hash, in a place of its own', () => {
  test.each<[string, unknown, (value: never) => Uint8Array]>([
    ['rules', rules, (value: ClearingRules) => rulesHash(value, hasher)],
    ['a member', state, (value: MemberState) => memberLeaf(value, one, hasher)],
    ['the outcome of a command', outcome, (value: CommandOutcome) => commandLeaf(two, value, one, hasher)],
    ['trades', [trade, { ...trade, price: 9 }], (value: BookTrade[]) => tradesHash(value, one, hasher)],
    ['the result', result, (value: ClearingResult) => resultHash(value, one, hasher)],
    [
      'the members',
      { opening: 1, changes: [2, 3] },
      (value: { opening: number; changes: number[] }) => {
        const hashes = value.changes.map((each) => hasher.keccak256(Uint8Array.of(each)));
        return membersHash(hasher.keccak256(Uint8Array.of(value.opening)), hashes, hasher);
      },
    ],
  ] as never)('%s', (_, value, hash) => {
    const all = [value, ...variants(value)].map((each) => toHex(hash(each as never)));
    expect(all.length).toBeGreaterThan(4);
    expect(new Set(all).size).toBe(all.length);
  });

  test('nothing and zero differ', () => {
    const leaf = (collateral: number | null) => toHex(memberLeaf({ ...state, collateral }, one, hasher));
    expect(leaf(null)).not.toBe(leaf(0));
    const hash = (price: number | null) => toHex(resultHash({ prices: [price], volume: 0 }, one, hasher));
    expect(hash(null)).not.toBe(hash(0));
  });

  test('receipts, salts and the number of members too', () => {
    const leaf = (receipt: Uint8Array, salt: Uint8Array) => toHex(commandLeaf(receipt, outcome, salt, hasher));
    expect(new Set([leaf(one, two), leaf(two, one), leaf(one, three), leaf(three, two)]).size).toBe(4);
    expect(openingHash([one], hasher)).not.toEqual(openingHash([one, two], hasher));
    expect(tradesHash([], one, hasher)).not.toEqual(tradesHash([], two, hasher));
  });
});

test('salts differ by secret, product, kind, place and member', () => {
  const secrets = [1, 2].flatMap((market) =>
    [0, 900_000].map((start) => productSecret(one, `elm-${market}` as MarketId, start as EpochMs, hasher)),
  );
  const salts = [one, ...secrets].flatMap((secret) =>
    (['command', 'member', 'trades'] as const).flatMap((kind) =>
      [1, 2].flatMap((sequence) => [0, 1].map((number) => toHex(saltOf(secret, kind, sequence, hasher, number)))),
    ),
  );
  expect(new Set(salts).size).toBe(5 * 3 * 2 * 2);
});
