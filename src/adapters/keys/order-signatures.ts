import { keccak_256 } from '@noble/hashes/sha3.js';
import { ORDER_TYPES, type Order, type OrderKey, SIDES } from '../../domain/market/order.ts';
import { assert, assertSafeInteger } from '../../domain/units/assert.ts';
import { fromHex, toHex } from './hex.ts';
import { recoverAddress, SIGNATURE_BYTES, signDigest } from './secp256k1-signer.ts';

/**
 * EIP-712 signatures of orders and cancels. Domain: name `energy-logic`, version `1`, chainId; the market stands in
 * the message. An order that replaces another is signed as a `Replace`, so that neither passes for the other.
 */
const KEY_FIELDS = 'string market,uint64 product,string member,uint32 clientOrderId';
const CONTENT_FIELDS = 'uint8 side,uint8 type,int64 limit,uint64 energy';
const ORDER_TYPE_HASH = textHash(`Order(${KEY_FIELDS},${CONTENT_FIELDS})`);
const REPLACE_TYPE_HASH = textHash(`Replace(${KEY_FIELDS},uint32 replaces,${CONTENT_FIELDS})`);
const CANCEL_TYPE_HASH = textHash(`Cancel(${KEY_FIELDS})`);
const BATCH_TYPE_HASH = textHash('OrderBatch(bytes32 root)');
const DOMAIN_TYPE = 'EIP712Domain(string name,string version,uint256 chainId)';
const DOMAIN_HEAD = [textHash(DOMAIN_TYPE), textHash('energy-logic'), textHash('1')];

const WORD_BYTES = 32;

/** The 32 bytes that are signed for an order. `chainId` is that of the market's ledger. */
export function orderDigest(chainId: number, order: Order): Uint8Array {
  const { side, type, limit, energy, replaces } = order;
  const content = [word(SIDES.indexOf(side)), word(ORDER_TYPES.indexOf(type)), word(limit), word(energy)];
  if (replaces === undefined) return typedDigest(chainId, [ORDER_TYPE_HASH, ...keyWords(order), ...content]);
  return typedDigest(chainId, [REPLACE_TYPE_HASH, ...keyWords(order), word(replaces), ...content]);
}

/** The 32 bytes that are signed to withdraw an order. */
export function cancelDigest(chainId: number, key: OrderKey): Uint8Array {
  return typedDigest(chainId, [CANCEL_TYPE_HASH, ...keyWords(key)]);
}

/** The 32 bytes that are signed for a batch: `root` is that of the tree over its entries' digests. */
export function batchDigest(chainId: number, root: Uint8Array): Uint8Array {
  assert(root.length === WORD_BYTES, `a root has 32 bytes, not ${root.length}`);
  return typedDigest(chainId, [BATCH_TYPE_HASH, root]);
}

/** 65 bytes as hex, as the wire carries them. */
export function signOrder(chainId: number, order: Order, privateKey: Uint8Array): string {
  return toHex(signDigest(privateKey, orderDigest(chainId, order)));
}

export function signCancel(chainId: number, key: OrderKey, privateKey: Uint8Array): string {
  return toHex(signDigest(privateKey, cancelDigest(chainId, key)));
}

/** The account that signed exactly this order, lower-case hex; null where the signature is malformed or has a high s. */
export function recoverOrderSigner(chainId: number, order: Order, signature: string): string | null {
  const bytes = fromHex(signature, SIGNATURE_BYTES);
  return bytes === null ? null : recoverAddress(orderDigest(chainId, order), bytes);
}

export function recoverCancelSigner(chainId: number, key: OrderKey, signature: string): string | null {
  const bytes = fromHex(signature, SIGNATURE_BYTES);
  return bytes === null ? null : recoverAddress(cancelDigest(chainId, key), bytes);
}

function keyWords({ market, product, member, clientOrderId }: OrderKey): Uint8Array[] {
  assert(product >= 0, 'a product before 1970 has no unsigned number');
  return [textHash(market), word(product), textHash(member), word(clientOrderId)];
}

function typedDigest(chainId: number, struct: readonly Uint8Array[]): Uint8Array {
  const domain = keccak_256(Buffer.concat([...DOMAIN_HEAD, word(chainId)]));
  return keccak_256(Buffer.concat([Uint8Array.of(0x19, 0x01), domain, keccak_256(Buffer.concat(struct))]));
}

function textHash(text: string): Uint8Array {
  return keccak_256(Buffer.from(text, 'utf8'));
}

/** An integer as 32 bytes, big-endian, two's complement. */
function word(value: number): Uint8Array {
  assertSafeInteger(value, 'a signed field');
  const bytes = Buffer.alloc(WORD_BYTES, value < 0 ? 0xff : 0x00);
  bytes.writeBigInt64BE(BigInt(value), WORD_BYTES - 8);
  return bytes;
}
