import { createHash } from 'node:crypto';
import { isPrivateKey } from './secp256k1-signer.ts';

/**
 * Keys of the simulated street. THEY ARE PUBLIC: anybody who knows the seed (it is printed) and a home's name computes
 * them, so that a street is the same on every machine. Never use them where something is at stake; a production key
 * comes from a keystore.
 */
export function demoOrderKey(seed: number, name: string): Uint8Array {
  for (let attempt = 0; ; attempt += 1) {
    const key = demoBytes('order key', seed, name, attempt);
    if (isPrivateKey(key)) return key;
  }
}

/** The Ed25519 seed of the simulated street's engine. As public as `demoOrderKey`. */
export function demoLeaseKey(seed: number, name: string): Uint8Array {
  return demoBytes('lease key', seed, name, 0);
}

function demoBytes(purpose: string, seed: number, name: string, attempt: number): Uint8Array {
  const text = ['energy-logic public demo', purpose, seed, name, attempt].join('\n');
  return Uint8Array.from(createHash('sha256').update(text).digest());
}
