import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { copyFile, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { encodeEventTopics } from 'viem';
import { privateKeyToAccount } from 'viem/accounts';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Anvil, startAnvil } from '../../src/adapters/evm/anvil.ts';
import { type JsonRpc, openJsonRpc } from '../../src/adapters/evm/json-rpc.ts';
import { SETTLEMENT_ABI } from '../../src/adapters/evm/settlement-abi.ts';
import { type EvmLedger, type EvmLedgerOptions, openEvmLedger } from '../../src/adapters/evm/settlement-ledger.ts';
import type { SettlementChunk } from '../../src/domain/ports.ts';
import type { MarketId } from '../../src/domain/units/identity.ts';
import type { Fault } from '../../src/errors/fault.ts';
import { expectAccounts } from '../ports/settlement-ledger.suite.ts';
import { streetInterval, wholeInterval } from '../ports/settlement-samples.ts';
import type { ChildOrder } from './ledger-crash-child.ts';

const CHILD = fileURLToPath(new URL('./ledger-crash-child.ts', import.meta.url));
const CHAIN_ID = 31_790;
const KEY = `0x${'c4'.repeat(32)}` as const;
const CACHE = join(tmpdir(), 'energy-logic-test-cache');
const MARKET = 'crash';

let folder: string;
let port: number;
let anvil: Anvil;
let rpc: JsonRpc;
let closers: (() => Promise<unknown>)[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'energy-logic-crash-'));
  port = await freePort();
  rpc = openJsonRpc(`http://127.0.0.1:${port}`, 5_000, new AbortController().signal);
  closers = [];
});

afterEach(async () => {
  for (const close of closers.reverse()) await close();
  await anvil.stop();
  await rm(folder, { recursive: true });
});

