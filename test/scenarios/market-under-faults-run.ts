import { type MarketRun, simulateMarket } from '../../src/sim/market-simulator.ts';
import { realEngine } from './market-under-faults-engine.ts';

/** Everything that waits for nothing but its turn has had it. */
export function settle(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** @throws an error that names the seed and the command that runs it again */
export async function runSeed(seed: number): Promise<MarketRun> {
  try {
    return await simulateMarket(seed, realEngine, settle);
  } catch (error) {
    const command = `MARKET_SEED=${seed} npx vitest run test/scenarios/market-under-faults.test.ts`;
    throw new Error(`seed ${seed}: ${error instanceof Error ? error.message : String(error)}\n${command}`, {
      cause: error,
    });
  }
}
