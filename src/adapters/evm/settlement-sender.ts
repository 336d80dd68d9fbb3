import { type Hex, keccak256 } from 'viem';
import { assert } from '../../domain/units/assert.ts';
import { Fault } from '../../errors/fault.ts';
import type { Deployment } from './deployment.ts';
import { RpcRefusal } from './json-rpc.ts';
import type { Block, Call, LedgerNode } from './ledger-node.ts';
import type { Outbox, SettlementRow, TransactionKind, TransactionRow } from './outbox.ts';
import { type ChunkContent, parseContent, payloadOf } from './settlement-content.ts';
import { contractFault, type SettlementContract } from './settlement-contract.ts';

/** At most so many unmined transactions at once. */
const WINDOW = 32;
const REBROADCAST_MS = 2_000;
const AUDIT_PAGE = 500;
const REGISTER_PAGE = 200;
/** Beyond the estimate: the chunk may turn out to be the one that finalizes its interval. */
const SPARE_GAS = 200_000n;

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

export interface SenderOptions {
  readonly chainId: number;
  readonly confirmations: number;
  readonly onStep: (step: SenderStep) => void;
  readonly onNotice: (fault: Fault) => void;
  /** A settlement became FINAL or REJECTED. */
  readonly onDone: (row: SettlementRow) => void;
}

/** Where the chain stands. */
interface Head extends Block {
  readonly spent: number;
}

/**
 * Brings what the outbox keeps onto the chain, each settlement once. It knows nothing that the outbox and the chain do
 * not tell; so a `round` may follow upon anything: a crash, a lost answer, a chain that went back.
 */
export class SettlementSender {
  readonly #node: LedgerNode;
  readonly #outbox: Outbox;
  readonly #deployment: Deployment;
  readonly #account: SettlementAccount;
  readonly #options: SenderOptions;
  /** When this process last sent these bytes, monotonic ms. */
  readonly #sentAt = new Map<Hex, number>();
  #lastHead: Head | null = null;
  /** False: the chain may not be the one we knew, so everything mined is compared with it first. */
  #trusted = false;
  #lost = 0;

  constructor(
    node: LedgerNode,
    outbox: Outbox,
    deployment: Deployment,
    account: SettlementAccount,
    options: SenderOptions,
  ) {
    this.#node = node;
    this.#outbox = outbox;
    this.#deployment = deployment;
    this.#account = account;
    this.#options = options;
  }

  /** Transactions and settlements that a chain had and lost, found since the start. */
  get lost(): number {
    return this.#lost + this.#deployment.lost;
  }

  /** True once the chain is known and everything mined was found on it. */
  get trusted(): boolean {
    return this.#trusted;
  }

  distrust(): void {
    this.#trusted = false;
  }

