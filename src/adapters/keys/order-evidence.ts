import type { BatchProof } from '../../domain/engine/command.ts';
import type { Order, OrderKey } from '../../domain/market/order.ts';
import { batchTree, rootAbove } from './batch-tree.ts';
import { fromHex, toHex } from './hex.ts';
import { batchDigest, cancelDigest, orderDigest } from './order-signatures.ts';
import { type PointRecovery, recoverAddress, SIGNATURE_BYTES, signDigest } from './secp256k1-signer.ts';

/** What a member wants, apart from how it proves that it does. */
export type SignedContent =
  | { readonly kind: 'order'; readonly order: Order }
  | { readonly kind: 'cancel'; readonly key: OrderKey };

/**
 * Why an order or a cancel counts as its member's: a signature over it alone, or, with a proof, over the batch that it
 * was sent in. Either stands by itself, whatever became of the rest of the batch.
 */
export interface Evidence {
  readonly signature: string;
  readonly proof?: BatchProof;
}

const DIGEST_BYTES = 32;

/**
 * The account that wanted exactly this, lower-case hex; null where the evidence is malformed. Whoever checks compares it
 * with the member's account in the rules of the market.
 */
export function recoverSigner(
  chainId: number,
  content: SignedContent,
  evidence: Evidence,
  recovery?: PointRecovery,
): string | null {
  const { signature, proof } = evidence;
  const digest = contentDigest(chainId, content);
  if (proof === undefined) return recoverHex(digest, signature, recovery);
  const siblings = proof.siblings.map((sibling) => fromHex(sibling, DIGEST_BYTES));
  const root = siblings.every((sibling) => sibling !== null) ? rootAbove(digest, proof.index, siblings) : null;
  return root === null ? null : recoverHex(batchDigest(chainId, root), signature, recovery);
}

/** The account that signed the whole batch, and the evidence of every entry, in order. */
export function recoverBatchSigner(
  chainId: number,
  contents: readonly SignedContent[],
  signature: string,
  recovery?: PointRecovery,
): { readonly signer: string | null; readonly evidence: readonly Evidence[] } {
  const tree = batchTree(contents.map((content) => contentDigest(chainId, content)));
  const signer = recoverHex(batchDigest(chainId, tree.root), signature, recovery);
  if (signer === null) return { signer, evidence: [] };
  const proofOf = (index: number): BatchProof => ({ index, siblings: tree.proof(index).map(toHex) });
  const evidence = contents.map((_, index) => ({ signature, proof: proofOf(index) }));
  return { signer, evidence };
}

/** One signature over all of them: 65 bytes as hex. */
export function signBatch(chainId: number, contents: readonly SignedContent[], privateKey: Uint8Array): string {
  const { root } = batchTree(contents.map((content) => contentDigest(chainId, content)));
  return toHex(signDigest(privateKey, batchDigest(chainId, root)));
}

function contentDigest(chainId: number, content: SignedContent): Uint8Array {
  return content.kind === 'order' ? orderDigest(chainId, content.order) : cancelDigest(chainId, content.key);
}

function recoverHex(digest: Uint8Array, signature: string, recovery?: PointRecovery): string | null {
  const bytes = fromHex(signature, SIGNATURE_BYTES);
  return bytes === null ? null : recoverAddress(digest, bytes, recovery);
}
