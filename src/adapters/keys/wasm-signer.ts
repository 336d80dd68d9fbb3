import { instantiateSecp256k1 } from '@bitauth/libauth/build/lib/crypto/secp256k1.js';
import type { Signer } from '../../domain/ports.ts';
import { assert } from '../../domain/units/assert.ts';
import { addressOf } from './secp256k1-signer.ts';

/** Ethereum writes the parity of R as 27 or 28. */
const PARITY_OFFSET = 27;

/** The same signatures as `secp256k1Signer`, from libsecp256k1 as WebAssembly: for whoever signs many times a second. */
export async function openWasmSigner(privateKey: Uint8Array): Promise<Signer> {
  const { signMessageHashRecoverableCompact } = await instantiateSecp256k1();
  return {
    address: addressOf(privateKey),
    sign: async (digest) => {
      const signed = signMessageHashRecoverableCompact(privateKey, digest);
      assert(typeof signed !== 'string', 'a private key signs every digest');
      return Uint8Array.from([...signed.signature, signed.recoveryId + PARITY_OFFSET]);
    },
  };
}
