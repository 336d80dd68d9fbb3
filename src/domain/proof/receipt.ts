import type { VerdictName } from '../market/verdict.ts';
import type { Hasher } from '../ports.ts';
import type { MarketId, MemberId } from '../units/identity.ts';
import type { EpochMs } from '../units/time.ts';
import { CanonicalBytes, fromHex, type Hex, toHex } from './canonical-bytes.ts';
import { type LeafPlace, rootOfPath } from './merkle-tree.ts';
import { type ReceiptHead, receiptHeadDigest } from './typed-statement.ts';

/** What the engine confirms of one command, accepted or refused. */
export interface Receipt {
  readonly market: MarketId;
  readonly product: EpochMs;
  /** Place of the command in the journal. */
  readonly sequence: number;
  readonly member: MemberId;
  readonly verdict: VerdictName;
  /** Hash of the command's record in the journal. */
  readonly record: Hex;
  /** Hash of the receipt before it in the same product, so that a receipt vouches for all that came before. */
  readonly previous: Hex;
}

/** As a member keeps it: the receipt, its place under the head, and the head that was signed. */
export interface SignedReceipt extends LeafPlace {
  readonly receipt: Receipt;
  /** Empty where the commit held one command. */
  readonly path: readonly Hex[];
  readonly head: ReceiptHead;
  readonly signature: Hex;
}

/** A receipt with its two hashes as bytes. */
export interface ReceiptContent extends Omit<Receipt, 'record' | 'previous'> {
  readonly record: Uint8Array;
  readonly previous: Uint8Array;
}

export function receiptHash(receipt: ReceiptContent, hasher: Hasher): Uint8Array {
  const { market, product, sequence, member, verdict, record, previous } = receipt;
  const bytes = new CanonicalBytes('el/receipt/1').text(market).i64(product).i64(sequence).text(member).text(verdict);
  return hasher.keccak256(bytes.hash(record).hash(previous).bytes);
}

/** What the first receipt of a product calls the one before it. null: commands for products that were never opened. */
export function chainStart(market: MarketId, product: EpochMs | null, hasher: Hasher): Uint8Array {
  return hasher.keccak256(new CanonicalBytes('el/chain/1').text(market).optional(product).bytes);
}

/** The market's chain over all its receipts, one link further. */
export function nextLink(link: Uint8Array, receipt: Uint8Array, hasher: Hasher): Uint8Array {
  return hasher.keccak256(new CanonicalBytes('el/link/1').hash(link).hash(receipt).bytes);
}

/** The account that signed the digest, lower-case hex; null where the signature is malformed. */
export type Recover = (digest: Uint8Array, signature: Uint8Array) => string | null;

export interface SignatureCheck {
  readonly hasher: Hasher;
  readonly recover: Recover;
  readonly chainId: number;
  /** The engine's account. */
  readonly engine: string;
}

/** Why a receipt says nothing against the engine; null: the engine signed exactly this. */
export function receiptProblem(
  signed: SignedReceipt,
  check: SignatureCheck,
): 'chain_broken' | 'signature_wrong' | null {
  const { receipt, head, index, count, path } = signed;
  const { hasher, chainId } = check;
  const leaf = receiptHash(contentOf(receipt), hasher);
  const root = rootOfPath(leaf, { index, count }, path.map(fromHex), hasher);
  const isPlaced = index === 0 ? receipt.sequence === head.firstSequence : receipt.sequence > head.firstSequence;
  const isInHead = head.market === receipt.market && head.count === count && isPlaced;
  if (!isInHead || root === null || toHex(root) !== head.root) return 'chain_broken';
  const signer = check.recover(receiptHeadDigest(chainId, head, hasher), fromHex(signed.signature));
  return signer === check.engine ? null : 'signature_wrong';
}

export function contentOf(receipt: Receipt): ReceiptContent {
  return { ...receipt, record: fromHex(receipt.record), previous: fromHex(receipt.previous) };
}
