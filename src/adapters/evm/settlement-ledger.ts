import type { Hex } from 'viem';
import type { LedgerAccounts, LedgerReceipt, SettlementChunk, SettlementLedger } from '../../domain/ports.ts';
import type { MarketId, MemberId } from '../../domain/units/identity.ts';
import type { NanoTotal } from '../../domain/units/money.ts';
import type { EpochMs } from '../../domain/units/time.ts';
import { Fault, isFault } from '../../errors/fault.ts';
import { loadContractArtifact } from './contract-artifact.ts';
import { Deployment } from './deployment.ts';
import { openJsonRpc, RpcRefusal } from './json-rpc.ts';
import { LedgerNode } from './ledger-node.ts';
import { Outbox } from './outbox.ts';
import { contentOf, textOf } from './settlement-content.ts';
import type { SettlementContract } from './settlement-contract.ts';
import { SettlementSender } from './settlement-sender.ts';
import { nameOf, receiptOf, SettlementWaiters } from './settlement-waiters.ts';
import type { SenderStep, SettlementAccount } from './transaction-flow.ts';

export interface EvmLedgerOptions {
  readonly rpcUrl: string;
  readonly chainId: number;
  /** The SQLite file of the outbox. One process at a time. */
  readonly outboxPath: string;
  /** Where the compiled contract is kept. */
  readonly cacheFolder: string;
  /** The settlement key, used by nobody else. A viem local account fits. */
  readonly account: SettlementAccount;
  /** Blocks that make a settlement final, its own counted: 1 for anvil and QBFT. Default 1. */
  readonly confirmations?: number;
  /** The node is our own child: where it lost its chain, deploy and settle everything again instead of stopping. */
  readonly embedded?: boolean;
  readonly pollMs?: number;
  readonly timeoutMs?: number;
  /** What went wrong and was dealt with: for the log. */
  readonly onNotice?: (fault: Fault) => void;
  /** For crash tests: called at every point where a crash leaves another state. */
  readonly onStep?: (step: SenderStep) => void;
}

/** What `audit` found. `chainReached` false: the comparison with the chain follows when it answers. */
export interface LedgerAudit {
  readonly checked: number;
  /** Settlements that the outbox did not know; it keeps them now, and the chain is asked before they are sent. */
  readonly putBack: number;
  /** What the chain was found to have lost since this client was opened; it is sent again. */
  readonly lostByChain: number;
  /** Keys under which the ledger holds another content. */
  readonly different: readonly { readonly market: MarketId; readonly interval: EpochMs; readonly chunk: number }[];
  readonly chainReached: boolean;
}

export interface EvmLedger extends SettlementLedger {
  /** Settlements that are kept but not final. */
  pending(): number;
  /** Compares the journal's settlements with outbox and chain; what is missing is kept and sent. */
  audit(chunks: Iterable<SettlementChunk>): Promise<LedgerAudit>;
  /** The contract's address, once it stands. */
  address(): Hex | null;
  /** Ends at a safe point. What is not final stays in the outbox; its `settle` rejects with LEDGER_CLOSED. */
  close(): Promise<void>;
}

const IDLE_MS = 2_000;
const BACKOFF_LIMIT_MS = 5_000;

/**
 * Opens the ledger on an EVM chain. Resolves also while the node is down: settlements then wait in the outbox.
 * @throws Fault LEDGER_CHAIN_CHANGED, STATE_LOCKED, OUTBOX_UNUSABLE, CONTRACT_UNUSABLE
 */
export async function openEvmLedger(options: EvmLedgerOptions): Promise<EvmLedger> {
  const artifact = await loadContractArtifact(options.cacheFolder);
  const outbox = Outbox.open(options.outboxPath);
  const stop = new AbortController();
  const rpc = openJsonRpc(options.rpcUrl, options.timeoutMs ?? 5_000, stop.signal);
  const node = new LedgerNode(rpc, options.account.address);
  const client = new EvmLedgerClient(options, node, outbox, artifact, stop);
  await client.start();
  return client;
}

