import { toHex } from '../../adapters/keys/hex.ts';
import type { Book, ProductRules } from '../../domain/market/book.ts';
import { fromHex, type Hex } from '../../domain/proof/canonical-bytes.ts';
import type { ClearingArtefact } from '../../domain/proof/clearing-artefact.ts';
import type { MemberState } from '../../domain/proof/gate-root.ts';
import { merkleTree } from '../../domain/proof/merkle-tree.ts';
import {
  chainStart,
  nextLink,
  type ReceiptContent,
  receiptHash,
  type SignedReceipt,
} from '../../domain/proof/receipt.ts';
import { gateRootDigest, type ReceiptHead, receiptHeadDigest } from '../../domain/proof/typed-statement.ts';
import { assert } from '../../domain/units/assert.ts';
import type { MemberId } from '../../domain/units/identity.ts';
import type { EpochMs } from '../../domain/units/time.ts';
import { MemberHistory } from './member-history.ts';
import { type DecidedCommand, ProductLogBook, type SignedGateRoot } from './product-log-book.ts';
import {
  decodeReceipts,
  encodeReceipts,
  MemberPool,
  placesIn,
  type ReceiptIdentity,
  type RestoredReceipts,
} from './receipt-snapshot.ts';

/**
 * `engine`: the account that `sign` signs for, lower-case hex. `secret`: 32 bytes that only the engine knows; the same
 * for as long as its products can be disputed.
 */
export interface ReceiptBookParts extends ReceiptIdentity {
  readonly engineVersion: number;
  readonly sign: (digest: Uint8Array) => Promise<Uint8Array>;
}

/** A command that waits for its receipt. `log`: of its product at that moment; null: it took no orders. */
interface Noted {
  readonly command: DecidedCommand;
  readonly log: ProductLogBook | null;
  readonly isLogged: boolean;
}

const ALL = Number.POSITIVE_INFINITY;

/**
 * The proof of what the engine did: a receipt for every command, a root for every product, and the artefact that shows
 * what the root was made of. Everything but the signatures depends on the journal alone, so a replay fills it again.
 * To note a command costs nothing; the hashing is done by `work`, in journal order, when nobody waits.
 */
export class ReceiptBook {
  readonly #parts: ReceiptBookParts;
  readonly #members: MemberHistory;
  readonly #logs = new Map<EpochMs, ProductLogBook>();
  /** Commands and, in their places among them, the logs whose gates have closed. */
  #waiting: (Noted | ProductLogBook)[] = [];
  #next = 0;
  /** The market's chain over all receipts. */
  #link: Uint8Array;
  /** Of the receipts for products that take no orders. */
  #stray: Uint8Array;
  /** Those since the last seal, and the chain before them. */
  #pending: { receipt: ReceiptContent; hash: Uint8Array }[] = [];
  #sealed: Uint8Array;

  constructor(parts: ReceiptBookParts, restored: RestoredReceipts | null = null) {
    this.#parts = parts;
    const now = restored?.openings[restored.now] ?? null;
    this.#members = new MemberHistory(parts, now, restored?.isMarketHalted);
    const start = chainStart(parts.market, null, parts.hasher);
    this.#stray = restored === null ? start : fromHex(restored.stray);
    this.#link = restored === null ? start : fromHex(restored.link);
    this.#sealed = this.#link;
  }

