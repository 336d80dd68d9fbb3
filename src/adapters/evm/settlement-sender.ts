import { assert } from '../../domain/units/assert.ts';
import { Fault } from '../../errors/fault.ts';
import type { Deployment } from './deployment.ts';
import { RpcRefusal } from './json-rpc.ts';
import type { Block, Call, LedgerNode } from './ledger-node.ts';
import type { Outbox, SettlementRow } from './outbox.ts';
import { type ChunkContent, parseContent, payloadOf } from './settlement-content.ts';
import { contractFault, type SettlementContract } from './settlement-contract.ts';
import { type SenderStep, type SettlementAccount, TransactionFlow, WINDOW } from './transaction-flow.ts';

const AUDIT_PAGE = 500;
const REGISTER_PAGE = 200;
/** Beyond the estimate: the chunk may turn out to be the one that finalizes its interval. */
const SPARE_GAS = 200_000n;

export interface SenderOptions {
  readonly chainId: number;
  readonly account: SettlementAccount;
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
  readonly #flow: TransactionFlow;
  readonly #options: SenderOptions;
  #lastHead: Head | null = null;
  /** False: the chain may not be the one we knew, so everything mined is compared with it first. */
  #trusted = false;
  #lost = 0;

  constructor(node: LedgerNode, outbox: Outbox, deployment: Deployment, options: SenderOptions) {
    this.#node = node;
    this.#outbox = outbox;
    this.#deployment = deployment;
    this.#options = options;
    const { chainId, account, onStep, onNotice } = options;
    this.#flow = new TransactionFlow(node, outbox, {
      ...{ chainId, account, onStep, onNotice },
      onSpent: (row, receipt) => {
        if (row.kind === 'deploy' && !receipt?.succeeded) outbox.forgetIdentity();
        if (row.settlement === null) return;
        if (receipt?.succeeded) this.#mined(row.settlement, receipt.block, row.hash);
        // Reverted or stolen: the next signature asks the contract first, and learns there whether and why it refuses.
        else outbox.setNew(row.settlement);
      },
    });
  }

  /** Transactions and settlements that a chain had and lost, found since the start. */
  get lost(): number {
    return this.#lost + this.#deployment.lost;
  }

  /** The chain may have changed meanwhile: the next round compares everything mined with it. */
  distrust(): void {
    this.#trusted = false;
  }

  /** One look at the chain and everything that follows from it. @throws Fault LEDGER_UNREACHABLE, LEDGER_CHAIN_CHANGED */
  async round(): Promise<void> {
    const head = await this.#look();
    if (!this.#trusted) await this.#deployment.identify();
    if (this.#reopenUnspent(head)) await this.#deployment.identify();
    await this.#flow.follow(head.spent);
    const contract = await this.#deployment.contract();
    if (contract === null) return await this.#deploy(head);
    if (!this.#trusted) await this.#audit(contract);
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
      this.#options.onNotice(new Fault('STALE_STATE', `the chain went back to block ${block.number}`));
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

  /** A nonce of a mined transaction that is unspent now tells of a chain that went back, even where the head hides it. */
  #reopenUnspent(head: Head): boolean {
    const reopened = this.#flow.reopenUnspent(head.spent);
    if (reopened === 0) return false;
    this.#trusted = false;
    this.#lost += reopened;
    return true;
  }

  // -------------------------------------------------------------------------------------------- what is mined

  #mined(id: number, block: number, transaction: SettlementRow['tx_hash']): void {
    assert(transaction !== null, 'a mined settlement has a transaction');
    this.#outbox.setMined(id, block, transaction);
    this.#options.onStep('mined');
  }

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
  async #audit(contract: SettlementContract): Promise<void> {
    let afterId = 0;
    for (;;) {
      const rows = this.#outbox.mined(afterId, AUDIT_PAGE);
      const last = rows.at(-1);
      if (last === undefined) break;
      await this.#auditPage(contract, rows);
      afterId = last.id;
    }
    this.#trusted = true;
  }

  async #auditPage(contract: SettlementContract, rows: readonly SettlementRow[]): Promise<void> {
    for (const market of new Set(rows.map((row) => row.market))) {
      const ofMarket = rows.filter((row) => row.market === market);
      const found = await contract.settledMany(market, ofMarket);
      for (const [at, row] of ofMarket.entries()) {
        if (found[at]?.payloadHash === row.payload_hash) continue;
        this.#lost += 1;
        this.#outbox.setNew(row.id);
      }
    }
  }

  // -------------------------------------------------------------------------------------------- new transactions

  async #deploy(head: Head): Promise<void> {
    const nonce = this.#flow.freeNonce(head.spent);
    if (nonce === null || this.#flow.isUnderWay('deploy')) return;
    const call = { data: this.#deployment.creationData() };
    const gas = await this.#node.gasFor(call);
    const identity = await this.#deployment.identityAt(nonce);
    await this.#flow.submit({ kind: 'deploy', nonce, settlement: null, call, gas }, head, identity);
  }

  /** Numbers for members the chain does not know yet. One such transaction at a time, so that numbers have no gaps. */
  async #register(head: Head): Promise<void> {
    if (this.#flow.isUnderWay('register')) return;
    const call = await this.#deployment.registration(REGISTER_PAGE);
    const nonce = this.#flow.freeNonce(head.spent);
    if (call === null || nonce === null) return;
    const gas = (await this.#node.gasFor(call)) + SPARE_GAS;
    await this.#flow.submit({ kind: 'register', nonce, settlement: null, call, gas }, head);
  }

  async #settleNew(contract: SettlementContract, head: Head): Promise<void> {
    for (const row of this.#outbox.inState('NEW', WINDOW)) {
      const nonce = this.#flow.freeNonce(head.spent);
      if (nonce === null) return;
      const content = parseContent(row.content);
      const numbers = this.#deployment.numbersOf(content.parties.map(({ member }) => member));
      // Waits for its members to be registered; what comes after it need not wait.
      if (numbers !== null) await this.#settleOne(contract, head, nonce, row, content, numbers);
    }
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
    const { callData, payloadHash } = payloadOf(content, numbers);
    this.#outbox.setPayloadHash(row.id, payloadHash);
    const settled = await contract.settled(row.market, row.start, row.chunk);
    if (settled?.payloadHash === payloadHash) {
      const transaction = await contract.transactionOf(row.market, row.start, row.chunk, settled.block);
      return this.#mined(row.id, settled.block, transaction);
    }
    const call = { to: contract.address, data: callData };
    const gas = await this.#gasOrRefusal(call);
    if (gas instanceof Fault) return this.#reject(row, gas);
    await this.#flow.submit({ kind: 'settle', nonce, settlement: row.id, call, gas: gas + SPARE_GAS }, head);
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
}
