import { demoOrderKey } from '../../src/adapters/keys/demo-keys.ts';
import { signCancel, signOrder } from '../../src/adapters/keys/order-signatures.ts';
import { addressOf, keccakHasher, signDigest } from '../../src/adapters/keys/secp256k1-signer.ts';
import { verifyTools } from '../../src/apps/cli/verify-tools.ts';
import { ReceiptBook, type ReceiptBookParts } from '../../src/apps/engine/receipt-book.ts';
import { ReceiptFeed } from '../../src/apps/engine/receipt-feed.ts';
import { applyCommand } from '../../src/domain/engine/apply-command.ts';
import type { Command, MarketTerms, OrderCommand } from '../../src/domain/engine/command.ts';
import { encodeCommand } from '../../src/domain/engine/command-record.ts';
import { restoreState, snapshotState } from '../../src/domain/engine/snapshot.ts';
import { type EngineState, newEngineState } from '../../src/domain/engine/state.ts';
import type { VerdictName } from '../../src/domain/market/verdict.ts';
import type { ClearingArtefact } from '../../src/domain/proof/clearing-artefact.ts';
import type { SignedReceipt } from '../../src/domain/proof/receipt.ts';
import type { VerifyTools } from '../../src/domain/proof/verify-clearing.ts';
import type { Wh } from '../../src/domain/units/energy.ts';
import type { MarketId, MemberId } from '../../src/domain/units/identity.ts';
import type { Watt } from '../../src/domain/units/power.ts';
import type { PricePerKwh } from '../../src/domain/units/price.ts';
import type { EpochMs } from '../../src/domain/units/time.ts';

export const CHAIN_ID = 31_337;
export const LENGTH = 900_000;
export const PRODUCT = (LENGTH * 2_000_000) as EpochMs;
export const OTHER_PRODUCT = (PRODUCT + LENGTH) as EpochMs;
export const MARKET = 'elm' as MarketId;
export const TARIFF = { importPrice: 300_000 as PricePerKwh, exportPrice: 80_000 as PricePerKwh };
const SEED = 7;
const ENGINE_KEY = demoOrderKey(SEED, 'engine');
export const ENGINE = addressOf(ENGINE_KEY);

export function member(number: number): MemberId {
  return `home-${String(number).padStart(2, '0')}` as MemberId;
}

export function key(id: string): Uint8Array {
  return demoOrderKey(SEED, id);
}

export function terms(members: number, more: Partial<MarketTerms> = {}): MarketTerms {
  return {
    market: MARKET,
    lengthMs: LENGTH,
    mechanism: 'call',
    rationing: 'pro-rata',
    tick: 100,
    lookAheadMs: 240 * 60_000,
    gateLeadMs: 5 * 60_000,
    imbalanceWeightPermille: 500,
    members: Array.from({ length: members }, (_, number) => ({
      id: member(number),
      address: addressOf(key(member(number))),
      exportCapability: 8000 as Watt,
      connectionPower: 40_000 as Watt,
    })),
    disputeIntervals: 96,
    ...more,
  };
}

export interface Wish {
  readonly member: number;
  readonly clientOrderId: number;
  readonly side: 'buy' | 'sell';
  readonly limit: number;
  readonly energy: number;
  readonly type?: OrderCommand['orderType'];
  readonly replaces?: number;
  readonly clockOffMs?: number;
  readonly product?: EpochMs;
}

export const RECEIPT_PARTS: ReceiptBookParts = {
  ...{ market: MARKET, chainId: CHAIN_ID, engine: ENGINE, engineVersion: 2, hasher: keccakHasher },
  secret: keccakHasher.keccak256(ENGINE_KEY),
  sign: async (digest) => signDigest(ENGINE_KEY, digest),
};

/** The engine's state machine with its receipt book: what the engine does, without its doors. */
export class ProofMarket {
  readonly state: EngineState;
  readonly book: ReceiptBook;
  readonly receipts: SignedReceipt[] = [];
  readonly records: { command: Command; record: Uint8Array }[] = [];
  readonly #feed: ReceiptFeed;
  #at = PRODUCT - 60 * 60_000;

