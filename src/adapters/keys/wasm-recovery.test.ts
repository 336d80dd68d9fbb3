import fc from 'fast-check';
import { expect, test } from 'vitest';
import { demoOrderKey } from './demo-keys.ts';
import { keccakHasher, recoverAddress, signDigest } from './secp256k1-signer.ts';
import { openWasmRecovery } from './wasm-recovery.ts';

const KEY = demoOrderKey(7, 'home-01');

test('WebAssembly and JavaScript find the same signer or none, for signatures good, changed and invented', async () => {
  const wasm = await openWasmRecovery();
  const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
  const changes = fc.array(fc.tuple(fc.nat(64), fc.nat(255)), { maxLength: 2 });
  const edges = fc.constantFrom('00', 'ff', '7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0', '01');
  fc.assert(
    fc.property(bytes(32), changes, fc.option(edges), fc.nat(1), (seed, places, edge, half) => {
      const digest = keccakHasher.keccak256(seed);
      const signature = signDigest(KEY, digest);
      if (edge !== null) signature.set(Buffer.from(edge.length === 64 ? edge : edge.repeat(32), 'hex'), half * 32);
      for (const [at, value] of places) signature[at] = value;
      expect(recoverAddress(digest, signature, wasm)).toBe(recoverAddress(digest, signature));
    }),
    { numRuns: 500 },
  );
});
