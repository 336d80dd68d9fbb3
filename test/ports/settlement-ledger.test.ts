import { mkdtemp, rm } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { privateKeyToAccount } from 'viem/accounts';
import { startAnvil } from '../../src/adapters/evm/anvil.ts';
import { openEvmLedger } from '../../src/adapters/evm/settlement-ledger.ts';
import { MemoryLedger } from '../../src/sim/memory-ledger.ts';
import { describeSettlementLedger, type OpenedLedger } from './settlement-ledger.suite.ts';

describeSettlementLedger('the ledger in memory', async () => ({ ledger: new MemoryLedger(), close: async () => {} }));
describeSettlementLedger('the ledger on an EVM chain', openOnAnvil);

async function openOnAnvil(): Promise<OpenedLedger> {
  const folder = await mkdtemp(join(tmpdir(), 'energy-logic-ledger-'));
  const anvil = await startAnvil({ port: await freePort(), chainId: 31_789, stateFile: join(folder, 'chain.json') });
  const ledger = await openEvmLedger({
    rpcUrl: anvil.url,
    chainId: 31_789,
    outboxPath: join(folder, 'outbox.sqlite'),
    cacheFolder: join(tmpdir(), 'energy-logic-test-cache'),
    account: privateKeyToAccount(`0x${'5e'.repeat(32)}`),
    embedded: true,
    pollMs: 20,
  });
  const close = async () => {
    await ledger.close();
    await anvil.stop();
    await rm(folder, { recursive: true });
  };
  return { ledger, close };
}

/** Bound once to be told it, then released for the node. */
async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === 'string') throw new Error('no port');
  return address.port;
}