describe('every interval is settled exactly once', () => {
  test('when the engine is killed at any step of its way', async () => {
    await startChain();
    const steps = [
      'deploy-signed',
      'deploy-sent',
      'journaled',
      'register-signed',
      'register-sent',
      'settle-signed',
      'settle-sent',
      'mined',
      'final',
    ];
    for (const [at, dieAt] of steps.entries()) {
      expect(await runChild({ intervals: at + 1, dieAt }), dieAt).toBe('SIGKILL');
    }
    expect(await runChild({ intervals: steps.length, dieAt: null })).toBe(0);
    const chunks = steps.map((_, at) => wholeInterval(streetInterval(MARKET, at, 3 * (at + 1))));
    await expectOnce(await open(), chunks);
  });

  test('when the node is killed, stays away while settlements come in, and returns', async () => {
    await startChain();
    const ledger = await open();
    const chunks = intervals(0, 30);
    await settleAll(ledger, chunks.slice(0, 10));
    const underWay = settleAll(ledger, chunks.slice(10, 20));
    await killChain();
    const meanwhile = settleAll(ledger, chunks.slice(20));
    expect(ledger.pending()).toBeGreaterThanOrEqual(10);
    await startChain();
    await Promise.all([underWay, meanwhile]);
    await expectOnce(ledger, chunks);
  });

  test('when the node comes back with an older state: the same signed bytes are sent again', async () => {
    await startChain();
    const notices: Fault[] = [];
    const ledger = await open({ onNotice: (fault) => notices.push(fault) });
    const chunks = intervals(0, 50);
    await settleAll(ledger, chunks.slice(0, 5));
    await anvil.stop();
    await copyFile(stateFile(), `${stateFile()}.older`);
    await startChain();
    const receipts = await settleAll(ledger, chunks.slice(5));
    await killChain();
    await copyFile(`${stateFile()}.older`, stateFile());
    await startChain();
    const audit = await auditReached(ledger, chunks);
    expect(audit).toMatchObject({ checked: 50, putBack: 0, different: [], chainReached: true });
    expect(audit.lostByChain).toBe(45);
    await untilSettled(ledger);
    expect(notices.map(({ code }) => code)).toContain('STALE_STATE');
    const again = await settleAll(ledger, chunks.slice(5));
    expect(again.map((receipt) => receipt.transactionHash)).toEqual(receipts.map((receipt) => receipt.transactionHash));
    await expectOnce(ledger, chunks);
  });

  test('when the embedded chain is wiped: everything is put back on the new one, also after a restart', async () => {
    await startChain();
    const first = await open();
    const chunks = intervals(0, 40);
    await settleAll(first, chunks.slice(0, 35));
    await wipeChain();
    await settleAll(first, chunks.slice(35));
    await untilSettled(first);
    await expectOnce(first, chunks);
    await first.close();
    await wipeChain();
    const notices: Fault[] = [];
    const second = await open({ onNotice: (fault) => notices.push(fault) });
    expect(notices.map(({ code }) => code)).toContain('LEDGER_CHAIN_CHANGED');
    await untilSettled(second);
    await expectOnce(second, chunks);
  });

  test('when the outbox is lost: the chain is asked, and nothing is sent twice', async () => {
    await startChain();
    const first = await open();
    const chunks = intervals(0, 8);
    const receipts = await settleAll(first, chunks);
    const address = first.address();
    await first.close();
    for (const suffix of ['', '-wal', '-shm']) await rm(`${outboxPath()}${suffix}`, { force: true });
    const second = await open();
    expect(second.address()).toBe(address);
    expect(await second.audit(chunks)).toMatchObject({ checked: 8, putBack: 8, different: [] });
    expect(await settleAll(second, chunks)).toEqual(receipts);
    await expectOnce(second, chunks);
  });

  test('when requests and answers get lost, the pool forgets, and someone else uses the key', async () => {
    await startChain({ blockSeconds: 0.2 });
    const notices = new Set<string>();
    const proxy = await lossyProxy();
    const ledger = await open({ rpcUrl: proxy, pollMs: 50, timeoutMs: 500, onNotice: ({ code }) => notices.add(code) });
    const chunks = intervals(0, 60);
    const finished = settleAll(ledger, chunks);
    for (let round = 0; round < 24; round += 1) {
      await blockAfter(await rpc('eth_blockNumber', []));
      if (round % 3 === 0) await stealNonce();
      if (round % 4 === 1) await rpc('anvil_dropAllTransactions', []);
    }
    await finished;
    await expectOnce(ledger, chunks);
    expect([...notices]).toContain('NONCE_TOO_LOW');
  });

  test('when the running chain goes back under it', async () => {
    await startChain();
    const ledger = await open();
    const chunks = intervals(0, 40);
    await settleAll(ledger, chunks.slice(0, 10));
    const snapshot = await rpc('evm_snapshot', []);
    await settleAll(ledger, chunks.slice(10, 25));
    const underWay = settleAll(ledger, chunks.slice(25));
    await rpc('evm_revert', [snapshot]);
    await underWay;
    await untilSettled(ledger);
    await expectOnce(ledger, chunks);
  });
});