  /** One look at the chain and everything that follows from it. @throws Fault LEDGER_UNREACHABLE, LEDGER_CHAIN_CHANGED */
  async round(): Promise<void> {
    const head = await this.#look();
    if (!this.#trusted) await this.#deployment.identify();
    if (this.#reopenUnspent(head)) await this.#deployment.identify();
    await this.#followTransactions(head);
    const contract = await this.#deployment.contract();
    if (contract === null) return await this.#deploy(head);
    if (!this.#trusted) await this.#audit(contract, head);
    await this.#confirm(contract, head);
    await this.#register(head);
    await this.#settleNew(contract, head);
  }

  async #look(): Promise<Head> {
    const block = await this.#node.block('latest');
    if (block === null) throw new Fault('LEDGER_UNREACHABLE', 'the node has no block yet');
    const spent = await this.#node.spentNonces();
    if (await this.#wentBack(block, spent)) {
      this.#trusted = false;
      this.#notice('STALE_STATE', `the chain went back to block ${block.number}`);
    }
    this.#lastHead = { ...block, spent };
    return this.#lastHead;
  }

  async #wentBack(block: Block, spent: number): Promise<boolean> {
    const last = this.#lastHead;
    if (last === null || (last.number === block.number && last.hash === block.hash)) return false;
    if (block.number <= last.number || spent < last.spent) return true;
    return (await this.#node.block(last.number))?.hash !== last.hash;
  }

  /** A nonce of a mined transaction that is unspent now tells of a reorganisation that the head may hide. */
  #reopenUnspent(head: Head): boolean {
    const reopened = this.#outbox.reopen(head.spent);
    if (reopened === 0) return false;
    this.#trusted = false;
    this.#lost += reopened;
    this.#sentAt.clear();
    return true;
  }

  // -------------------------------------------------------------------------------------------- transactions in flight

  /** An unspent nonce: the same bytes again, never others. A spent one: what became of it? */
  async #followTransactions(head: Head): Promise<void> {
    for (const row of this.#outbox.openTransactions()) {
      if (row.nonce < head.spent) await this.#resolveSpent(row);
      else if (row.nonce < head.spent + WINDOW) await this.#send(row);
    }
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

  async #resolveSpent(row: TransactionRow): Promise<void> {
    this.#sentAt.delete(row.hash);
    const receipt = await this.#node.receipt(row.hash);
    const settlement = row.settlement === null ? null : this.#outbox.settlement(row.settlement);
    if (receipt?.succeeded) {
      this.#outbox.setTransaction(row.hash, 'MINED');
      if (settlement !== null) this.#mined(settlement, receipt.block, row.hash);
      return;
    }
    if (receipt === null)
      this.#notice('NONCE_TOO_LOW', `nonce ${row.nonce} was spent on a transaction that is not ours`);
    this.#outbox.setTransaction(row.hash, 'CLOSED');
    // Reverted or stolen: the next signature asks the contract first, and learns there whether and why it refuses.
    if (settlement !== null) this.#outbox.setNew(settlement.id);
  }

