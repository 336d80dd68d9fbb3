import { secp256k1 } from '@noble/curves/secp256k1.js';
import { keccak_256 } from '@noble/hashes/sha3.js';
import type { Hasher, Signer } from '../../domain/ports.ts';
import { assert } from '../../domain/units/assert.ts';
import { toHex } from './hex.ts';

export const keccakHasher: Hasher = { keccak256: (bytes) => keccak_256(bytes) };

const PRIVATE_KEY_BYTES = 32;
export const SIGNATURE_BYTES = 65;
/** Ethereum writes the parity of R as 27 or 28. */
const PARITY_OFFSET = 27;
const RS_BYTES = 64;
/** Half the order of the group, rounded down: the largest s that is taken. */
const HALF_ORDER = Buffer.from('7fffffffffffffffffffffffffffffff5d576e7357a4501ddfe92f46681b20a0', 'hex');

/** A Signer over a private key in memory: r, s, v in 65 bytes, s in the lower half, v 27 or 28. */
export function secp256k1Signer(privateKey: Uint8Array): Signer {
  const address = addressOf(privateKey);
  return { address, sign: (digest) => Promise.resolve(signDigest(privateKey, digest)) };
}

export function isPrivateKey(bytes: Uint8Array): boolean {
  return bytes.length === PRIVATE_KEY_BYTES && secp256k1.utils.isValidSecretKey(bytes);
}

/** The account of a private key: 20 bytes as lower-case hex, no checksum. */
export function addressOf(privateKey: Uint8Array): string {
  assert(isPrivateKey(privateKey), 'not a private key of secp256k1');
  return addressOfPoint(secp256k1.getPublicKey(privateKey, false));
}

/** RFC 6979: the same digest gives the same signature. */
export function signDigest(privateKey: Uint8Array, digest: Uint8Array): Uint8Array {
  const [parity, ...rs] = secp256k1.sign(digest, privateKey, { prehash: false, lowS: true, format: 'recovered' });
  assert(parity === 0 || parity === 1, 'R above the group order');
  return Uint8Array.from([...rs, parity + PARITY_OFFSET]);
}

/**
 * The public key, uncompressed in 65 bytes, for which r and s sign the digest and R has that parity; null where there is
 * none. It need not look at the half in which s lies.
 */
export type PointRecovery = (digest: Uint8Array, rs: Uint8Array, parity: 0 | 1) => Uint8Array | null;

/** In JavaScript, without a module to load. */
export const recoverPoint: PointRecovery = (digest, rs, parity) => {
  try {
    const signature = secp256k1.Signature.fromBytes(rs, 'compact').addRecoveryBit(parity);
    return signature.recoverPublicKey(digest).toBytes(false);
  } catch {
    return null;
  }
};

/**
 * The account that signed the digest, or null: another length, v neither 27 nor 28, r or s zero or too large, or s in
 * the upper half, which would let anybody write a second signature of the same order (EIP-2).
 */
export function recoverAddress(
  digest: Uint8Array,
  signature: Uint8Array,
  recovery: PointRecovery = recoverPoint,
): string | null {
  if (signature.length !== SIGNATURE_BYTES) return null;
  const parity = (signature[SIGNATURE_BYTES - 1] ?? 0) - PARITY_OFFSET;
  if (parity !== 0 && parity !== 1) return null;
  const rs = signature.subarray(0, RS_BYTES);
  if (Buffer.compare(rs.subarray(RS_BYTES / 2), HALF_ORDER) > 0) return null;
  const point = recovery(digest, rs, parity);
  return point === null ? null : addressOfPoint(point);
}

function addressOfPoint(uncompressed: Uint8Array): string {
  return toHex(keccak_256(uncompressed.subarray(1)).subarray(-20));
}
