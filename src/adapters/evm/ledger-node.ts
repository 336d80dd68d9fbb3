import type { Hex } from 'viem';
import { z } from 'zod';
import { Fault, isFault } from '../../errors/fault.ts';
import { type JsonRpc, RpcRefusal } from './json-rpc.ts';

const hex = z
  .string()
  .regex(/^0x[0-9a-f]*$/i)
  .transform((text) => text.toLowerCase() as Hex);
const quantity = hex.transform((text) => Number(text));
const block = z
  .object({ number: quantity, hash: hex, baseFeePerGas: hex.optional() })
  .transform(({ number, hash, baseFeePerGas }) => ({ number, hash, baseFee: BigInt(baseFeePerGas ?? '0x0') }));
const receipt = z
  .object({ blockNumber: quantity, status: quantity })
  .transform(({ blockNumber, status }) => ({ block: blockNumber, succeeded: status === 1 }));
const logs = z.array(z.object({ transactionHash: hex }));

export type Block = z.infer<typeof block>;
export type Receipt = z.infer<typeof receipt>;

export interface Call {
  readonly to?: Hex;
  readonly data: Hex;
}

/** What nodes say to bytes they already have: success. Wordings of anvil, geth, Besu, Nethermind, erigon. */
const ALREADY_THERE = /already known|already imported|known transaction|alreadyknown/i;
/** The nonce was spent meanwhile: by these same bytes or by others; the next look at the chain tells. */
const ALREADY_SPENT = /nonce too low|nonce is too low|oldnonce/i;

/** The block that the question was about is no longer the latest, and the node keeps no older state. */
const OVERTAKEN = /BlockOutOfRange|header not found/i;
const READ_ATTEMPTS = 4;
const READ_AGAIN_MS = 1_000;

/** The few questions this program asks a node, with checked answers. */
export class LedgerNode {
  readonly #rpc: JsonRpc;
  readonly settler: Hex;

  constructor(rpc: JsonRpc, settler: Hex) {
    this.#rpc = rpc;
    this.settler = settler;
  }

  chainId(): Promise<number> {
    return this.#ask(quantity, 'eth_chainId', []);
  }

  block(which: number | 'latest'): Promise<Block | null> {
    const tag = which === 'latest' ? which : toQuantity(which);
    return this.#ask(block.nullable(), 'eth_getBlockByNumber', [tag, false]);
  }

  /** How many nonces of the settler mined transactions have spent. Never the pool's count: it forgets. */
  spentNonces(): Promise<number> {
    return this.#ask(quantity, 'eth_getTransactionCount', [this.settler, 'latest']);
  }

  code(address: Hex): Promise<Hex> {
    return this.#ask(hex, 'eth_getCode', [address, 'latest']);
  }

  receipt(transaction: Hex): Promise<Receipt | null> {
    return this.#ask(receipt.nullable(), 'eth_getTransactionReceipt', [transaction]);
  }

  /** @throws RpcRefusal with the contract's error where it reverts */
  call(call: Call): Promise<Hex> {
    return this.#ask(hex, 'eth_call', [{ from: this.settler, ...call }, 'latest']);
  }

  /** @throws RpcRefusal with the contract's error where it reverts */
  async gasFor(call: Call): Promise<bigint> {
    return BigInt(await this.#ask(hex, 'eth_estimateGas', [{ from: this.settler, ...call }]));
  }

  /** The first transaction of that block whose log has these topics. */
  async transactionOfLog(address: Hex, topics: readonly Hex[], blockNumber: number): Promise<Hex | null> {
    const at = toQuantity(blockNumber);
    const found = await this.#ask(logs, 'eth_getLogs', [{ address, topics, fromBlock: at, toBlock: at }]);
    return found[0]?.transactionHash ?? null;
  }

  /**
   * Hands the bytes over; having them already is success. An unknown outcome counts as not sent, so that the same bytes
   * are sent again: `sent` is only true when the node answered. `refusal` says why it does not want them.
   */
  async broadcast(raw: Hex): Promise<{ readonly sent: boolean; readonly refusal: string | null }> {
    try {
      await this.#rpc('eth_sendRawTransaction', [raw]);
      return { sent: true, refusal: null };
    } catch (error) {
      if (isFault(error, 'LEDGER_UNREACHABLE')) return { sent: false, refusal: null };
      if (!(error instanceof RpcRefusal)) throw error;
      const done = ALREADY_THERE.test(error.message) || ALREADY_SPENT.test(error.message);
      return { sent: true, refusal: done ? null : error.message };
    }
  }

  async #ask<Schema extends z.ZodType>(
    schema: Schema,
    method: string,
    params: readonly unknown[],
  ): Promise<z.output<Schema>> {
    const parsed = schema.safeParse(await this.#read(method, params));
    if (parsed.success) return parsed.data;
    throw new Fault('LEDGER_UNREACHABLE', `the node's answer to ${method} is malformed: ${parsed.error.message}`);
  }

  /** A question changes nothing, so a lost one is asked again at once; only a node that stays silent is a fault. */
  async #read(method: string, params: readonly unknown[]): Promise<unknown> {
    const start = performance.now();
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#rpc(method, params);
      } catch (error) {
        const again = attempt < READ_ATTEMPTS && performance.now() - start < READ_AGAIN_MS;
        if (!again || !isPassing(error)) throw error;
      }
    }
  }
}

function isPassing(error: unknown): boolean {
  return isFault(error, 'LEDGER_UNREACHABLE') || (error instanceof RpcRefusal && OVERTAKEN.test(error.message));
}

function toQuantity(value: number): Hex {
  return `0x${value.toString(16)}`;
}
