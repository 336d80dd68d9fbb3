import { privateKeyToAccount } from 'viem/accounts';
import { openEvmLedger } from '../../src/adapters/evm/settlement-ledger.ts';
import { streetInterval, wholeInterval } from '../ports/settlement-samples.ts';

/** Settles the first intervals of a market; dies by SIGKILL at the given step. Started by `ledger-crash.test.ts`. */

export interface ChildOrder {
  readonly rpcUrl: string;
  readonly chainId: number;
  readonly outboxPath: string;
  readonly cacheFolder: string;
  readonly key: `0x${string}`;
  readonly market: string;
  readonly intervals: number;
  readonly dieAt: string | null;
}

const order: ChildOrder = JSON.parse(process.argv[2] ?? '');

const ledger = await openEvmLedger({
  ...order,
  account: privateKeyToAccount(order.key),
  pollMs: 20,
  onStep: (step) => {
    if (step === order.dieAt) process.kill(process.pid, 'SIGKILL');
  },
});
// Every interval has one home more than the one before, so that each also registers members.
const chunks = Array.from({ length: order.intervals }, (_, at) =>
  wholeInterval(streetInterval(order.market, at, 3 * (at + 1))),
);
await ledger.audit(chunks);
await Promise.all(chunks.map((chunk) => ledger.settle(chunk)));
await ledger.close();
