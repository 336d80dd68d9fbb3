import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { secp256k1 } from '@noble/curves/secp256k1.js';
import fc from 'fast-check';
import { hashTypedData } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Order } from '../../domain/market/order.ts';
import { heartbeatText, leaseText } from '../../domain/safety/lease.ts';
import { wh } from '../../domain/units/energy.ts';
import type { MarketId, MemberId } from '../../domain/units/identity.ts';
import { watt } from '../../domain/units/power.ts';
import { pricePerKwh } from '../../domain/units/price.ts';
import { epochMs } from '../../domain/units/time.ts';
import { isFault } from '../../errors/fault.ts';
import { demoLeaseKey, demoOrderKey } from './demo-keys.ts';
import { ed25519Signer, ed25519Verifier } from './ed25519.ts';
import { fromHex, toHex } from './hex.ts';
import { openKeystore, readCredential, writeKeystore } from './keystore.ts';
import {
  cancelDigest,
  orderDigest,
  recoverCancelSigner,
  recoverOrderSigner,
  signCancel,
  signOrder,
} from './order-signatures.ts';
import { addressOf, keccakHasher, secp256k1Signer } from './secp256k1-signer.ts';

const CHAIN = 31_337;
const KEY = demoOrderKey(7, 'home-01');
const MARKET = 'elm' as MarketId;
const MEMBER = 'home-01' as MemberId;
const ORDER: Order = {
  market: MARKET,
  product: epochMs(1_750_500_000_000),
  member: MEMBER,
  clientOrderId: 4_294_967_295,
  side: 'sell',
  type: 'limit',
  limit: pricePerKwh(-80_000),
  energy: wh(1_234),
};

/** The same typed data as an independent implementation states it. */
const VIEM_DOMAIN = { name: 'energy-logic', version: '1', chainId: CHAIN } as const;
const VIEM_KEY = [
  { name: 'market', type: 'string' },
  { name: 'product', type: 'uint64' },
  { name: 'member', type: 'string' },
  { name: 'clientOrderId', type: 'uint32' },
] as const;
const VIEM_TYPES = {
  Order: [
    ...VIEM_KEY,
    { name: 'side', type: 'uint8' },
    { name: 'type', type: 'uint8' },
    { name: 'limit', type: 'int64' },
    { name: 'energy', type: 'uint64' },
  ],
  Cancel: VIEM_KEY,
} as const;

function viemOrder(order: Order) {
  const { market, member, clientOrderId } = order;
  const message = {
    market,
    product: BigInt(order.product),
    member,
    clientOrderId,
    side: order.side === 'buy' ? 0 : 1,
    type: order.type === 'limit' ? 0 : 1,
    limit: BigInt(order.limit),
    energy: BigInt(order.energy),
  };
  return { domain: VIEM_DOMAIN, types: VIEM_TYPES, primaryType: 'Order' as const, message };
}

const orders: fc.Arbitrary<Order> = fc.record({
  market: fc.constantFrom('elm' as MarketId, 'a' as MarketId),
  product: fc.integer({ min: 0, max: 2 ** 45 }).map(epochMs),
  member: fc.stringMatching(/^[a-z0-9][a-z0-9-]{0,31}$/).map((text) => text as MemberId),
  clientOrderId: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  side: fc.constantFrom('buy', 'sell'),
  type: fc.constantFrom('limit', 'market'),
  limit: fc.integer({ min: -(2 ** 31) + 1, max: 2 ** 31 - 1 }).map(pricePerKwh),
  energy: fc.integer({ min: 0, max: 2 ** 22 - 1 }).map(wh),
});