  #mined(row: SettlementRow, block: number, transaction: Hex): void {
    this.#outbox.setMined(row.id, block, transaction);
    this.#options.onStep('mined');
  }

  // -------------------------------------------------------------------------------------------- what is mined

  /** FINAL only when deep enough and the contract itself says so. */
  async #confirm(contract: SettlementContract, head: Head): Promise<void> {
    for (const row of this.#outbox.inState('MINED', AUDIT_PAGE)) {
      if (row.block === null || head.number - row.block + 1 < this.#options.confirmations) continue;
      const settled = await contract.settled(row.market, row.start, row.chunk);
      if (settled?.payloadHash !== row.payload_hash) {
        this.#outbox.setNew(row.id);
        continue;
      }
      this.#outbox.setFinal(row.id);
      this.#options.onStep('final');
      this.#done(row.id);
    }
  }

  /** Every settlement ever mined is looked for on this chain; what it lost goes back into the queue. */
  async #audit(contract: SettlementContract, head: Head): Promise<void> {
    let afterId = 0;
    for (;;) {
      const rows = this.#outbox.mined(afterId, AUDIT_PAGE);
      const last = rows.at(-1);
      if (last === undefined) break;
      await this.#auditPage(contract, rows);
      afterId = last.id;
    }
    this.#trusted = this.#lastHead === head;
  }

  async #auditPage(contract: SettlementContract, rows: readonly SettlementRow[]): Promise<void> {
    for (const market of new Set(rows.map((row) => row.market))) {
      const ofMarket = rows.filter((row) => row.market === market);
      const found = await contract.settledMany(market, ofMarket);
      ofMarket.forEach((row, at) => {
        if (found[at]?.payloadHash === row.payload_hash) return;
        this.#lost += 1;
        this.#outbox.setNew(row.id);
      });
    }
  }

  // -------------------------------------------------------------------------------------------- new transactions

  async #deploy(head: Head): Promise<void> {
    if (this.#outbox.openTransactions().some(({ kind }) => kind === 'deploy')) return;
    const nonce = this.#freeNonce(head);
    if (nonce === null) return;
    const data = this.#deployment.creationData();
    const raw = await this.#sign(head, nonce, { data }, await this.#node.gasFor({ data }));
    const identity = await this.#deployment.identityAt(nonce);
    await this.#keepAndSend({ kind: 'deploy', nonce, raw, settlement: null }, identity);
  }

  /** Numbers for members the chain does not know yet. One such transaction at a time, so that numbers have no gaps. */
  async #register(head: Head): Promise<void> {
    if (this.#outbox.openTransactions().some(({ kind }) => kind === 'register')) return;
    const call = await this.#deployment.registration(REGISTER_PAGE);
    const nonce = this.#freeNonce(head);
    if (call === null || nonce === null) return;
    const raw = await this.#sign(head, nonce, call, (await this.#node.gasFor(call)) + SPARE_GAS);
    await this.#keepAndSend({ kind: 'register', nonce, raw, settlement: null }, null);
  }

  async #settleNew(contract: SettlementContract, head: Head): Promise<void> {
    for (const row of this.#outbox.inState('NEW', WINDOW)) {
      const nonce = this.#freeNonce(head);
      if (nonce === null) return;
      const content = parseContent(row.content);
      const numbers = this.#deployment.numbersOf(content.parties.map(({ member }) => member));
      // Registered in the next round; what comes later may only concern known members and need not wait.
      if (numbers === null) continue;
      await this.#settleOne(contract, head, nonce, row, content, numbers);
    }
    // Members first seen in this round.
    await this.#register(head);
  }

  async #settleOne(
    contract: SettlementContract,
    head: Head,
    nonce: number,
    row: SettlementRow,
    content: ChunkContent,
    numbers: ReadonlyMap<string, number>,
  ): Promise<void> {
    const { callData, payloadHash } = payloadOf(content, (member) => {
      const number = numbers.get(member);
      assert(number !== undefined, `${member} has a number`);
      return number;
    });
    this.#outbox.setPayloadHash(row.id, payloadHash);
    const settled = await contract.settled(row.market, row.start, row.chunk);
    if (settled?.payloadHash === payloadHash) {
      const transaction = await contract.transactionOf(row.market, row.start, row.chunk, settled.block);
      return this.#mined(row, settled.block, transaction);
    }
    const call = { to: contract.address, data: callData };
    const gas = await this.#gasOrRefusal(call);
    if (gas instanceof Fault) return this.#reject(row, gas);
    const raw = await this.#sign(head, nonce, call, gas + SPARE_GAS);
    await this.#keepAndSend({ kind: 'settle', nonce, raw, settlement: row.id }, null);
  }

  /** The contract is asked before a nonce is spent: what it refuses is never signed. */
  async #gasOrRefusal(call: Call): Promise<bigint | Fault> {
    try {
      return await this.#node.gasFor(call);
    } catch (error) {
      const fault = error instanceof RpcRefusal ? contractFault(error) : null;
      if (fault === null) throw error;
      return fault;
    }
  }

  #reject(row: SettlementRow, fault: Fault): void {
    this.#outbox.setRejected(row.id, fault.code, fault.message);
    this.#done(row.id);
  }

  #done(id: number): void {
    const row = this.#outbox.settlement(id);
    assert(row !== null, 'a settlement is never deleted');
    this.#options.onDone(row);
  }

  /** The lowest nonce that nothing of ours may still spend: it fills gaps. Null where the window is full. */
  #freeNonce(head: Head): number | null {
    const taken = new Set(this.#outbox.openTransactions().map(({ nonce }) => nonce));
    for (let nonce = head.spent; nonce < head.spent + WINDOW; nonce += 1) if (!taken.has(nonce)) return nonce;
    return null;
  }

  #sign(head: Head, nonce: number, call: Call, gas: bigint): Promise<Hex> {
    return this.#account.signTransaction({
      type: 'eip1559',
      chainId: this.#options.chainId,
      nonce,
      to: call.to ?? null,
      data: call.data,
      gas,
      maxFeePerGas: head.baseFee * 10n, // nothing is signed twice, so a rise of the fee must not strand it
      maxPriorityFeePerGas: 0n,
    });
  }

  async #keepAndSend(
    signed: { kind: TransactionKind; nonce: number; raw: Hex; settlement: number | null },
    identity: Parameters<Outbox['sign']>[1],
  ): Promise<void> {
    const row: TransactionRow = { ...signed, hash: keccak256(signed.raw), state: 'OPEN' };
    this.#outbox.sign(row, identity);
    this.#options.onStep(`${row.kind}-signed`);
    await this.#send(row);
  }

  #notice(code: 'STALE_STATE' | 'NONCE_TOO_LOW' | 'LEDGER_REJECTED', message: string): void {
    this.#options.onNotice(new Fault(code, message));
  }
}
