import { setImmediate as turn } from 'node:timers/promises';
import { toHex } from '../../adapters/keys/hex.ts';
import type { Book, MemberNumber, ProductRules } from '../../domain/market/book.ts';
import type { VerdictName } from '../../domain/market/verdict.ts';
import { fromHex, type Hex } from '../../domain/proof/canonical-bytes.ts';
import {
  ARTEFACT_SCHEMA,
  type ClearingArtefact,
  type LoggedCommand,
  type Part,
} from '../../domain/proof/clearing-artefact.ts';
import {
  type ClearingRules,
  type CommandOutcome,
  commandLeaf,
  membersHash,
  productSecret,
  resultHash,
  rulesHash,
  saltOf,
  tradesHash,
} from '../../domain/proof/gate-root.ts';
import { merkleRoot } from '../../domain/proof/merkle-tree.ts';
import { chainStart } from '../../domain/proof/receipt.ts';
import { outcomeOf, tradesOf } from '../../domain/proof/replay-clearing.ts';
import type { GateRoot } from '../../domain/proof/typed-statement.ts';
import { assert } from '../../domain/units/assert.ts';
import type { MarketId, MemberId } from '../../domain/units/identity.ts';
import type { EpochMs } from '../../domain/units/time.ts';
import { CommandTape, type TapedCommand } from './command-tape.ts';
import {
  type HashedMember,
  type MemberHistory,
  type MemberSecrets,
  type MembersThen,
  memberPart,
} from './member-history.ts';
import type { FlatLog, MemberPool } from './receipt-snapshot.ts';

/** An order or a withdrawal that was journaled and decided. */
export interface DecidedCommand {
  readonly kind: 'order' | 'cancel';
  /** Its place in the journal. */
  readonly sequence: number;
  /** Its bytes there. */
  readonly record: Uint8Array;
  readonly product: EpochMs;
  readonly member: MemberNumber;
  readonly memberId: MemberId;
  readonly clientOrderId: number;
  readonly verdict: VerdictName;
  /** Of an order: what its member had reserved before it, nano-currency; null: no collateral is asked of it. */
  readonly reserved: number | null;
}

export interface SignedGateRoot {
  readonly chainId: number;
  readonly engine: string;
  readonly gate: GateRoot;
  readonly signature: string;
}

/** Where a log begins, or goes on after a restart. */
export interface LogBeginning {
  readonly engineVersion: number;
  /** Journal sequence of the opening. */
  readonly opened: number;
  readonly rules: ProductRules;
  readonly opening: MembersThen;
  readonly changes: readonly HashedMember[];
  readonly halts: ClearingRules['halts'];
  readonly tape?: Uint8Array;
  /** Hash of the last receipt; absent: none yet. */
  readonly chain?: Hex;
}

interface LogParts extends MemberSecrets {
  readonly market: MarketId;
}

/** Commands of an artefact that are put together in one go. */
const AT_ONCE = 128;

/** A command with what became of it, as the root holds it. */
interface SettledCommand {
  readonly command: TapedCommand;
  readonly previous: Uint8Array;
  readonly outcome: CommandOutcome;
  readonly salt: Uint8Array;
  readonly leaf: Uint8Array;
}

/**
 * The command log of one product, from its opening to its gate, and afterwards what its root was made of. Salts, leaves
 * and outcomes are not kept: they follow from the log, the book and the secret whenever somebody asks.
 */
export class ProductLogBook {
  readonly #parts: LogParts;
  readonly #members: MemberHistory;
  readonly #secret: Uint8Array;
  readonly #beginning: LogBeginning;
  readonly #changes: HashedMember[];
  readonly #halts: { sequence: number; halted: boolean }[];
  readonly #tape: CommandTape;
  readonly #start: Uint8Array;
  #chain: Uint8Array;
  /** From the gate on. */
  #closed: { readonly sequence: number; readonly book: Book } | null = null;
  /** The leaves that are hashed so far, on the way to the root. */
  #settling: { readonly commands: Iterator<SettledCommand>; readonly leaves: Uint8Array[] } | null = null;
  #gate: GateRoot | null = null;
  #signed: SignedGateRoot | null = null;

  constructor(parts: LogParts, members: MemberHistory, beginning: LogBeginning) {
    const { market, hasher, secret } = parts;
    const { product } = beginning.rules;
    this.#parts = parts;
    this.#members = members;
    this.#secret = productSecret(secret, market, product, hasher);
    this.#beginning = beginning;
    this.#changes = [...beginning.changes];
    this.#halts = [...beginning.halts];
    this.#tape = new CommandTape(beginning.tape);
    this.#start = chainStart(market, product, hasher);
    this.#chain = beginning.chain === undefined ? this.#start : fromHex(beginning.chain);
  }

  /** Hash of the last receipt, after the gate too. */
  get chain(): Uint8Array {
    return this.#chain;
  }

  get isClosed(): boolean {
    return this.#closed !== null;
  }

  /** Null before the gate, and until its commands are settled. */
  get gate(): GateRoot | null {
    return this.#gate;
  }

  /** The next receipt of the product. `isLogged`: its command came before the gate. */
  take(command: DecidedCommand, receipt: Uint8Array, isLogged: boolean): void {
    this.#chain = receipt;
    if (isLogged) this.#tape.add({ ...command, receipt });
  }