describe('the ledger client', () => {
  test('opens while the node is down and settles when it comes', async () => {
    await startChain();
    await killChain();
    await rm(stateFile(), { force: true });
    const notices: Fault[] = [];
    const ledger = await open({ onNotice: (fault) => notices.push(fault) });
    const settled = settleAll(ledger, intervals(0, 3));
    expect(ledger.pending()).toBe(3);
    await expect(ledger.accounts(MARKET as MarketId)).resolves.toMatchObject({ intervals: 0 });
    await startChain();
    await settled;
    expect(ledger.pending()).toBe(0);
    expect(notices.map(({ code }) => code)).toEqual(['LEDGER_UNREACHABLE']);
  });

  test('stops at a chain it does not know unless the node is its own', async () => {
    await startChain();
    const ledger = await open({ embedded: false });
    await settleAll(ledger, intervals(0, 1));
    await wipeChain();
    await expect(ledger.settle(wholeInterval(streetInterval(MARKET, 1)))).rejects.toMatchObject({
      code: 'LEDGER_CHAIN_CHANGED',
    });
    await ledger.close();
    await expect(open({ embedded: false })).rejects.toMatchObject({ code: 'LEDGER_CHAIN_CHANGED' });
    await expect(open({ chainId: 4_711 })).rejects.toMatchObject({ code: 'LEDGER_CHAIN_CHANGED' });
  });

  test('is the only one on its outbox', async () => {
    await startChain();
    await open();
    await expect(open()).rejects.toMatchObject({ code: 'STATE_LOCKED' });
  });

  test('keeps what is not final when it is closed', async () => {
    await startChain();
    const first = await open();
    await killChain();
    const parked = first.settle(wholeInterval(streetInterval(MARKET, 0)));
    const refused = expect(parked).rejects.toMatchObject({ code: 'LEDGER_CLOSED' });
    await first.close();
    await refused;
    await startChain();
    const second = await open();
    await untilSettled(second);
    await expectOnce(second, intervals(0, 1));
  });
});

test('a state file that a crash cut in the middle is set aside, and the outbox settles everything again', async () => {
  await startChain();
  const ledger = await open();
  const chunks = intervals(0, 3);
  await settleAll(ledger, chunks);
  await anvil.stop();
  const state = await readFile(stateFile(), 'utf8');
  await writeFile(stateFile(), state.slice(0, state.length / 2));
  await startChain();
  expect(await auditReached(ledger, chunks)).toMatchObject({ checked: 3, lostByChain: expect.any(Number) });
  await untilSettled(ledger);
  await expectOnce(ledger, chunks);
  expect((await readFile(`${stateFile()}.damaged`, 'utf8')).length).toBeGreaterThan(0);
});

test('a deployment whose nonce someone else spends is made anew, on a chain that is not ours too', async () => {
  await startChain({ blockSeconds: 1 });
  const notices: Fault[] = [];
  const ledger = await open({ embedded: false, onNotice: (fault) => notices.push(fault) });
  await stealNonce();
  const chunks = intervals(0, 2);
  await settleAll(ledger, chunks);
  expect(notices.map(({ code }) => code)).toContain('NONCE_TOO_LOW');
  await expectOnce(ledger, chunks);
});

test('a second node on the same port is refused by name', async () => {
  await startChain();
  await expect(startAnvil({ port, chainId: CHAIN_ID, stateFile: join(folder, 'other.json') })).rejects.toMatchObject({
    code: 'PORT_TAKEN',
  });
});

// ---------------------------------------------------------------------------------------------- the chain

function stateFile(): string {
  return join(folder, 'chain.json');
}

function outboxPath(): string {
  return join(folder, 'outbox.sqlite');
}

async function startChain(options: { blockSeconds?: number } = {}): Promise<void> {
  anvil = await startAnvil({ port, chainId: CHAIN_ID, stateFile: stateFile(), ...options });
}

async function killChain(): Promise<void> {
  process.kill(anvil.pid, 'SIGKILL');
  await anvil.ended;
}

/** A new chain in the same place. Its genesis names the second of its birth, so that second must have passed. */
async function wipeChain(): Promise<void> {
  const genesis = (await rpc('eth_getBlockByNumber', ['0x0', false])) as { timestamp: string };
  await killChain();
  await rm(stateFile(), { force: true });
  while (Date.now() < (Number(genesis.timestamp) + 1) * 1000) await new Promise((resolve) => setTimeout(resolve, 20));
  await startChain();
}

async function blockAfter(number: unknown): Promise<void> {
  while ((await rpc('eth_blockNumber', [])) === number) await new Promise((resolve) => setTimeout(resolve, 20));
}

