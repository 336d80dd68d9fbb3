import type { Hasher } from '../ports.ts';
import type { MarketId } from '../units/identity.ts';
import type { EpochMs } from '../units/time.ts';
import { asciiBytes, CanonicalBytes, fromHex, type Hex } from './canonical-bytes.ts';

/** What the engine signs once for all receipts of one group commit. */
export interface ReceiptHead {
  readonly market: MarketId;
  /** Journal sequence of the first of them. */
  readonly firstSequence: number;
  readonly count: number;
  /** The market's chain of receipts up to and without the first of them. */
  readonly previous: Hex;
  /** Merkle root over their hashes. */
  readonly root: Hex;
}

/** What the engine signs when the gate of a product closes: its whole command log, its parameters, its result. */
export interface GateRoot {
  readonly market: MarketId;
  readonly product: EpochMs;
  /** Of the gate closure in the journal. */
  readonly sequence: number;
  /** How many commands the log holds. */
  readonly commands: number;
  readonly log: Hex;
  readonly rules: Hex;
  readonly members: Hex;
  readonly result: Hex;
}

const DOMAIN_TYPE = 'EIP712Domain(string name,string version,uint256 chainId)';
const HEAD_TYPE = 'ReceiptHead(string market,uint64 firstSequence,uint32 count,bytes32 previous,bytes32 root)';
const GATE_TYPE =
  'GateRoot(string market,uint64 product,uint64 sequence,uint32 commands,bytes32 log,bytes32 rules,bytes32 members,bytes32 result)';

/** The 32 bytes that are signed for the receipts of one commit (EIP-712, `chainId` of the market's ledger). */
export function receiptHeadDigest(chainId: number, head: ReceiptHead, hasher: Hasher): Uint8Array {
  const { market, firstSequence, count, previous, root } = head;
  const words = [textHash(market, hasher), word(firstSequence), word(count), fromHex(previous), fromHex(root)];
  return digest(chainId, struct(HEAD_TYPE, words, hasher), hasher);
}

/** The root of a product, as the ledger keeps it and settlement names it: the EIP-712 struct hash of the statement. */
export function gateRootHash(gate: GateRoot, hasher: Hasher): Uint8Array {
  const { market, product, sequence, commands, log, rules, members, result } = gate;
  const words = [textHash(market, hasher), word(product), word(sequence), word(commands)];
  return struct(GATE_TYPE, [...words, ...[log, rules, members, result].map(fromHex)], hasher);
}

/** The 32 bytes that are signed for a product at its gate closure. */
export function gateRootDigest(chainId: number, gate: GateRoot, hasher: Hasher): Uint8Array {
  return digest(chainId, gateRootHash(gate, hasher), hasher);
}

function digest(chainId: number, structHash: Uint8Array, hasher: Hasher): Uint8Array {
  const domain = struct(DOMAIN_TYPE, [textHash('energy-logic', hasher), textHash('1', hasher), word(chainId)], hasher);
  return hasher.keccak256(joinedBytes([Uint8Array.of(0x19, 0x01), domain, structHash]));
}

function struct(type: string, words: readonly Uint8Array[], hasher: Hasher): Uint8Array {
  return hasher.keccak256(joinedBytes([textHash(type, hasher), ...words]));
}

function textHash(text: string, hasher: Hasher): Uint8Array {
  return hasher.keccak256(asciiBytes(text));
}

/** An integer, not negative, as 32 bytes. */
function word(value: number): Uint8Array {
  const bytes = new Uint8Array(32);
  bytes.set(new CanonicalBytes('').i64(value).bytes.subarray(1), 24);
  return bytes;
}

function joinedBytes(parts: readonly Uint8Array[]): Uint8Array {
  const bytes = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
