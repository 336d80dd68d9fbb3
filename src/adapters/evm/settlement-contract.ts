import { decodeErrorResult, decodeFunctionResult, encodeEventTopics, encodeFunctionData, type Hex } from 'viem';
import { Fault } from '../../errors/fault.ts';
import type { RpcRefusal } from './json-rpc.ts';
import type { LedgerNode } from './ledger-node.ts';
import { SETTLEMENT_ABI } from './settlement-abi.ts';
import { idOfWord, idWord } from './settlement-content.ts';

const PAGE = 1000;
const NO_HASH: Hex = `0x${'0'.repeat(64)}`;

/** Where the contract holds a chunk. */
export interface Settled {
  readonly payloadHash: Hex;
  readonly block: number;
}

export interface MarketAccounts {
  /** By member number minus one. */
  readonly members: readonly { readonly balance: bigint; readonly intervals: bigint; readonly substituted: bigint }[];
  readonly totals: MarketTotals;
}

export interface MarketTotals {
  readonly community: bigint;
  readonly utility: bigint;
  readonly inFlight: bigint;
  readonly lossesWh: bigint;
  readonly intervals: bigint;
  readonly chunks: bigint;
}

/** The views of a deployed `SettlementLedger`. */
export class SettlementContract {
  readonly #node: LedgerNode;
  readonly address: Hex;

  constructor(node: LedgerNode, address: Hex) {
    this.#node = node;
    this.address = address;
  }

  async settled(market: string, start: number, chunk: number): Promise<Settled | null> {
    const found = await this.settledMany(market, [{ start, chunk }]);
    return found[0] ?? null;
  }

  /** In the order of the keys; null where nothing is settled. */
  async settledMany(market: string, keys: readonly { start: number; chunk: number }[]): Promise<(Settled | null)[]> {
    const args = [idWord(market), keys.map(({ start }) => BigInt(start)), keys.map(({ chunk }) => chunk)] as const;
    const data = encodeFunctionData({ abi: SETTLEMENT_ABI, functionName: 'settledChunks', args });
    const result = await this.#view(data);
    const found = decodeFunctionResult({ abi: SETTLEMENT_ABI, functionName: 'settledChunks', data: result });
    return found.map(({ payloadHash, blockNumber }) =>
      payloadHash === NO_HASH ? null : { payloadHash, block: Number(blockNumber) },
    );
  }

  /** The ids of all members in the order of their numbers, from `first` on. */
  async members(first = 1): Promise<string[]> {
    const ids: string[] = [];
    for (;;) {
      const args = [first + ids.length, PAGE] as const;
      const data = encodeFunctionData({ abi: SETTLEMENT_ABI, functionName: 'memberIds', args });
      const result = await this.#view(data);
      const page = decodeFunctionResult({ abi: SETTLEMENT_ABI, functionName: 'memberIds', data: result });
      ids.push(...page.map(idOfWord));
      if (page.length < PAGE) return ids;
    }
  }

  /** All accounts of a market as they stood at one instant: read again where a settlement came between two pages. */
  async accounts(market: string): Promise<MarketAccounts> {
    for (;;) {
      const first = await this.#accountsPage(market, 1);
      const members = [...first.members];
      let page = first;
      while (page.members.length === PAGE) {
        page = await this.#accountsPage(market, members.length + 1);
        members.push(...page.members);
      }
      if (page.totals.chunks === first.totals.chunks) return { members, totals: first.totals };
    }
  }

  async #accountsPage(market: string, first: number): Promise<MarketAccounts> {
    const args = [idWord(market), first, PAGE] as const;
    const data = encodeFunctionData({ abi: SETTLEMENT_ABI, functionName: 'accounts', args });
    const result = await this.#view(data);
    const [totals, members] = decodeFunctionResult({ abi: SETTLEMENT_ABI, functionName: 'accounts', data: result });
    return { members, totals };
  }

  async #view(data: Hex): Promise<Hex> {
    const result = await this.#node.call({ to: this.address, data });
    if (result === '0x') throw new Fault('LEDGER_UNREACHABLE', `no contract answers at ${this.address}`);
    return result;
  }

  /** The transaction that settled a chunk, from the chain's own log; zeros where the node keeps no logs that old. */
  async transactionOf(market: string, start: number, chunk: number, block: number): Promise<Hex> {
    const args = { market: idWord(market), start: BigInt(start), chunk };
    const topics = encodeEventTopics({ abi: SETTLEMENT_ABI, eventName: 'IntervalChunkSettled', args });
    const found = await this.#node.transactionOfLog(this.address, topics.filter(isTopic), block);
    return found ?? NO_HASH;
  }
}

function isTopic(topic: Hex | readonly Hex[] | null): topic is Hex {
  return typeof topic === 'string';
}

/** What the contract said, as the fault it is; null where the refusal is not the contract's. */
export function contractFault(refusal: RpcRefusal): Fault | null {
  const data = revertData(refusal.data);
  if (data === null) return /revert/i.test(refusal.message) ? new Fault('LEDGER_REJECTED', refusal.message) : null;
  try {
    const { errorName, args } = decodeErrorResult({ abi: SETTLEMENT_ABI, data });
    const code = errorName === 'AlreadySettledDifferently' ? 'ALREADY_SETTLED_DIFFERENTLY' : 'LEDGER_REJECTED';
    return new Fault(code, `${errorName}(${(args ?? []).map(String).join(', ')})`, refusal);
  } catch {
    return new Fault('LEDGER_REJECTED', `${refusal.message} ${data.slice(0, 10)}`, refusal);
  }
}

/** Nodes put the revert bytes either in `data` or in `data.data`. */
function revertData(data: unknown): Hex | null {
  if (typeof data === 'string') return /^0x[0-9a-f]{8,}$/i.test(data) ? (data as Hex) : null;
  return typeof data === 'object' && data !== null && 'data' in data ? revertData(data.data) : null;
}
