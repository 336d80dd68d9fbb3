import { hkdfSync } from 'node:crypto';
import { demoOrderKey } from '../../adapters/keys/demo-keys.ts';
import { orderKeyOf } from '../../adapters/keys/key-source.ts';
import { openWasmSigner } from '../../adapters/keys/wasm-signer.ts';
import type { Signer } from '../../domain/ports.ts';
import { isFault } from '../../errors/fault.ts';
import type { EngineConfig } from './engine-config.ts';

/** What the engine vouches with for its receipts and roots. */
export interface ReceiptKey {
  readonly signer: Signer;
  /** 32 bytes from the same key, for the salts: the same at every start, so that nothing new is kept. */
  readonly secret: Uint8Array;
}

const SECRET_BYTES = 32;

/**
 * The key `receipts` of the keystore; without one, the settler's. A paper market has nothing at stake: where its keystore
 * does not open, it takes a public key and says so. @throws Fault KEYSTORE_*
 */
export async function openReceiptKey(
  { keys, market }: EngineConfig,
  mode: 'production' | 'paper',
  tell: (line: string) => void,
): Promise<ReceiptKey> {
  const key = keyOf(keys, mode, tell);
  const secret = hkdfSync('sha256', key, market, 'energy-logic/receipt-salts/1', SECRET_BYTES);
  return { signer: await openWasmSigner(key), secret: new Uint8Array(secret) };
}

function keyOf(keys: EngineConfig['keys'], mode: 'production' | 'paper', tell: (line: string) => void): Uint8Array {
  try {
    return receiptsOrSettler(keys);
  } catch (error) {
    if (mode !== 'paper' || !isFault(error)) throw error;
    tell(`${error.code} ${error.message}; in paper mode receipts are signed with a public key and prove nothing`);
    return demoOrderKey(0, 'receipts');
  }
}

function receiptsOrSettler(keys: EngineConfig['keys']): Uint8Array {
  try {
    return orderKeyOf(keys, 'receipts');
  } catch (error) {
    if (!isFault(error, 'KEY_MISSING')) throw error;
    return orderKeyOf(keys, 'settler');
  }
}