  /** The book as `snapshot` left it; a text says why that cannot be. `bookOf`: of a product that has not been forgotten. */
  static restore(
    parts: ReceiptBookParts,
    bytes: Uint8Array,
    bookOf: (product: EpochMs) => Book | null,
  ): ReceiptBook | string {
    const restored = decodeReceipts(bytes, parts);
    if (typeof restored === 'string') return restored;
    const receipts = new ReceiptBook(parts, restored);
    const problems = restored.logs.map((log) => receipts.#restoreLog(log, restored, bookOf));
    return problems.find((problem) => problem !== null) ?? receipts;
  }

  /** Equal books have equal bytes. What nobody has a receipt for yet is in it as if it had. */
  snapshot(): Uint8Array {
    this.work();
    const pool = new MemberPool();
    const flat = {
      ...{ link: toHex(this.#link), stray: toHex(this.#stray) },
      isMarketHalted: this.#members.isMarketHalted,
      now: pool.openingOf(this.#members.now()),
      logs: [...this.#logs.values()].map((log) => log.flatten(pool)),
    };
    return encodeReceipts(pool, flat, this.#parts);
  }

  /** The products whose dispute window is open, of those that took orders. */
  get products(): readonly EpochMs[] {
    return [...this.#logs.keys()];
  }

  /** Every member as it was last told, by number. */
  get members(): readonly MemberState[] {
    return this.#members.now().members.map(({ state }) => state);
  }

  /** Every member as it is after the command at `sequence`: of those that are new or other than before, note is taken. */
  setMembers(sequence: number, states: readonly Omit<MemberState, 'sequence'>[]): void {
    for (const changed of this.#members.set(sequence, states)) {
      for (const log of this.#logs.values()) log.change(changed);
    }
  }

  haltMarket(sequence: number, halted: boolean): void {
    this.#members.haltMarket(halted);
    for (const log of this.#logs.values()) log.haltMarket(sequence, halted);
  }

  /** A product that takes orders opens. */
  open(opened: number, rules: ProductRules): void {
    assert(!this.#logs.has(rules.product), `product ${rules.product} was opened before`);
    const halts = this.#members.isMarketHalted ? [{ sequence: opened, halted: true }] : [];
    const { engineVersion } = this.#parts;
    const opening = this.#members.now();
    const beginning = { engineVersion, opened, rules, opening, changes: [], halts };
    this.#logs.set(rules.product, new ProductLogBook(this.#parts, this.#members, beginning));
  }

  /** Takes note of a command, in journal order. Its record may be read until it was worked on. */
  record(command: DecidedCommand): void {
    const log = this.#logs.get(command.product) ?? null;
    this.#waiting.push({ command, log, isLogged: log?.isClosed === false });
  }

  /** The gate at `sequence` has closed `book`. */
  close(sequence: number, book: Book): void {
    const log = this.#logs.get(book.rules.product);
    assert(log !== undefined, `product ${book.rules.product} is not open`);
    log.close(sequence, book);
    this.#waiting.push(log);
  }

  /** Writes receipts and roots, in journal order; `most`: so many commands. True: there is nothing left to do. */
  work(most = ALL): boolean {
    let left = most;
    for (let job = this.#waiting[this.#next]; job !== undefined; job = this.#waiting[this.#next]) {
      if (left <= 0) return false;
      if (job instanceof ProductLogBook) {
        const done = job.settle(left);
        if (done === left) return false;
        left -= done;
      } else {
        this.#write(job);
        left -= 1;
      }
      this.#next += 1;
    }
    this.#waiting = [];
    this.#next = 0;
    return true;
  }

  /** How many receipts are written and not sealed. */
  get unsealed(): number {
    return this.#pending.length;
  }

  /** One signature for all receipts that were written since the last seal: after each group commit. In journal order. */
  async seal(): Promise<SignedReceipt[]> {
    const [pending, previous] = [this.#pending, this.#sealed];
    this.#pending = [];
    this.#sealed = this.#link;
    const first = pending[0];
    if (first === undefined) return [];
    const { market, chainId, hasher, sign } = this.#parts;
    const leaves = pending.map(({ hash }) => hash);
    const tree = merkleTree(leaves, hasher);
    const count = pending.length;
    const chain = { previous: toHex(previous), root: toHex(tree.root) };
    const head: ReceiptHead = { market, firstSequence: first.receipt.sequence, count, ...chain };
    const signature = toHex(await sign(receiptHeadDigest(chainId, head, hasher)));
    const text = textsOfHashes();
    return pending.map(({ receipt }, index) => ({
      receipt: { ...receipt, record: toHex(receipt.record), previous: toHex(receipt.previous) },
      ...{ index, count },
      path: tree.path(index).map(text),
      ...{ head, signature },
    }));
  }

  /** In a replay: what was recorded has been answered in another life and needs no signature. */
  passOver(): void {
    this.work();
    this.#pending = [];
    this.#sealed = this.#link;
  }

  /** Whether the gate has closed and its root is still to be worked out. */
  isSettling(product: EpochMs): boolean {
    const log = this.#logs.get(product);
    return log?.isClosed === true && log.gate === null;
  }

  /** Null before the gate, for products that took no orders, and after their dispute window. */
  async gateRoot(product: EpochMs): Promise<SignedGateRoot | null> {
    if (this.isSettling(product)) this.work();
    const { chainId, engine, hasher, sign } = this.#parts;
    const log = this.#logs.get(product);
    if (log === undefined) return null;
    return log.sign(async (gate) => {
      return { chainId, engine, gate, signature: toHex(await sign(gateRootDigest(chainId, gate, hasher))) };
    });
  }

  /** Everything for the operator (null), its own orders for a member. Null where there is no root. */
  async artefact(product: EpochMs, viewer: MemberId | null): Promise<ClearingArtefact | null> {
    const signed = await this.gateRoot(product);
    return signed === null ? null : (this.#logs.get(product)?.artefact(signed, viewer) ?? null);
  }

  /** The dispute window of the product is over. */
  forget(product: EpochMs): void {
    this.#logs.delete(product);
  }

  #write({ command, log, isLogged }: Noted): void {
    const { market, hasher } = this.#parts;
    const { product, sequence, memberId: member, verdict } = command;
    const hashes = { record: hasher.keccak256(command.record), previous: log?.chain ?? this.#stray };
    const receipt = { market, product, sequence, member, verdict, ...hashes };
    const hash = receiptHash(receipt, hasher);
    if (log === null) this.#stray = hash;
    else log.take(command, hash, isLogged);
    this.#link = nextLink(this.#link, hash, hasher);
    this.#pending.push({ receipt, hash });
  }

  #restoreLog(
    { flat, tape }: RestoredReceipts['logs'][number],
    { members, openings }: RestoredReceipts,
    bookOf: (product: EpochMs) => Book | null,
  ): string | null {
    const { rules, gate, chain, engineVersion, opened, halts } = flat;
    const opening = openings[flat.opening];
    const book = bookOf(rules.product);
    if (opening === undefined || book === null || book.isClosed !== (gate !== null)) return 'has other products';
    const changes = placesIn(members, flat.changes);
    const beginning = { engineVersion, opened, rules, opening, changes, halts, tape, chain };
    const log = new ProductLogBook(this.#parts, this.#members, beginning);
    if (gate !== null) log.close(gate.sequence, book, gate);
    this.#logs.set(rules.product, log);
    return null;
  }
}

/** Inner nodes are on many paths: each is written as text once. */
function textsOfHashes(): (hash: Uint8Array) => Hex {
  const texts = new Map<Uint8Array, Hex>();
  return (hash) => {
    const known = texts.get(hash) ?? toHex(hash);
    texts.set(hash, known);
    return known;
  };
}
