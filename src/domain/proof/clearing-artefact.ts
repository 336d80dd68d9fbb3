import type { BookTrade } from '../market/book.ts';
import type { VerdictName } from '../market/verdict.ts';
import type { MemberId } from '../units/identity.ts';
import type { Hex } from './canonical-bytes.ts';
import type { ClearingResult, ClearingRules, CommandOutcome, MemberState } from './gate-root.ts';
import type { GateRoot } from './typed-statement.ts';

export const ARTEFACT_SCHEMA = 1;

/** A leaf that is shown, with the salt that it was hashed with, or its hash alone. */
export type Part<Shown> = (Shown & { readonly salt: Hex }) | HiddenPart;

export interface HiddenPart {
  readonly leaf: Hex;
}

/** One order or withdrawal as it stands in the journal, with the verdict. Its receipt is made of these fields. */
export interface LoggedCommand extends CommandOutcome {
  readonly sequence: number;
  /** The record in the journal: content, time and the member's signature. */
  readonly record: Hex;
  readonly verdict: VerdictName;
  readonly previous: Hex;
}

/** What anybody needs to replay the clearing of one product and to compare it with the root that the engine signed. */
export interface ClearingArtefact {
  readonly schema: typeof ARTEFACT_SCHEMA;
  /** Whose view it is: a member sees its own orders and the hashes of all others. null: everything is shown. */
  readonly viewer: MemberId | null;
  readonly chainId: number;
  /** The engine's account, lower-case hex. */
  readonly engine: Hex;
  readonly gate: GateRoot;
  /** The engine's, of the gate statement. */
  readonly signature: Hex;
  readonly rules: ClearingRules;
  /** At the opening, by number. */
  readonly members: readonly Part<MemberState>[];
  /** From the opening to the gate. */
  readonly changes: readonly Part<MemberState>[];
  readonly commands: readonly Part<LoggedCommand>[];
  readonly result: ClearingResult & {
    readonly trades: { readonly salt: Hex; readonly list: readonly BookTrade[] } | HiddenPart;
  };
}

export function isShown<Shown extends object>(part: Part<Shown>): part is Shown & { readonly salt: Hex } {
  return !('leaf' in part);
}
