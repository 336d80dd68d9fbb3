import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { demoOrderKey } from './demo-keys.ts';
import { recoverAddress, secp256k1Signer } from './secp256k1-signer.ts';
import { openWasmSigner } from './wasm-signer.ts';

test('signs byte for byte as the signer in JavaScript does', async () => {
  const key = demoOrderKey(7, 'receipts');
  const [fast, slow] = [await openWasmSigner(key), secp256k1Signer(key)];
  expect(fast.address).toBe(slow.address);
  for (let turn = 0; turn < 50; turn += 1) {
    const digest = new Uint8Array(randomBytes(32));
    const signature = await fast.sign(digest);
    expect(signature).toEqual(await slow.sign(digest));
    expect(recoverAddress(digest, signature)).toBe(fast.address);
  }
});
