import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { demoOrderKey } from '../../adapters/keys/demo-keys.ts';
import { writeKeystore } from '../../adapters/keys/keystore.ts';
import { addressOf } from '../../adapters/keys/secp256k1-signer.ts';
import type { EngineConfig } from './engine-config.ts';
import { openReceiptKey } from './receipt-key.ts';

const [settler, own] = [demoOrderKey(1, 'settler'), demoOrderKey(1, 'receipts')];
let folder = '';

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'receipt-key-'));
  writeFileSync(join(folder, 'pass'), 'secret\n');
  writeKeystore(
    join(folder, 'both'),
    'secret',
    new Map([
      ['settler', settler],
      ['receipts', own],
    ]),
  );
  writeKeystore(join(folder, 'settler'), 'secret', new Map([['settler', settler]]));
  writeKeystore(join(folder, 'none'), 'secret', new Map([['engine', own]]));
  vi.stubEnv('CREDENTIALS_DIRECTORY', folder);
});
afterAll(() => {
  vi.unstubAllEnvs();
  rmSync(folder, { recursive: true });
});

const configOf = (name: string) =>
  ({ market: 'elm', keys: { keystore: join(folder, name), credential: 'pass' } }) as EngineConfig;

async function opened(config: EngineConfig, mode: 'production' | 'paper' = 'production') {
  const said: string[] = [];
  const { signer, secret } = await openReceiptKey(config, mode, (line) => said.push(line));
  return { address: signer.address, secret: Buffer.from(secret).toString('hex'), said };
}

test('the key of its own name signs; without one, the settler; in a street, the demo key', async () => {
  expect((await opened(configOf('both'))).address).toBe(addressOf(own));
  expect((await opened(configOf('settler'))).address).toBe(addressOf(settler));
  const street = { market: 'elm', keys: { demo_seed: 1 } } as EngineConfig;
  expect(await opened(street)).toMatchObject({ address: addressOf(own), said: [] });
});

test('the secret is the same at every start, and another for another market or key', async () => {
  const street = (market: string, seed: number) => ({ market, keys: { demo_seed: seed } }) as EngineConfig;
  const configs = [street('elm', 1), street('elm', 1), street('oak', 1), street('elm', 2)];
  const opening = configs.map((config) => opened(config));
  const [first, again, market, key] = (await Promise.all(opening)).map(({ secret }) => secret);
  expect(first).toMatch(/^[0-9a-f]{64}$/);
  expect(again).toBe(first);
  expect(new Set([first, market, key, Buffer.from(own).toString('hex')]).size).toBe(4);
});

test('without any key production does not start, and a paper market says what its receipts are worth', async () => {
  await expect(opened(configOf('none'))).rejects.toMatchObject({ code: 'KEY_MISSING' });
  const paper = await opened(configOf('none'), 'paper');
  expect(paper.address).toBe(addressOf(demoOrderKey(0, 'receipts')));
  expect(paper.said).toEqual([expect.stringMatching(/^KEY_MISSING .* prove nothing$/)]);
});
