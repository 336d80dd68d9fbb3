import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { stringify } from 'yaml';
import { DOOR_CHAIN, DOOR_MARKET, DOOR_SEED, type LoadMembers } from './doors-members.ts';
import { type LoadedProcess, startLoaded } from './doors-process.ts';

const BROKER = fileURLToPath(new URL('./doors-broker.ts', import.meta.url));
const ENGINE = fileURLToPath(new URL('../../bin/engine.js', import.meta.url));

/** The engine program as an operator starts it, in paper mode, and a broker; each in a process of its own. */
export interface LoadedEngine {
  readonly broker: LoadedProcess;
  readonly engine: LoadedProcess;
  close(): Promise<void>;
}

/** What differs from what most operators write, key by key of engine.yaml. */
export type EngineSettings = Readonly<Record<string, unknown>>;

/** State in a folder below `folder`. @throws where one of them does not start */
export async function startEngine(
  folder: string,
  members: LoadMembers,
  settings: EngineSettings,
): Promise<LoadedEngine> {
  const broker = await startLoaded([BROKER]);
  try {
    const file = join(folder, 'engine.yaml');
    writeFileSync(file, stringify({ ...engineFile(folder, broker.url, members), ...settings }));
    const engine = await startLoaded([ENGINE, '--mode', 'paper', '--json', '--config', file]);
    const close = async () => {
      await engine.close();
      await broker.close();
    };
    return { broker, engine, close };
  } catch (error) {
    await broker.close();
    throw error;
  }
}

function engineFile(folder: string, broker: string, { ids, addresses }: LoadMembers) {
  return {
    ...{ market: DOOR_MARKET, name: 'Benchmark', currency: 'EUR', timezone: 'Europe/Berlin', interval: '15m' },
    tariff: { import_per_kwh: '0.30', export_per_kwh: '0.08' },
    ...{ state: join(folder, 'engine'), market_err: join(folder, 'market.err'), broker },
    http: { host: '127.0.0.1', port: 0 },
    ledger: { rpc: 'http://127.0.0.1:9', chain_id: DOOR_CHAIN, cache: join(folder, 'cache') },
    keys: { demo_seed: DOOR_SEED },
    feeder: 'feeder',
    members: ids.map((id, member) => ({
      ...{ id, address: addresses[member], export_capability_w: 1_000_000, connection_w: 1_000_000 },
    })),
  };
}
