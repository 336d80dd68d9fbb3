import type { Hasher } from '../ports.ts';
import type { Breach } from './breach.ts';
import { fromHex, type Hex, toHex } from './canonical-bytes.ts';
import { type ClearingArtefact, isShown, type LoggedCommand } from './clearing-artefact.ts';
import { receiptProblem, type SignatureCheck, type SignedReceipt } from './receipt.ts';

/** After the gate a product takes nothing more: these answers would then be lies. */
const TAKEN = ['accepted', 'cancelled'];

/** The shown commands of a log by their place and by the hash of their record. */
export interface LogIndex {
  readonly bySequence: ReadonlyMap<number, LoggedCommand & { readonly hash: Hex }>;
  readonly byRecord: ReadonlyMap<Hex, number>;
}

export function indexLog({ commands }: ClearingArtefact, hasher: Hasher): LogIndex {
  const shown = commands.filter(isShown).map((command) => {
    return { ...command, hash: toHex(hasher.keccak256(fromHex(command.record))) };
  });
  return {
    bySequence: new Map(shown.map((command) => [command.sequence, command])),
    byRecord: new Map(shown.map(({ hash, sequence }) => [hash, sequence])),
  };
}

/** Whether an artefact must show what the receipt is about: its product, and a view that shows that member's orders. */
export function concerns({ receipt }: SignedReceipt, { gate, viewer }: ClearingArtefact): boolean {
  const isOfProduct = receipt.market === gate.market && receipt.product === gate.product;
  return isOfProduct && (viewer === null || viewer === receipt.member);
}

/** What a member's receipt says against the log of its product; null: nothing. */
export function judgeReceipt(
  signed: SignedReceipt,
  { gate }: ClearingArtefact,
  index: LogIndex,
  check: SignatureCheck,
): Breach | null {
  const { sequence, verdict, member, record } = signed.receipt;
  const problem = receiptProblem(signed, check);
  if (problem !== null) return { breach: problem, sequence, detail: 'the receipt is not what the engine signed' };
  if (sequence > gate.sequence && !TAKEN.includes(verdict)) return null;
  const logged = index.bySequence.get(sequence);
  if (logged?.hash === record) return compared(signed, logged);
  const elsewhere = index.byRecord.get(record);
  if (elsewhere !== undefined) return { breach: 'reordered', sequence, detail: `the log has it at ${elsewhere}` };
  const detail = `${member} has a signed receipt for it (${verdict}) and the log lacks it`;
  return { breach: 'order_omitted', sequence, detail };
}

function compared({ receipt }: SignedReceipt, logged: LoggedCommand): Breach | null {
  const { sequence, verdict, previous } = receipt;
  if (logged.verdict !== verdict) {
    const detail = `the receipt says ${verdict}, the log ${logged.verdict}`;
    return { breach: 'verdict_differs', sequence, detail };
  }
  if (logged.previous === previous) return null;
  return { breach: 'chain_broken', sequence, detail: 'the receipt was given after another history than the log has' };
}