/** Another program with the same key spends the next nonce. */
async function stealNonce(): Promise<void> {
  const account = privateKeyToAccount(KEY);
  const nonce = Number(await rpc('eth_getTransactionCount', [account.address, 'latest']));
  const fees = { maxFeePerGas: 0n, maxPriorityFeePerGas: 0n };
  const raw = await account.signTransaction({
    ...{ type: 'eip1559', chainId: CHAIN_ID, nonce, to: account.address, gas: 21_000n },
    ...fees,
  });
  await rpc('anvil_dropAllTransactions', []);
  await rpc('eth_sendRawTransaction', [raw]).catch(() => {});
}

/** Loses one request in ten before the node sees it, and one answer in five after. */
async function lossyProxy(): Promise<string> {
  let count = 0;
  const server: Server = createServer(async (request, response) => {
    count += 1;
    const parts: Buffer[] = [];
    for await (const part of request) parts.push(part);
    if (count % 10 === 3) return response.destroy();
    const answer = await fetch(`http://127.0.0.1:${port}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: Buffer.concat(parts),
    });
    if (count % 5 === 1) return response.destroy();
    response.end(await answer.text());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  closers.push(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port: free } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return free;
}

// ---------------------------------------------------------------------------------------------- the ledger

async function open(change: Partial<EvmLedgerOptions> = {}): Promise<EvmLedger> {
  const ledger = await openEvmLedger({
    rpcUrl: `http://127.0.0.1:${port}`,
    chainId: CHAIN_ID,
    outboxPath: outboxPath(),
    cacheFolder: CACHE,
    account: privateKeyToAccount(KEY),
    embedded: true,
    pollMs: 20,
    ...change,
  });
  closers.push(() => ledger.close());
  return ledger;
}

function intervals(from: number, to: number): SettlementChunk[] {
  return Array.from({ length: to - from }, (_, at) => wholeInterval(streetInterval(MARKET, from + at)));
}

function settleAll(ledger: EvmLedger, chunks: readonly SettlementChunk[]) {
  return Promise.all(chunks.map((chunk) => ledger.settle(chunk)));
}

async function untilSettled(ledger: EvmLedger): Promise<void> {
  while (ledger.pending() > 0) await new Promise((resolve) => setTimeout(resolve, 20));
}

/** The client may still sit out the pause that the dead node caused. */
async function auditReached(ledger: EvmLedger, chunks: readonly SettlementChunk[]) {
  for (;;) {
    const audit = await ledger.audit(chunks);
    if (audit.chainReached) return audit;
  }
}

async function expectOnce(ledger: EvmLedger, chunks: readonly SettlementChunk[]): Promise<void> {
  const [settledTopic] = encodeEventTopics({ abi: SETTLEMENT_ABI, eventName: 'IntervalChunkSettled' });
  const filter = { address: ledger.address(), topics: [settledTopic], fromBlock: '0x0', toBlock: 'latest' };
  const logs = (await rpc('eth_getLogs', [filter])) as { topics: string[] }[];
  const starts = logs.map(({ topics }) => Number(topics[2])).sort((a, b) => a - b);
  expect(starts).toEqual(chunks.map(({ settlement }) => settlement.interval.start));
  expectAccounts(
    await ledger.accounts(MARKET as MarketId),
    chunks.map(({ settlement }) => settlement),
  );
  expect(ledger.pending()).toBe(0);
}

/** How the child ended: its exit code, or the signal. */
async function runChild(order: Pick<ChildOrder, 'intervals' | 'dieAt'>): Promise<number | string> {
  const whole: ChildOrder = {
    ...order,
    ...{ rpcUrl: anvil.url, chainId: CHAIN_ID, outboxPath: outboxPath(), cacheFolder: CACHE, key: KEY, market: MARKET },
  };
  const child: ChildProcess = spawn(process.execPath, [CHILD, JSON.stringify(whole)], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const [code, signal] = (await once(child, 'exit')) as [number | null, string | null];
  return code ?? signal ?? '';
}
