import { createCipheriv, createDecipheriv, randomBytes, scryptSync } from 'node:crypto';
import { closeSync, fstatSync, fsyncSync, openSync, readFileSync, renameSync, rmSync, writeSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { Fault } from '../../errors/fault.ts';

/** Secret keys by name. They live in memory only while the process does. */
export interface Keystore {
  readonly names: readonly string[];
  /** @throws Fault KEY_MISSING */
  key(name: string): Uint8Array;
}

/** 2^17 x 8 x 128 bytes = 128 MiB and about half a second for every guess of the passphrase. */
const SCRYPT_LOG_N = 17;
const SCRYPT = { r: 8, p: 1, maxmem: 2 ** 28 } as const;
const KEY_BYTES = 32;
const SALT_BYTES = 16;
const IV_BYTES = 12;
const TAG_BYTES = 16;
const OWNER_ONLY = 0o600;
const OTHERS = 0o077;

const base64 = z.base64().transform((text) => Buffer.from(text, 'base64'));
const fileSchema = z.strictObject({
  format: z.literal('energy-logic keystore 1'),
  scrypt: z.strictObject({ logN: z.int().min(10).max(17), salt: base64 }),
  iv: base64,
  tag: base64,
  ciphertext: base64,
});
const contentSchema = z.record(z.string(), z.string().regex(/^([0-9a-f]{2})+$/));

/**
 * Writes the keys, encrypted with AES-256-GCM under a key that scrypt derives from the passphrase, for the owner's eyes
 * only. A crash leaves the old file or the new one, never half of either.
 * @throws Fault KEYSTORE_WRITE_FAILED
 */
export function writeKeystore(path: string, passphrase: string, keys: ReadonlyMap<string, Uint8Array>): void {
  const salt = randomBytes(SALT_BYTES);
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv('aes-256-gcm', deriveKey(passphrase, salt, SCRYPT_LOG_N), iv);
  const content = Object.fromEntries([...keys].map(([name, key]) => [name, Buffer.from(key).toString('hex')]));
  const ciphertext = Buffer.concat([cipher.update(JSON.stringify(content), 'utf8'), cipher.final()]);
  const file = {
    format: 'energy-logic keystore 1',
    scrypt: { logN: SCRYPT_LOG_N, salt: salt.toString('base64') },
    iv: iv.toString('base64'),
    tag: cipher.getAuthTag().toString('base64'),
    ciphertext: ciphertext.toString('base64'),
  };
  try {
    replaceFile(path, `${JSON.stringify(file, null, 2)}\n`);
  } catch (error) {
    throw new Fault('KEYSTORE_WRITE_FAILED', `${path}: the keystore cannot be written (${reason(error)})`, error);
  }
}

/**
 * @throws Fault FILE_UNREADABLE, KEYSTORE_EXPOSED where others may read the file, KEYSTORE_CORRUPT where it is no
 * keystore, KEYSTORE_LOCKED where the passphrase does not open it
 */
export function openKeystore(path: string, passphrase: string): Keystore {
  const keys = readContent(path, decrypt(path, passphrase, readStored(path)));
  return {
    names: [...keys.keys()].sort(),
    key(name) {
      const key = keys.get(name);
      if (key === undefined) throw new Fault('KEY_MISSING', `${path}: no key with the name ${name}`);
      return Uint8Array.from(key);
    },
  };
}

/**
 * A passphrase as systemd hands it over (`LoadCredential=`, `SetCredentialEncrypted=`): the file `name` in the folder
 * `$CREDENTIALS_DIRECTORY`, which the caller passes. One newline at the end is not part of it.
 * @throws Fault KEYSTORE_LOCKED
 */
export function readCredential(directory: string | undefined, name: string): string {
  if (directory === undefined || directory === '') {
    throw new Fault('KEYSTORE_LOCKED', `no credential ${name}: CREDENTIALS_DIRECTORY is not set`);
  }
  if (!/^[\w-][\w.-]*$/.test(name)) throw new Fault('KEYSTORE_LOCKED', `${JSON.stringify(name)} is no credential name`);
  const path = join(directory, name);
  try {
    const text = readFileSync(path, 'utf8').replace(/\r?\n$/, '');
    if (text !== '') return text;
  } catch (error) {
    throw new Fault('KEYSTORE_LOCKED', `${path}: the credential cannot be read (${reason(error)})`, error);
  }
  throw new Fault('KEYSTORE_LOCKED', `${path}: the credential is empty`);
}

function deriveKey(passphrase: string, salt: Uint8Array, logN: number): Buffer {
  return scryptSync(passphrase.normalize('NFKC'), salt, KEY_BYTES, { N: 2 ** logN, ...SCRYPT });
}

function readStored(path: string): z.infer<typeof fileSchema> {
  const text = readOwnerOnly(path);
  try {
    const stored = fileSchema.parse(JSON.parse(text));
    if (stored.iv.length !== IV_BYTES || stored.tag.length !== TAG_BYTES)
      throw new Error('iv or tag has another length');
    return stored;
  } catch (error) {
    throw new Fault('KEYSTORE_CORRUPT', `${path}: not a keystore of this version`, error);
  }
}

function readOwnerOnly(path: string): string {
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (error) {
    throw new Fault('FILE_UNREADABLE', `${path}: the keystore cannot be read (${reason(error)})`, error);
  }
  try {
    const mode = fstatSync(file).mode & 0o777;
    if ((mode & OTHERS) !== 0) {
      throw new Fault('KEYSTORE_EXPOSED', `${path}: mode ${mode.toString(8)} lets others at the keystore`);
    }
    return readFileSync(file, 'utf8');
  } finally {
    closeSync(file);
  }
}

function decrypt(path: string, passphrase: string, stored: z.infer<typeof fileSchema>): string {
  const key = deriveKey(passphrase, stored.scrypt.salt, stored.scrypt.logN);
  const decipher = createDecipheriv('aes-256-gcm', key, stored.iv, { authTagLength: TAG_BYTES });
  decipher.setAuthTag(stored.tag);
  try {
    return Buffer.concat([decipher.update(stored.ciphertext), decipher.final()]).toString('utf8');
  } catch {
    // Without the cause: what OpenSSL says about a wrong key helps nobody who should be here.
    throw new Fault('KEYSTORE_LOCKED', `${path}: the passphrase is wrong, or the file was changed`);
  }
}

function readContent(path: string, text: string): Map<string, Buffer> {
  const parsed = contentSchema.safeParse(JSON.parse(text));
  if (!parsed.success) throw new Fault('KEYSTORE_CORRUPT', `${path}: the content is not a table of keys`);
  return new Map(Object.entries(parsed.data).map(([name, hex]) => [name, Buffer.from(hex, 'hex')]));
}

function replaceFile(path: string, text: string): void {
  const draft = `${path}.${randomBytes(6).toString('hex')}.new`;
  try {
    const file = openSync(draft, 'wx', OWNER_ONLY);
    try {
      writeSync(file, text);
      fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(draft, path);
  } catch (error) {
    rmSync(draft, { force: true });
    throw error;
  }
  syncFolder(dirname(path));
}

/** Makes the new name durable. */
function syncFolder(path: string): void {
  const folder = openSync(path, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

function reason(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : String(error);
}
