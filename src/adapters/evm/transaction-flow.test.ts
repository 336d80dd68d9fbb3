import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Hex } from 'viem';
import { generatePrivateKey, privateKeyToAccount } from 'viem/accounts';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Fault } from '../../errors/fault.ts';
import { type JsonRpc, RpcRefusal } from './json-rpc.ts';
import { LedgerNode, type Receipt } from './ledger-node.ts';
import { Outbox } from './outbox.ts';
import { TransactionFlow, WINDOW } from './transaction-flow.ts';

/** A wire on which the node's answers are what each test says; the runs against a real chain are end to end. */

const account = privateKeyToAccount(generatePrivateKey());
const HEAD = { spent: 0, baseFee: 0n };

let folder: string;
let outbox: Outbox;
let flow: TransactionFlow;
let answer: JsonRpc;
let sent: Hex[];
let spent: { nonce: number; receipt: Receipt | null }[];
let notices: string[];

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'energy-logic-flow-'));
  outbox = Outbox.open(join(folder, 'outbox.sqlite'));
  [sent, spent, notices] = [[], [], []];
  answer = async () => '0x';
  const node = new LedgerNode(async (method, params) => {
    if (method === 'eth_sendRawTransaction') sent.push(params[0] as Hex);
    return await answer(method, params);
  }, account.address);
  flow = new TransactionFlow(node, outbox, {
    ...{ chainId: 5, account, onStep: () => {} },
    onNotice: ({ code }) => notices.push(code),
    onSpent: ({ nonce }, receipt) => spent.push({ nonce, receipt }),
  });
});

afterEach(() => {
  outbox.close();
  rmSync(folder, { recursive: true });
});

test('the signed bytes are kept before a node sees them', async () => {
  answer = async () => {
    expect(outbox.openTransactions().map(({ raw }) => raw)).toEqual(sent);
    return '0x';
  };
  await submit(0);
  expect(sent).toHaveLength(1);
});

test('after an unknown outcome the same bytes are sent again, and no others', async () => {
  answer = lost;
  await submit(0);
  answer = async () => '0x';
  await flow.follow(0);
  expect(sent).toHaveLength(2);
  expect(sent[1]).toBe(sent[0]);
  await flow.follow(0);
  expect(sent).toHaveLength(2);
});

test.each(['already known', 'transaction already imported', 'Known transaction', 'nonce too low'])(
  'a node that says "%s" has the bytes or has mined them: no refusal',
  async (text) => {
    answer = refusing(text);
    await submit(0);
    expect(notices).toEqual([]);
    expect(outbox.openTransactions()).toHaveLength(1);
  },
);

test('another refusal is told, and the nonce stays ours', async () => {
  answer = refusing('insufficient funds for gas * price + value');
  await submit(0);
  expect(notices).toEqual(['LEDGER_REJECTED']);
  expect(flow.freeNonce(0)).toBe(1);
});

test("a spent nonce is ours by its receipt, and a stranger's without one", async () => {
  await submit(0);
  await submit(1);
  const [first] = outbox.openTransactions();
  answer = async (_, [hash]) => (hash === first?.hash ? { blockNumber: '0x7', status: '0x1' } : null);
  await flow.follow(2);
  expect(spent).toEqual([
    { nonce: 0, receipt: { block: 7, succeeded: true } },
    { nonce: 1, receipt: null },
  ]);
  expect(notices).toEqual(['NONCE_TOO_LOW']);
  expect(outbox.openTransactions()).toEqual([]);
});

test('a lost answer about a receipt decides nothing', async () => {
  await submit(0);
  answer = lost;
  await expect(flow.follow(1)).rejects.toMatchObject({ code: 'LEDGER_UNREACHABLE' });
  expect(spent).toEqual([]);
  expect(outbox.openTransactions()).toHaveLength(1);
});

test('nonces fill gaps from the lowest unspent one, inside the window', async () => {
  for (const nonce of [4, 6]) await submit(nonce);
  expect(flow.freeNonce(4)).toBe(5);
  expect(flow.freeNonce(6)).toBe(7);
  for (let nonce = 7; nonce < 6 + WINDOW; nonce += 1) await submit(nonce);
  expect(flow.freeNonce(6)).toBeNull();
});

function submit(nonce: number): Promise<void> {
  const call = { to: account.address, data: '0x' as Hex };
  return flow.submit({ kind: 'settle', nonce, settlement: null, call, gas: 21_000n }, HEAD);
}

async function lost(): Promise<never> {
  throw new Fault('LEDGER_UNREACHABLE', 'the answer was lost');
}

function refusing(text: string): JsonRpc {
  return async () => {
    throw new RpcRefusal(text, undefined);
  };
}