  change(member: HashedMember): void {
    if (this.#closed === null) this.#changes.push(member);
  }

  haltMarket(sequence: number, halted: boolean): void {
    if (this.#closed === null) this.#halts.push({ sequence, halted });
  }

  /** The gate at `sequence` has closed `book`. `gate`: its root, where it is known already. */
  close(sequence: number, book: Book, gate: GateRoot | null = null): void {
    assert(this.#closed === null && book.isClosed, 'a gate closes once, and the book before its root');
    this.#closed = { sequence, book };
    this.#gate = gate;
  }

  /** Hashes so many commands for the root, all of which have their receipts. Less than `most`: the root is there. */
  settle(most: number): number {
    this.#settling ??= { commands: this.#settled(), leaves: [] };
    const { commands, leaves } = this.#settling;
    for (let done = 0; done < most; done += 1) {
      const next = commands.next();
      if (next.done === true) {
        this.#gate = this.#gateOver(leaves);
        this.#settling = null;
        return done;
      }
      leaves.push(next.value.leaf);
    }
    return most;
  }

  async sign(sign: (gate: GateRoot) => Promise<SignedGateRoot>): Promise<SignedGateRoot | null> {
    if (this.#gate === null) return null;
    this.#signed ??= await sign(this.#gate);
    return this.#signed;
  }

  /** Made anew for everybody who asks, and not in one go: the market goes on meanwhile. */
  async artefact(signed: SignedGateRoot, viewer: MemberId | null): Promise<ClearingArtefact> {
    const commands: Part<LoggedCommand>[] = [];
    for (const command of this.#settled()) {
      if (commands.push(this.#commandPart(command, viewer)) % AT_ONCE === 0) await turn();
    }
    const { result, hidden } = this.#result();
    const trades = viewer === null ? result.trades : { leaf: toHex(hidden) };
    return {
      schema: ARTEFACT_SCHEMA,
      viewer,
      ...signed,
      rules: this.#clearingRules(),
      members: this.#beginning.opening.members.map((member) => memberPart(member, viewer)),
      changes: this.#changes.map((member) => memberPart(member, viewer)),
      commands,
      result: { ...result, trades },
    };
  }

  /** Everything that the journal would be needed for. */
  flatten(pool: MemberPool): { readonly flat: FlatLog; readonly tape: Uint8Array } {
    const { engineVersion, opened, rules, opening } = this.#beginning;
    const flat = {
      ...{ engineVersion, opened, rules, opening: pool.openingOf(opening) },
      changes: this.#changes.map((member) => pool.placeOf(member)),
      ...{ halts: this.#halts, chain: toHex(this.#chain), gate: this.#gate },
    };
    return { flat, tape: this.#tape.bytes };
  }

  *#settled(): Generator<SettledCommand> {
    const { book } = this.#afterGate();
    const { hasher } = this.#parts;
    let previous = this.#start;
    for (const command of this.#tape.commands()) {
      const { kind, sequence, member, clientOrderId, reserved, receipt } = command;
      const key = kind === 'order' ? { member, clientOrderId } : null;
      const outcome = { reserved: kind === 'order' ? reserved : null, ...outcomeOf(book, sequence, key) };
      const salt = saltOf(this.#secret, 'command', sequence, hasher);
      yield { command, previous, outcome, salt, leaf: commandLeaf(receipt, outcome, salt, hasher) };
      previous = receipt;
    }
  }

  #gateOver(leaves: readonly Uint8Array[]): GateRoot {
    const { hasher, market } = this.#parts;
    const { sequence } = this.#afterGate();
    const { opening, rules } = this.#beginning;
    const { result, hidden } = this.#result();
    const changes = this.#changes.map(({ leaf }) => leaf);
    return {
      ...{ market, product: rules.product, sequence, commands: leaves.length },
      log: toHex(merkleRoot(leaves, hasher)),
      rules: toHex(rulesHash(this.#clearingRules(), hasher)),
      members: toHex(membersHash(opening.hash, changes, hasher)),
      result: toHex(resultHash(result, hidden, hasher)),
    };
  }

  #result() {
    const { book, sequence } = this.#afterGate();
    const { hasher } = this.#parts;
    const list = tradesOf(book);
    const salt = saltOf(this.#secret, 'trades', sequence, hasher);
    const volume = list.reduce((sum, { energy }) => sum + energy, 0);
    const result = { prices: book.clearingPrices(), volume, trades: { salt: toHex(salt), list } };
    return { result, hidden: tradesHash(list, salt, hasher) };
  }

  #afterGate(): { readonly sequence: number; readonly book: Book } {
    assert(this.#closed !== null, 'the gate is open');
    return this.#closed;
  }

  #clearingRules(): ClearingRules {
    const { engineVersion, opened, rules } = this.#beginning;
    return { engineVersion, opened, halts: this.#halts, product: rules };
  }

  #commandPart(settled: SettledCommand, viewer: MemberId | null): Part<LoggedCommand> {
    const { command, previous, outcome, salt, leaf } = settled;
    if (viewer !== null && viewer !== this.#members.idOf(command.member)) return { leaf: toHex(leaf) };
    const { sequence, verdict } = command;
    return {
      ...{ sequence, verdict, record: toHex(command.record), previous: toHex(previous) },
      ...outcome,
      salt: toHex(salt),
    };
  }
}