class EvmLedgerClient implements EvmLedger {
  readonly #outbox: Outbox;
  readonly #deployment: Deployment;
  readonly #sender: SettlementSender;
  readonly #stop: AbortController;
  readonly #pollMs: number;
  readonly #onStep: (step: SenderStep) => void;
  readonly #onNotice: (fault: Fault) => void;
  readonly #waiters = new SettlementWaiters();
  /** Why nothing goes on any more. */
  #halted: unknown = null;
  #failures = 0;
  #wake = Promise.withResolvers<void>();
  #busy: Promise<unknown> = Promise.resolve();
  #loop: Promise<void> = Promise.resolve();

  constructor(
    options: EvmLedgerOptions,
    node: LedgerNode,
    outbox: Outbox,
    artifact: Awaited<ReturnType<typeof loadContractArtifact>>,
    stop: AbortController,
  ) {
    this.#outbox = outbox;
    this.#stop = stop;
    this.#pollMs = options.pollMs ?? 250;
    this.#onStep = options.onStep ?? (() => {});
    this.#onNotice = options.onNotice ?? (() => {});
    const { chainId, embedded = false, confirmations = 1 } = options;
    this.#deployment = new Deployment(node, outbox, artifact, { chainId, embedded, onNotice: this.#onNotice });
    this.#sender = new SettlementSender(node, outbox, this.#deployment, {
      chainId,
      account: options.account,
      confirmations,
      onStep: this.#onStep,
      onNotice: this.#onNotice,
      onDone: (row) => this.#waiters.done(row),
    });
  }

  /** The first look at the chain, so that a wrong one is refused before anything is built on it. */
  async start(): Promise<void> {
    await this.#round();
    if (this.#halted !== null) {
      this.#outbox.close();
      throw this.#halted;
    }
    this.#loop = this.#run();
  }

  async settle(chunk: SettlementChunk): Promise<LedgerReceipt> {
    if (this.#halted !== null) throw this.#halted;
    const key = this.#keep(chunk);
    if (key instanceof Fault) throw key;
    const row = this.#outbox.find(key.market, key.start, key.chunk);
    if (row?.state === 'FINAL') return receiptOf(row);
    this.#wake.resolve();
    return await this.#waiters.wait(key);
  }

  async find(market: MarketId, interval: EpochMs, chunk: number): Promise<LedgerReceipt | null> {
    return await this.#exclusively(async () => {
      const contract = await this.#contractToRead();
      const settled = await contract?.settled(market, interval, chunk);
      if (contract === null || settled === undefined || settled === null) return null;
      const row = this.#outbox.find(market, interval, chunk);
      const known = row?.block === settled.block ? row.tx_hash : null;
      const transactionHash = known ?? (await contract.transactionOf(market, interval, chunk, settled.block));
      return { payloadHash: settled.payloadHash, block: settled.block, transactionHash };
    });
  }

  async accounts(market: MarketId): Promise<LedgerAccounts> {
    return await this.#exclusively(async () => {
      const contract = await this.#contractToRead();
      const found = await contract?.accounts(market);
      const ids = this.#deployment.memberIds();
      const settled = [...(found?.members ?? []).entries()].filter(([, account]) => account.intervals > 0n);
      return {
        members: new Map(settled.map(([at, account]) => [ids[at] as MemberId, account.balance as NanoTotal])),
        community: (found?.totals.community ?? 0n) as NanoTotal,
        utility: (found?.totals.utility ?? 0n) as NanoTotal,
        intervals: Number(found?.totals.intervals ?? 0n),
      };
    });
  }

  pending(): number {
    return this.#outbox.pending();
  }

  address(): Hex | null {
    return this.#outbox.identity()?.address ?? null;
  }

  async audit(chunks: Iterable<SettlementChunk>): Promise<LedgerAudit> {
    let checked = 0;
    const before = this.#outbox.count();
    const different: { market: MarketId; interval: EpochMs; chunk: number }[] = [];
    for (const chunk of chunks) {
      checked += 1;
      const { market, interval } = chunk.settlement;
      if (this.#keep(chunk) instanceof Fault) different.push({ market, interval: interval.start, chunk: chunk.chunk });
    }
    const putBack = this.#outbox.count() - before;
    this.#sender.distrust();
    await this.#round();
    if (this.#halted !== null) throw this.#halted;
    this.#wake.resolve();
    return { checked, putBack, lostByChain: this.#sender.lost, different, chainReached: this.#failures === 0 };
  }

  async close(): Promise<void> {
    this.#halt(new Fault('LEDGER_CLOSED', 'the ledger client was closed'));
    this.#stop.abort();
    this.#wake.resolve();
    await this.#loop;
    await this.#busy.catch(() => {});
    this.#outbox.close();
  }

  // -------------------------------------------------------------------------------------------- the outbox side

  /** In the outbox when this returns, unless the key holds another content or the content is impossible. */
  #keep(chunk: SettlementChunk): { market: string; start: number; chunk: number } | Fault {
    const content = contentOf(chunk);
    if ('refusal' in content) return new Fault('LEDGER_REJECTED', `${nameOfChunk(chunk)}: ${content.refusal}`);
    const text = textOf(content);
    const row = this.#outbox.find(content.market, content.start, content.chunk);
    if (row === null || row.state === 'REJECTED') {
      this.#outbox.keep(content, text);
      this.#onStep('journaled');
    } else if (row.content !== text) {
      return new Fault('ALREADY_SETTLED_DIFFERENTLY', `${nameOfChunk(chunk)} is kept with another content`);
    }
    return content;
  }

  // -------------------------------------------------------------------------------------------- the chain side

  async #run(): Promise<void> {
    while (this.#halted === null) {
      const work = this.#outbox.pending() > 0;
      await this.#pause(this.#failures > 0 ? this.#backoffMs() : work ? this.#pollMs : IDLE_MS);
      if (this.#halted === null) await this.#round();
    }
  }

  /** One round of the sender. A silent or refusing node is a reason to wait; a changed chain or a bad disk ends it. */
  async #round(): Promise<void> {
    try {
      await this.#exclusively(() => this.#sender.round());
      this.#failures = 0;
    } catch (error) {
      if (this.#halted !== null) return;
      this.#sender.distrust();
      const fault = error instanceof RpcRefusal ? new Fault('LEDGER_REJECTED', error.message, error) : error;
      const waits = isFault(fault, 'LEDGER_UNREACHABLE') || error instanceof RpcRefusal;
      if (!waits) {
        this.#halt(fault);
        if (fault instanceof Fault) return;
        throw fault;
      }
      if (this.#failures === 0) this.#onNotice(fault as Fault);
      this.#failures += 1;
    }
  }

  #halt(reason: unknown): void {
    if (this.#halted !== null) return;
    this.#halted = reason;
    if (isFault(reason) && reason.severity === 'fatal') this.#onNotice(reason);
    this.#waiters.rejectAll(reason);
  }

  #backoffMs(): number {
    return Math.min(this.#pollMs * 2 ** Math.min(this.#failures, 10), BACKOFF_LIMIT_MS);
  }

  async #pause(ms: number): Promise<void> {
    const timer = setTimeout(() => this.#wake.resolve(), ms);
    await this.#wake.promise;
    clearTimeout(timer);
    this.#wake = Promise.withResolvers();
  }

  /** The contract where it stands now, whatever this client believed before. */
  async #contractToRead(): Promise<SettlementContract | null> {
    if (this.#halted !== null) throw this.#halted;
    return this.#outbox.identity() === null ? null : await this.#deployment.contract();
  }

  /** One at a time: reads see no half-done round. */
  #exclusively<T>(work: () => Promise<T>): Promise<T> {
    const next = this.#busy.then(work, work);
    this.#busy = next.catch(() => {});
    return next;
  }
}

function nameOfChunk({ settlement, chunk }: SettlementChunk): string {
  return nameOf({ market: settlement.market, start: settlement.interval.start, chunk });
}