describe('an order signature', () => {
  test('has the digest that viem computes, for any order and for cancels', () => {
    fc.assert(
      fc.property(orders, (order) => {
        expect(toHex(orderDigest(CHAIN, order))).toBe(hashTypedData(viemOrder(order)));
        const { market, member, clientOrderId } = order;
        const message = { market, member, clientOrderId, product: BigInt(order.product) };
        const typed = { domain: VIEM_DOMAIN, types: VIEM_TYPES, primaryType: 'Cancel' as const, message };
        expect(toHex(cancelDigest(CHAIN, order))).toBe(hashTypedData(typed));
      }),
    );
  });

  test('is the one that viem makes, byte for byte, and names the same account', async () => {
    const account = privateKeyToAccount(toHex(KEY) as `0x${string}`);
    expect(signOrder(CHAIN, ORDER, KEY)).toBe(await account.signTypedData(viemOrder(ORDER)));
    expect(addressOf(KEY)).toBe(account.address.toLowerCase());
    expect(recoverOrderSigner(CHAIN, ORDER, signOrder(CHAIN, ORDER, KEY))).toBe(addressOf(KEY));
    expect(recoverCancelSigner(CHAIN, ORDER, signCancel(CHAIN, ORDER, KEY))).toBe(addressOf(KEY));
  });

  test.each([
    ['market', { market: 'oak' as MarketId }],
    ['product', { product: epochMs(ORDER.product + 900_000) }],
    ['member', { member: 'home-02' as MemberId }],
    ['clientOrderId', { clientOrderId: 0 }],
    ['side', { side: 'buy' }],
    ['type', { type: 'market' }],
    ['limit', { limit: pricePerKwh(80_000) }],
    ['energy', { energy: wh(1_235) }],
  ] as const)('does not hold for another %s', (_, change) => {
    const signer = recoverOrderSigner(CHAIN, { ...ORDER, ...change }, signOrder(CHAIN, ORDER, KEY));
    expect(signer).not.toBe(addressOf(KEY));
  });

  test('does not hold on another chain, nor does a cancel pass for an order', () => {
    expect(recoverOrderSigner(1, ORDER, signOrder(CHAIN, ORDER, KEY))).not.toBe(addressOf(KEY));
    expect(recoverOrderSigner(CHAIN, ORDER, signCancel(CHAIN, ORDER, KEY))).not.toBe(addressOf(KEY));
  });

  test('is refused with s in the upper half, although the curve equation holds', () => {
    const bytes = fromHex(signOrder(CHAIN, ORDER, KEY), 65) ?? new Uint8Array();
    const s = BigInt(toHex(bytes.subarray(32, 64)));
    const high = (secp256k1.Point.CURVE().n - s).toString(16).padStart(64, '0');
    const parity = bytes[64] === 27 ? '1c' : '1b';
    const other = `${toHex(bytes.subarray(0, 32))}${high}${parity}`;
    const raw = fromHex(other, 65) ?? new Uint8Array();
    const signature = secp256k1.Signature.fromBytes(raw.subarray(0, 64), 'compact').addRecoveryBit((raw[64] ?? 0) - 27);
    const point = signature.recoverPublicKey(orderDigest(CHAIN, ORDER)).toBytes(false);
    expect(toHex(keccakHasher.keccak256(point.subarray(1)).subarray(-20))).toBe(addressOf(KEY));
    expect(recoverOrderSigner(CHAIN, ORDER, other)).toBeNull();
  });

  test.each([
    ['empty', ''],
    ['too short', `0x${'11'.repeat(64)}`],
    ['too long', `0x${'11'.repeat(66)}`],
    ['upper case', signOrder(CHAIN, ORDER, KEY).toUpperCase().replace('0X', '0x')],
    ['no prefix', `00${signOrder(CHAIN, ORDER, KEY).slice(2)}`],
    ['v of 0', `${signOrder(CHAIN, ORDER, KEY).slice(0, -2)}00`],
    ['v of 29', `${signOrder(CHAIN, ORDER, KEY).slice(0, -2)}1d`],
    ['all zero', `0x${'00'.repeat(64)}1b`],
    ['r above the order', `0x${'ff'.repeat(32)}${'11'.repeat(32)}1b`],
  ])('is refused when it is malformed: %s', (_, signature) => {
    expect(recoverOrderSigner(CHAIN, ORDER, signature)).toBeNull();
  });

  test('comes from the Signer port as well', async () => {
    const signer = secp256k1Signer(KEY);
    expect(signer.address).toBe(addressOf(KEY));
    expect(toHex(await signer.sign(orderDigest(CHAIN, ORDER)))).toBe(signOrder(CHAIN, ORDER, KEY));
  });
});

test('keccak-256 of nothing is the known one', () => {
  const known = '0xc5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470';
  expect(toHex(keccakHasher.keccak256(new Uint8Array()))).toBe(known);
});

describe('an Ed25519 text signature', () => {
  const lease = leaseText({
    market: MARKET,
    member: MEMBER,
    intervalStart: epochMs(1_750_500_000_000),
    lengthMs: 900_000,
    permittedExport: watt(4_000),
    sequence: 9,
  });
  const signer = ed25519Signer(demoLeaseKey(7, 'engine'));
  const verify = ed25519Verifier(signer.publicKey) ?? (() => false);

  test('matches the first vector of RFC 8032 7.1', () => {
    const seed = fromHex('0x9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60', 32) ?? new Uint8Array();
    const known = ed25519Signer(seed);
    expect(known.publicKey).toBe('0xd75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a');
    expect(known.sign('')).toBe(
      '0xe5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b',
    );
  });

  test('holds for its text only', () => {
    expect(verify(lease, signer.sign(lease))).toBe(true);
    expect(verify(lease.replace('4000', '9000'), signer.sign(lease))).toBe(false);
    const heartbeat = heartbeatText({ market: MARKET, sequence: 9, wall: epochMs(1) });
    expect(verify(lease, signer.sign(heartbeat))).toBe(false);
    const stranger = ed25519Signer(demoLeaseKey(8, 'engine'));
    expect(verify(lease, stranger.sign(lease))).toBe(false);
  });

  test.each(['', '0x', `0x${'00'.repeat(63)}`, `0x${'00'.repeat(65)}`, `0x${'zz'.repeat(64)}`])(
    'is refused malformed: %s',
    (text) => {
      expect(verify(lease, text)).toBe(false);
    },
  );

  test('needs a public key of 32 bytes', () => {
    expect(ed25519Verifier('0x00')).toBeNull();
    expect(ed25519Verifier('d75a')).toBeNull();
  });
});

