import { createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';
import { assert } from '../../domain/units/assert.ts';
import { fromHex, toHex } from './hex.ts';

/** Signs short texts such as `leaseText` and `heartbeatText`. */
export interface TextSigner {
  /** 32 bytes as hex. */
  readonly publicKey: string;
  /** 64 bytes as hex. */
  sign(text: string): string;
}

export type TextVerifier = (text: string, signature: string) => boolean;

const PKCS8_PREFIX = Buffer.from('302e020100300506032b657004220420', 'hex');
const SPKI_PREFIX = Buffer.from('302a300506032b6570032100', 'hex');
const SEED_BYTES = 32;
const SIGNATURE_BYTES = 64;

/** RFC 8032 Ed25519 from its 32-byte private seed. The same text gives the same signature. */
export function ed25519Signer(seed: Uint8Array): TextSigner {
  assert(seed.length === SEED_BYTES, `an Ed25519 seed has 32 bytes, not ${seed.length}`);
  const key = createPrivateKey({ key: Buffer.concat([PKCS8_PREFIX, seed]), format: 'der', type: 'pkcs8' });
  const spki = createPublicKey(key).export({ format: 'der', type: 'spki' });
  return {
    publicKey: toHex(spki.subarray(SPKI_PREFIX.length)),
    sign: (text) => toHex(sign(null, Buffer.from(text, 'utf8'), key)),
  };
}

/** Null where the text is no public key. The verifier answers false to any signature that is malformed. */
export function ed25519Verifier(publicKey: string): TextVerifier | null {
  const raw = fromHex(publicKey, SEED_BYTES);
  const key = raw === null ? null : importPublicKey(raw);
  if (key === null) return null;
  return (text, signature) => {
    const bytes = fromHex(signature, SIGNATURE_BYTES);
    return bytes !== null && verify(null, Buffer.from(text, 'utf8'), key, bytes);
  };
}

function importPublicKey(raw: Uint8Array): KeyObject | null {
  try {
    return createPublicKey({ key: Buffer.concat([SPKI_PREFIX, raw]), format: 'der', type: 'spki' });
  } catch {
    return null;
  }
}