  constructor(state: EngineState = newEngineState(), book: ReceiptBook = new ReceiptBook(RECEIPT_PARTS)) {
    this.state = state;
    this.book = book;
    this.#feed = new ReceiptFeed(book, state);
    this.#at = Math.max(this.#at, state.now);
  }

  /** The same market in another life, from snapshots alone. */
  reborn(): ProofMarket {
    const state = restoreState(snapshotState(this.state));
    if (state === null) throw new Error('a snapshot of another version');
    const bookOf = (product: EpochMs) => state.products.get(product)?.book ?? null;
    const book = ReceiptBook.restore(RECEIPT_PARTS, this.book.snapshot(), bookOf);
    if (typeof book === 'string') throw new Error(book);
    return new ProofMarket(state, book);
  }

  apply(draft: Command): VerdictName | null {
    this.#at += 1;
    const command = { ...draft, at: this.#at as EpochMs };
    const record = encodeCommand(command, this.state.members);
    this.records.push({ command, record });
    const reserved = this.#feed.reservedBefore(command);
    const events = applyCommand(this.state, command);
    const answer = events.find((event) => event.type === 'answered');
    const verdict = answer?.type === 'answered' ? answer.verdict.code : null;
    this.#feed.take(command, record, reserved, verdict);
    return verdict;
  }

  start(market: MarketTerms, ...products: EpochMs[]): this {
    this.apply({ type: 'terms', at: 0 as EpochMs, terms: market });
    for (const product of products) this.apply({ type: 'open', at: 0 as EpochMs, product, tariff: TARIFF });
    return this;
  }

  order(wish: Wish): VerdictName | null {
    return this.apply(signedOrder(wish));
  }

  cancel(number: number, clientOrderId: number, product = PRODUCT): VerdictName | null {
    const orderKey = { market: MARKET, product, member: member(number), clientOrderId };
    const signature = signCancel(CHAIN_ID, orderKey, key(member(number)));
    return this.apply({ type: 'cancel', at: 0 as EpochMs, product, member: member(number), clientOrderId, signature });
  }

  /** The end of a group commit. */
  async seal(): Promise<void> {
    this.book.work();
    this.receipts.push(...(await this.book.seal()));
  }

  async close(product = PRODUCT): Promise<ClearingArtefact> {
    this.apply({ type: 'close', at: 0 as EpochMs, product });
    await this.seal();
    return this.artefact(null, product);
  }

  async artefact(viewer: MemberId | null, product = PRODUCT): Promise<ClearingArtefact> {
    const artefact = await this.book.artefact(product, viewer);
    if (artefact === null) throw new Error('there is no root yet');
    return JSON.parse(JSON.stringify(artefact)) as ClearingArtefact;
  }
}

export function signedOrder(wish: Wish): OrderCommand {
  const { member: number, clientOrderId, side, type: orderType = 'limit', clockOffMs = 0, product = PRODUCT } = wish;
  const id = member(number);
  const content = { side, limit: wish.limit as PricePerKwh, energy: wish.energy as Wh };
  const replaces = wish.replaces === undefined ? {} : { replaces: wish.replaces };
  const orderKey = { market: MARKET, product, member: id, clientOrderId };
  const signature = signOrder(CHAIN_ID, { ...orderKey, type: orderType, ...content, ...replaces }, key(id));
  const named = { product, member: id, clientOrderId, orderType, ...content, ...replaces };
  return { type: 'order', at: 0 as EpochMs, ...named, clockOffMs, signature };
}

/** Verifies a signature once: an artefact that is changed byte by byte has mostly the same ones. */
export function rememberingTools(book: 'engine' | 'twin' = 'twin'): VerifyTools {
  const tools = verifyTools(book);
  const signers = new Map<string, string | null>();
  const remembered = (name: string, find: () => string | null) => {
    if (!signers.has(name)) signers.set(name, find());
    return signers.get(name) ?? null;
  };
  return {
    ...tools,
    signer: (...command) => remembered(JSON.stringify(command), () => tools.signer(...command)),
    recover: (digest, signature) => {
      const name = Buffer.concat([digest, signature]).toString('hex');
      return remembered(name, () => tools.recover(digest, signature));
    },
  };
}
