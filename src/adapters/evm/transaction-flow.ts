import { type Hex, keccak256 } from 'viem';
import { Fault } from '../../errors/fault.ts';
import type { Call, LedgerNode, Receipt } from './ledger-node.ts';
import type { ChainIdentity, Outbox, TransactionKind, TransactionRow } from './outbox.ts';

/** At most so many unmined transactions at once. */
export const WINDOW = 32;
const REBROADCAST_MS = 2_000;

/** Signs one transaction with a key that stays where it is. A viem local account is one. */
export interface SettlementAccount {
  readonly address: Hex;
  signTransaction(transaction: UnsignedTransaction): Promise<Hex>;
}

export interface UnsignedTransaction {
  readonly type: 'eip1559';
  readonly chainId: number;
  readonly nonce: number;
  readonly to: Hex | null;
  readonly data: Hex;
  readonly gas: bigint;
  readonly maxFeePerGas: bigint;
  readonly maxPriorityFeePerGas: bigint;
}

/** Every point at which a crash leaves another state. */
export type SenderStep = 'journaled' | `${TransactionKind}-${'signed' | 'sent'}` | 'mined' | 'final';

/** Where the chain stands for the settler: its next unspent nonce and the fee. */
export interface Account {
  readonly spent: number;
  readonly baseFee: bigint;
}

export interface FlowOptions {
  readonly chainId: number;
  readonly account: SettlementAccount;
  readonly onStep: (step: SenderStep) => void;
  readonly onNotice: (fault: Fault) => void;
  /** The nonce was spent: by these bytes with that receipt, or (null) by a stranger. */
  readonly onSpent: (row: TransactionRow, receipt: Receipt | null) => void;
}

/**
 * The signed transactions between outbox and chain. The signed bytes are kept before they are sent; while their nonce
 * is unspent they are sent again and again, and never are others signed in their place.
 */
export class TransactionFlow {
  readonly #node: LedgerNode;
  readonly #outbox: Outbox;
  readonly #options: FlowOptions;
  /** When this process last sent these bytes, monotonic ms. */
  readonly #sentAt = new Map<Hex, number>();

  constructor(node: LedgerNode, outbox: Outbox, options: FlowOptions) {
    this.#node = node;
    this.#outbox = outbox;
    this.#options = options;
  }

  /** Mined transactions whose nonce is unspent again are under way again. Returns how many. */
  reopenUnspent(spent: number): number {
    const reopened = this.#outbox.reopen(spent);
    if (reopened > 0) this.#sentAt.clear();
    return reopened;
  }

  isUnderWay(kind: TransactionKind): boolean {
    return this.#outbox.openTransactions().some((row) => row.kind === kind);
  }

  /** An unspent nonce: the same bytes again, never others. A spent one: what became of it? */
  async follow(spent: number): Promise<void> {
    for (const row of this.#outbox.openTransactions()) {
      if (row.nonce < spent) await this.#resolve(row);
      else if (row.nonce < spent + WINDOW) await this.#send(row);
    }
  }

  /** The lowest nonce that nothing of ours may still spend: it fills gaps. Null where the window is full. */
  freeNonce(spent: number): number | null {
    const taken = new Set(this.#outbox.openTransactions().map(({ nonce }) => nonce));
    for (let nonce = spent; nonce < spent + WINDOW; nonce += 1) if (!taken.has(nonce)) return nonce;
    return null;
  }

  /** Signs, keeps, sends. `identity` is what a deployment makes known. */
  async submit(
    order: { kind: TransactionKind; nonce: number; settlement: number | null; call: Call; gas: bigint },
    account: Account,
    identity: ChainIdentity | null = null,
  ): Promise<void> {
    const { kind, nonce, settlement, call, gas } = order;
    const raw = await this.#options.account.signTransaction({
      type: 'eip1559',
      chainId: this.#options.chainId,
      nonce,
      to: call.to ?? null,
      data: call.data,
      gas,
      maxFeePerGas: account.baseFee * 10n, // nothing is signed twice, so a rise of the fee must not strand it
      maxPriorityFeePerGas: 0n,
    });
    const row: TransactionRow = { hash: keccak256(raw), nonce, raw, kind, settlement, state: 'OPEN' };
    this.#outbox.sign(row, identity);
    this.#options.onStep(`${kind}-signed`);
    await this.#send(row);
  }

  async #send(row: TransactionRow): Promise<void> {
    const now = performance.now();
    if (now - (this.#sentAt.get(row.hash) ?? Number.NEGATIVE_INFINITY) < REBROADCAST_MS) return;
    const { sent, refusal } = await this.#node.broadcast(row.raw);
    this.#options.onStep(`${row.kind}-sent`);
    if (!sent) return;
    this.#sentAt.set(row.hash, now);
    if (refusal !== null) this.#notice('LEDGER_REJECTED', `the node does not take nonce ${row.nonce}: ${refusal}`);
    else if (row.settlement !== null) this.#outbox.setBroadcast(row.settlement);
  }

  async #resolve(row: TransactionRow): Promise<void> {
    const receipt = await this.#node.receipt(row.hash);
    this.#sentAt.delete(row.hash);
    if (receipt === null) this.#notice('NONCE_TOO_LOW', `nonce ${row.nonce} was spent on a transaction not ours`);
    this.#outbox.setTransaction(row.hash, receipt?.succeeded ? 'MINED' : 'CLOSED');
    this.#options.onSpent(row, receipt);
  }

  #notice(code: 'NONCE_TOO_LOW' | 'LEDGER_REJECTED', message: string): void {
    this.#options.onNotice(new Fault(code, message));
  }
}
