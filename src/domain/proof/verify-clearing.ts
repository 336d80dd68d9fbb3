import type { Hasher } from '../ports.ts';
import type { Breach } from './breach.ts';
import { fromHex, type Hex, toHex } from './canonical-bytes.ts';
import { type ClearingArtefact, isShown, type Part } from './clearing-artefact.ts';
import { replayBreach, viewBreach } from './compare-log.ts';
import {
  type MemberState,
  memberLeaf,
  membersHash,
  openingHash,
  resultHash,
  rulesHash,
  tradesHash,
} from './gate-root.ts';
import { concerns, indexLog, judgeReceipt } from './judge-receipt.ts';
import { type Recover, receiptProblem, type SignatureCheck, type SignedReceipt } from './receipt.ts';
import type { ReplayTools } from './replay-clearing.ts';
import { gateRootDigest, gateRootHash } from './typed-statement.ts';
import { unsoundParameters } from './unsound-parameters.ts';

export interface VerifyTools extends ReplayTools {
  readonly recover: Recover;
}

/** What the verifier knows from elsewhere. Without root and engine an artefact is only compared with itself. */
export interface Expected {
  /** From the ledger, or from the engine's message at the gate. */
  readonly root?: Hex | undefined;
  /** The engine's account, lower-case hex. */
  readonly engine?: Hex | undefined;
  /** Those of other products, and those that a member's view need not show, are passed over. */
  readonly receipts?: readonly SignedReceipt[];
}

export type ClearingCheck =
  | { readonly ok: true; readonly root: Hex; readonly replayed: boolean; readonly receipts: number }
  | ({ readonly ok: false } & Breach);

/**
 * Whether a clearing is what it should be. The operator's artefact is replayed: same verdicts, prices, trades and root.
 * A member's view has its own orders under the root, with what became of them. The first breach is told: parameters
 * before commands before results before hashes, so that its name says what was changed and not only that something was.
 */
export function verifyClearing(artefact: ClearingArtefact, tools: VerifyTools, expected: Expected = {}): ClearingCheck {
  const { hasher, recover } = tools;
  const check = { hasher, recover, chainId: artefact.chainId, engine: expected.engine ?? artefact.engine };
  const receipts = (expected.receipts ?? []).filter((receipt) => concerns(receipt, artefact));
  const found =
    parameterBreach(artefact, hasher) ??
    receiptBreach(artefact, receipts, check) ??
    logBreach(artefact, tools) ??
    statementBreach(artefact, expected, check);
  if (found !== null) return { ok: false, ...found };
  const root = toHex(gateRootHash(artefact.gate, hasher));
  return { ok: true, root, replayed: artefact.viewer === null, receipts: receipts.length };
}

/**
 * A receipt against the artefact of its product. Proved: the engine signed both and they contradict each other, so the
 * operator loses. Otherwise: why the two prove nothing.
 */
export function proveOmission(
  signed: SignedReceipt,
  artefact: ClearingArtefact,
  tools: VerifyTools,
  engine: Hex,
): ({ readonly proved: true } & Breach) | { readonly proved: false; readonly reason: string } {
  const { hasher, recover } = tools;
  const check = { hasher, recover, chainId: artefact.chainId, engine };
  if (!concerns(signed, artefact)) return { proved: false, reason: 'the artefact need not show that command' };
  if (receiptProblem(signed, check) !== null) return { proved: false, reason: 'the engine did not sign the receipt' };
  const doubt =
    parameterBreach(artefact, hasher) ?? viewBreach(artefact, tools) ?? statementBreach(artefact, {}, check);
  if (doubt !== null) return { proved: false, reason: `the artefact is not what the engine signed (${doubt.breach})` };
  const contradiction = judgeReceipt(signed, artefact, indexLog(artefact, hasher), check);
  return contradiction === null ? { proved: false, reason: 'the log holds it' } : { proved: true, ...contradiction };
}

function parameterBreach(artefact: ClearingArtefact, hasher: Hasher): Breach | null {
  const { gate, rules, members, changes } = artefact;
  const differ = (detail: string): Breach => ({ breach: 'parameters_differ', sequence: null, detail });
  const unsound = unsoundParameters(artefact);
  if (unsound !== null) return differ(unsound);
  if (toHex(rulesHash(rules, hasher)) !== gate.rules) return differ('the rules are not those that the root names');
  const opening = openingHash(leavesOf(members, hasher), hasher);
  const hash = membersHash(opening, leavesOf(changes, hasher), hasher);
  return toHex(hash) === gate.members ? null : differ('the members are not those that the root names');
}

function leavesOf(parts: readonly Part<MemberState>[], hasher: Hasher): Uint8Array[] {
  return parts.map((part) => (isShown(part) ? memberLeaf(part, fromHex(part.salt), hasher) : fromHex(part.leaf)));
}

function receiptBreach(
  artefact: ClearingArtefact,
  receipts: readonly SignedReceipt[],
  check: SignatureCheck,
): Breach | null {
  const index = indexLog(artefact, check.hasher);
  const patient = { ...check, recover: remembering(check.recover) };
  for (const receipt of receipts.toSorted((a, b) => a.receipt.sequence - b.receipt.sequence)) {
    const breach = judgeReceipt(receipt, artefact, index, patient);
    if (breach !== null) return breach;
  }
  return null;
}

/** The receipts of one commit share one signature. */
function remembering(recover: Recover): Recover {
  const known = new Map<string, string | null>();
  return (digest, signature) => {
    const name = toHex(digest) + toHex(signature);
    const signer = known.get(name) ?? recover(digest, signature);
    known.set(name, signer);
    return signer;
  };
}

/** Rules and orders of a stranger may be ones that no book was made for: a replay that stops is a breach, not a crash. */
function logBreach(artefact: ClearingArtefact, tools: VerifyTools): Breach | null {
  if (artefact.viewer !== null) return viewBreach(artefact, tools);
  try {
    return replayBreach(artefact, tools);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { breach: 'malformed', sequence: null, detail: `it cannot be replayed (${why})` };
  }
}

function statementBreach({ result, gate, ...artefact }: ClearingArtefact, expected: Expected, check: SignatureCheck) {
  const { hasher, chainId } = check;
  const { trades } = result;
  const hash = 'leaf' in trades ? fromHex(trades.leaf) : tradesHash(trades.list, fromHex(trades.salt), hasher);
  const differs = (detail: string): Breach => ({ breach: 'root_differs', sequence: null, detail });
  if (toHex(resultHash(result, hash, hasher)) !== gate.result) return differs('the root names another result');
  const root = toHex(gateRootHash(gate, hasher));
  if (expected.root !== undefined && expected.root !== root) return differs(`its root is ${root}`);
  const signer = check.recover(gateRootDigest(chainId, gate, hasher), fromHex(artefact.signature));
  if (signer === check.engine && signer === artefact.engine) return null;
  const detail = `the root is not signed by ${check.engine}`;
  return { breach: 'signature_wrong', sequence: null, detail } satisfies Breach;
}