test('demo keys depend on seed, name and purpose only, and are therefore public', () => {
  expect(demoOrderKey(7, 'home-01')).toEqual(demoOrderKey(7, 'home-01'));
  const keys = [
    demoOrderKey(7, 'home-01'),
    demoOrderKey(8, 'home-01'),
    demoOrderKey(7, 'home-02'),
    demoLeaseKey(7, 'home-01'),
  ];
  expect(new Set(keys.map(toHex)).size).toBe(4);
});

describe('the keystore', () => {
  let folder = '';
  let path = '';
  const keys = new Map([
    ['home-01', KEY],
    ['engine', demoLeaseKey(7, 'engine')],
  ]);

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'keystore-'));
    path = join(folder, 'keys.json');
    writeKeystore(path, 'pass phrase', keys);
  });

  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  function codeOf(action: () => unknown): string {
    try {
      action();
    } catch (error) {
      return isFault(error) ? error.code : String(error);
    }
    return 'nothing was thrown';
  }

  test('gives back what was put in, for the owner only, with nothing readable in the file', () => {
    const store = openKeystore(path, 'pass phrase');
    expect(store.names).toEqual(['engine', 'home-01']);
    expect(store.key('home-01')).toEqual(KEY);
    expect(codeOf(() => store.key('home-02'))).toBe('KEY_MISSING');
    expect(statSync(path).mode & 0o777).toBe(0o600);
    const text = readFileSync(path, 'utf8');
    expect(text.includes('home-01') || text.includes(toHex(KEY).slice(2))).toBe(false);
    expect(readdirSync(folder)).toEqual(['keys.json']);
  });

  test('stays locked for another passphrase and after any change of the file', () => {
    expect(codeOf(() => openKeystore(path, 'pass phrasf'))).toBe('KEYSTORE_LOCKED');
    const stored = JSON.parse(readFileSync(path, 'utf8')) as { ciphertext: string };
    const bytes = Buffer.from(stored.ciphertext, 'base64');
    bytes[0] = (bytes[0] ?? 0) ^ 1;
    const changed = join(folder, 'changed.json');
    writeFileSync(changed, JSON.stringify({ ...stored, ciphertext: bytes.toString('base64') }), { mode: 0o600 });
    expect(codeOf(() => openKeystore(changed, 'pass phrase'))).toBe('KEYSTORE_LOCKED');
    rmSync(changed);
  });

  test('refuses a missing file, one that others may read, and one that is no keystore', () => {
    expect(codeOf(() => openKeystore(join(folder, 'none.json'), 'x'))).toBe('FILE_UNREADABLE');
    const other = join(folder, 'other.json');
    writeFileSync(other, '{"format":"something else"}', { mode: 0o600 });
    expect(codeOf(() => openKeystore(other, 'x'))).toBe('KEYSTORE_CORRUPT');
    chmodSync(other, 0o640);
    expect(codeOf(() => openKeystore(other, 'x'))).toBe('KEYSTORE_EXPOSED');
    rmSync(other);
  });

  test('that cannot be written leaves nothing behind', () => {
    expect(codeOf(() => writeKeystore(join(folder, 'none', 'keys.json'), 'x', keys))).toBe('KEYSTORE_WRITE_FAILED');
    writeKeystore(path, 'pass phrase', keys);
    expect(readdirSync(folder)).toEqual(['keys.json']);
  });

  test('takes its passphrase from a systemd credential, or says why not', () => {
    writeFileSync(join(folder, 'keystore'), 'pass phrase\n');
    expect(readCredential(folder, 'keystore')).toBe('pass phrase');
    writeFileSync(join(folder, 'keystore'), '\n');
    expect(codeOf(() => readCredential(folder, 'keystore'))).toBe('KEYSTORE_LOCKED');
    expect(codeOf(() => readCredential(folder, 'missing'))).toBe('KEYSTORE_LOCKED');
    expect(codeOf(() => readCredential(folder, '../keystore'))).toBe('KEYSTORE_LOCKED');
    expect(codeOf(() => readCredential(undefined, 'keystore'))).toBe('KEYSTORE_LOCKED');
    rmSync(join(folder, 'keystore'));
  });
});
