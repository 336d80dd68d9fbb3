import type { ClearingArtefact } from '../../domain/proof/clearing-artefact.ts';
import type { ClearingCheck } from '../../domain/proof/verify-clearing.ts';
import { type EpochMs, formatUtc } from '../../domain/units/time.ts';

export interface VerifiedClearing {
  readonly interval: EpochMs;
  /** null: what was given is none. */
  readonly artefact: ClearingArtefact | null;
  readonly check: ClearingCheck;
  /** Whether root or signer were known from elsewhere. */
  readonly isAnchored: boolean;
  /** How many were given. */
  readonly receipts: number;
}

/** One sentence: what holds, or which breach and where. */
export function sentenceOfCheck({ interval, artefact, check }: VerifiedClearing): string {
  const when = formatUtc(interval);
  if (!check.ok) {
    const where = check.sequence === null ? '' : ` at sequence ${check.sequence}`;
    return `The clearing of ${when} does not hold: ${check.breach}${where}, ${check.detail}.\n`;
  }
  if (artefact === null) return '';
  const { gate, viewer, engine, commands } = artefact;
  const own = commands.filter((part) => !('leaf' in part)).length;
  const what =
    viewer === null
      ? `${counted(gate.commands, 'command')} replay to the same verdicts, prices and trades`
      : `${counted(own, 'command')} of ${viewer} stand among ${gate.commands} as they were sent`;
  const receipts = check.receipts === 0 ? '' : `, in agreement with ${counted(check.receipts, 'receipt')}`;
  return `The clearing of ${when} in ${gate.market} holds: ${what}${receipts}, under the root ${check.root} signed by ${engine}.\n`;
}

export function jsonOfCheck({ interval, artefact, check }: VerifiedClearing): string {
  const named = { interval, market: artefact?.gate.market ?? null, viewer: artefact?.viewer ?? null };
  const size = { commands: artefact?.gate.commands ?? null, engine: artefact?.engine ?? null };
  return `${JSON.stringify({ ...check, ...named, ...size })}\n`;
}

/** What the reader should know beside it, one line each. */
export function notesOfCheck({ check, isAnchored, receipts }: VerifiedClearing): string {
  if (!check.ok) return '';
  const notes: string[] = [];
  if (!isAnchored) {
    notes.push('Without --root or --signer an artefact vouches for itself: compare its root with that of the ledger.');
  }
  const passed = receipts - check.receipts;
  if (passed > 0) notes.push(`${counted(passed, 'receipt')} passed over: of another interval, or not in this view.`);
  return notes.map((note) => `${note}\n`).join('');
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? '' : 's'}`;
}
