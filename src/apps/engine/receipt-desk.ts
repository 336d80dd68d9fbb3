import { setTimeout as pause, setImmediate as turn } from 'node:timers/promises';
import type { SignedReceipt } from '../../domain/proof/receipt.ts';
import type { EpochMs } from '../../domain/units/time.ts';
import type { SignedGateRoot } from './product-log-book.ts';
import type { ReceiptBook } from './receipt-book.ts';

export interface ReceiptDeskParts {
  readonly book: ReceiptBook;
  onReceipts(receipts: readonly SignedReceipt[]): void;
  onGate(root: SignedGateRoot): void;
  /** The dispute window of the product is over. */
  onForgotten(product: EpochMs): void;
  /** The engine can't go on. */
  onBug(error: unknown): void;
}

/** Commands hashed in one go: orders that come in meanwhile wait for a few milliseconds at most. */
const AT_ONCE = 128;
/** A signature takes as long as ten orders, so there are at most so many in a second. */
const BETWEEN_SEALS_MS = 5;
/** Under a load that leaves no pause, so many receipts are not held back for more to come. */
const MOST_UNSEALED = 1024;

/**
 * Writes, seals and hands out the receipts of what the engine has answered already: nobody's answer waits for them. What
 * one group commit brought is sealed together; under load, the commits that came in meanwhile as well.
 */
export class ReceiptDesk {
  readonly #parts: ReceiptDeskParts;
  readonly #rooted: Set<EpochMs>;
  /** Gates that have closed and wait for their root. */
  readonly #gates = new Map<EpochMs, PromiseWithResolvers<void>>();
  #working: Promise<void> | null = null;

  constructor(parts: ReceiptDeskParts) {
    this.#parts = parts;
    this.#rooted = new Set(parts.book.products);
  }

  /** A command was applied and answered. */
  noticed(): void {
    this.#working ??= this.#work().catch((error: unknown) => this.#parts.onBug(error));
  }

  /** The interval is complete: what the book has forgotten with it is not told any more. */
  completed(): void {
    const known = new Set(this.#parts.book.products);
    const forgotten = [...this.#rooted].filter((product) => !known.has(product));
    for (const product of forgotten) {
      this.#rooted.delete(product);
      this.#parts.onForgotten(product);
    }
  }

  /** Resolves when the root of a product whose gate has closed is signed and told; at once where there is none. */
  async gate(product: EpochMs): Promise<void> {
    const { book, onGate } = this.#parts;
    if (book.isSettling(product)) {
      const waiting = this.#gates.get(product) ?? Promise.withResolvers<void>();
      this.#gates.set(product, waiting);
      this.noticed();
      await waiting.promise;
    }
    const root = await book.gateRoot(product);
    if (root === null) return;
    this.#rooted.add(product);
    onGate(root);
  }

  /** Says every root again that can still be disputed. */
  async sayRoots(): Promise<void> {
    for (const product of this.#parts.book.products) {
      const root = await this.#parts.book.gateRoot(product);
      if (root !== null) this.#parts.onGate(root);
    }
  }

  /** Resolves when everything that was answered has its receipt. */
  async close(): Promise<void> {
    await this.#working;
  }

  async #work(): Promise<void> {
    const { book } = this.#parts;
    do {
      await turn();
      const isDone = book.work(AT_ONCE);
      this.#tellGates();
      if (isDone || book.unsealed >= MOST_UNSEALED) await this.#seal();
    } while (!book.work(0));
    this.#working = null;
  }

  async #seal(): Promise<void> {
    const receipts = await this.#parts.book.seal();
    if (receipts.length === 0) return;
    this.#parts.onReceipts(receipts);
    await pause(BETWEEN_SEALS_MS);
  }

  #tellGates(): void {
    for (const [product, waiting] of this.#gates) {
      if (this.#parts.book.isSettling(product)) continue;
      this.#gates.delete(product);
      waiting.resolve();
    }
  }
}
