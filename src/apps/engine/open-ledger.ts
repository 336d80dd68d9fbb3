import { join } from 'node:path';
import { privateKeyToAccount } from 'viem/accounts';
import { type EvmLedger, openEvmLedger } from '../../adapters/evm/settlement-ledger.ts';
import { toHex } from '../../adapters/keys/hex.ts';
import { orderKeyOf } from '../../adapters/keys/key-source.ts';
import { Fault } from '../../errors/fault.ts';
import { type EngineConfig, ledgerProblem } from './engine-config.ts';

/** The ledger that the configuration names. @throws Fault CONFIG_INVALID where its contract can't settle such a market */
export function openLedger(config: EngineConfig, log: (line: string) => void): Promise<EvmLedger> {
  const problem = ledgerProblem(config);
  if (problem !== null) throw new Fault('CONFIG_INVALID', problem);
  const { rpc, chain_id: chainId, confirmations, embedded, cache } = config.ledger;
  return openEvmLedger({
    rpcUrl: rpc,
    chainId,
    confirmations,
    embedded,
    cacheFolder: cache,
    outboxPath: join(config.state, 'outbox.sqlite'),
    account: privateKeyToAccount(toHex(orderKeyOf(config.keys, 'settler')) as `0x${string}`),
    onNotice: (fault) => log(`${fault.code} ${fault.message}`),
  });
}
