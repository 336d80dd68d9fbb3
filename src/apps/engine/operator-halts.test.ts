import { expect, test } from 'vitest';
import { applyCommand } from '../../domain/engine/apply-command.ts';
import { newEngineState } from '../../domain/engine/state.ts';
import type { EpochMs } from '../../domain/units/time.ts';
import { type EngineConfig, engineConfig, marketTerms } from './engine-config.ts';
import { operatorHalts } from './operator-halts.ts';

const AT = 0 as EpochMs;

function configured(market: boolean, ...members: boolean[]): EngineConfig {
  return engineConfig.parse({
    ...{ market: 'elm', name: 'Elm', currency: 'EUR', timezone: 'Europe/Berlin', interval: '15m', halted: market },
    ...{ tariff: { import_per_kwh: '0.30', export_per_kwh: '0.08' }, state: 'state', broker: 'mqtt://127.0.0.1:1883' },
    http: { host: '127.0.0.1', port: 0 },
    ledger: { rpc: 'http://127.0.0.1:8545', chain_id: 1, cache: 'cache' },
    keys: { demo_seed: 1 },
    feeder: 'feeder',
    members: members.map((halted, at) => ({
      ...{ id: `home-0${at + 1}`, address: `0x${String(at + 1).repeat(40)}`, halted },
      ...{ export_capability_w: 8000, connection_w: 40_000 },
    })),
  });
}

test('what the operator halts is halted once, and goes on when it is no longer named', () => {
  const state = newEngineState();
  const start = (config: EngineConfig) => {
    applyCommand(state, { type: 'terms', at: AT, terms: marketTerms(config) });
    const halts = operatorHalts(config, state);
    for (const halt of halts) applyCommand(state, { ...halt, at: AT });
    return halts.map(({ type, member }) => `${type} ${member ?? 'the market'}`);
  };
  expect(start(configured(false, false, false))).toEqual([]);
  expect(start(configured(true, false, true))).toEqual(['halt the market', 'halt home-02']);
  expect(start(configured(true, false, true))).toEqual([]);
  expect(start(configured(false, true, false))).toEqual(['resume the market', 'halt home-01', 'resume home-02']);
});
