import { expect, test } from 'vitest';
import type { Order } from '../../domain/market/order.ts';
import { wh } from '../../domain/units/energy.ts';
import type { MarketId, MemberId } from '../../domain/units/identity.ts';
import { pricePerKwh } from '../../domain/units/price.ts';
import { epochMs } from '../../domain/units/time.ts';
import { demoOrderKey } from './demo-keys.ts';
import { type SignedContent, signBatch } from './order-evidence.ts';
import { signOrder } from './order-signatures.ts';
import { addressOf } from './secp256k1-signer.ts';
import { openSignaturePool } from './signature-pool.ts';
import { findSigner, type SignatureTask } from './signature-task.ts';

const CHAIN = 31_337;
const KEY = demoOrderKey(7, 'home-01');

function content(clientOrderId: number): SignedContent & { readonly kind: 'order'; readonly order: Order } {
  const key = { market: 'elm' as MarketId, product: epochMs(900_000), member: 'home-01' as MemberId, clientOrderId };
  return { kind: 'order', order: { ...key, side: 'buy', type: 'limit', limit: pricePerKwh(200_000), energy: wh(5) } };
}

function single(number: number, signature = signOrder(CHAIN, content(number).order, KEY)): SignatureTask {
  return { chainId: CHAIN, signature, content: content(number) };
}

test('finds what this thread would find, bundle by bundle, good and bad', async () => {
  const pool = openSignaturePool(2);
  const batch = [content(8), content(9)];
  const tasks: SignatureTask[] = [
    ...[1, 2, 3].map((number) => single(number)),
    single(4, '0x00'),
    { chainId: CHAIN, signature: signBatch(CHAIN, batch, KEY), batch },
  ];
  const bundles = [tasks, tasks.slice(2), [], tasks.toReversed()];
  const findings = await Promise.all(bundles.map((bundle) => pool.find(bundle)));
  expect(findings).toEqual(bundles.map((bundle) => bundle.map((task) => findSigner(task))));
  expect(findings[0]?.map(({ signer }) => signer)).toEqual([...Array(3).fill(addressOf(KEY)), null, addressOf(KEY)]);
  await pool.close();
});

test('a pool that is closed says so to who waits and to who comes', async () => {
  const pool = openSignaturePool(1);
  const waiting = expect(pool.find(Array(200).fill(single(1)))).rejects.toThrow('closed');
  await pool.close();
  await waiting;
  await expect(pool.find([single(1)])).rejects.toThrow('closed');
});

test('a task that no signature could have is a bug that ends the thread, and everything waiting hears of it', async () => {
  const pool = openSignaturePool(1);
  const task = single(1);
  const impossible = { ...task, content: { kind: 'order', order: { ...content(1).order, energy: 0.5 } } };
  await expect(pool.find([impossible as SignatureTask])).rejects.toThrow('a signed field');
  await expect(pool.find([task])).rejects.toThrow('a signed field');
  await pool.close();
});
