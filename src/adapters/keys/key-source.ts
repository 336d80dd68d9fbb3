import { z } from 'zod';
import { demoLeaseKey, demoOrderKey } from './demo-keys.ts';
import { openKeystore, readCredential } from './keystore.ts';

/** Where a process finds its key: an encrypted keystore in production, the street's public demo keys otherwise. */
export const keySource = z.union([
  z.strictObject({ demo_seed: z.int().min(0) }),
  z.strictObject({ keystore: z.string().min(1), credential: z.string().min(1) }),
]);

export type KeySource = z.infer<typeof keySource>;

/** The secp256k1 key under `name`. @throws Fault KEYSTORE_* */
export function orderKeyOf(source: KeySource, name: string): Uint8Array {
  return 'demo_seed' in source ? demoOrderKey(source.demo_seed, name) : storedKey(source, name);
}

/** The Ed25519 seed under `name`. @throws Fault KEYSTORE_* */
export function leaseKeyOf(source: KeySource, name: string): Uint8Array {
  return 'demo_seed' in source ? demoLeaseKey(source.demo_seed, name) : storedKey(source, name);
}

/** The passphrase is a systemd credential: the folder that holds it is named by the service manager. */
function storedKey(source: { readonly keystore: string; readonly credential: string }, name: string): Uint8Array {
  const passphrase = readCredential(process.env.CREDENTIALS_DIRECTORY, source.credential);
  return openKeystore(source.keystore, passphrase).key(name);
}
