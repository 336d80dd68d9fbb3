import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterAll, describe, test } from 'vitest';
import { type ModbusServer, startModbusServer } from '../../src/adapters/modbus/modbus-server.ts';
import type { MeterRegisters } from '../../src/adapters/modbus/sunspec-meter.ts';
import { assert } from '../../src/domain/units/assert.ts';
import { wh } from '../../src/domain/units/energy.ts';
import { watt } from '../../src/domain/units/power.ts';
import { epochMs } from '../../src/domain/units/time.ts';
import { feederRegisters, homeRegisters, type RegisterImage } from '../../src/sim/devices/device-registers.ts';
import { FeederWorld } from '../../src/sim/devices/feeder-world.ts';
import { HomeWorld } from '../../src/sim/devices/home-world.ts';
import { planStreet } from '../../src/sim/homes/street-plan.ts';
import { type MeterBench, meterSuite } from './meter.suite.ts';

const START = epochMs(Date.UTC(2026, 5, 21, 8, 54));
const STEP_MS = 7 * 60_000;

meterSuite('the meter of a simulated home', async () => {
  const plan = planStreet({ homes: 12, seed: 1 }).homes.find(({ pv, battery }) => pv !== null && battery === null);
  assert(plan !== undefined, 'the street has a home with PV and no battery');
  const home = new HomeWorld({ plan, start: START });
  const halfDays = [STEP_MS, 12 * 3_600_000];
  let steps = 0;
  home.commandRelay(true);
  return simulated(homeRegisters(home), () => {
    home.advanceTo(epochMs(home.at + (halfDays[steps++ % 2] ?? 0)));
    const { voltageMilliV, frequencyMilliHz, flows, meter } = home;
    return { ...meter, power: flows.net, voltageMilliV, frequencyMilliHz };
  });
});

meterSuite('the feeder meter of a simulated street', async () => {
  const homes = planStreet({ homes: 12, seed: 1 }).homes.map((plan) => new HomeWorld({ plan, start: START }));
  const feeder = new FeederWorld(homes);
  let steps = 0;
  return simulated(feederRegisters(feeder), () => {
    for (const home of homes) home.commandRelay(steps % 2 === 0);
    steps += 1;
    feeder.advanceTo(epochMs((homes[0]?.at ?? START) + STEP_MS));
    const { voltageMilliV, frequencyMilliHz, power, meter } = feeder;
    return { ...meter, power, voltageMilliV, frequencyMilliHz };
  });
});

async function simulated(image: RegisterImage, flow: () => MeterRegisters): Promise<MeterBench> {
  let server: ModbusServer = await startModbusServer({ host: '127.0.0.1', port: 0, image });
  const { port } = server;
  return {
    port,
    flow: async () => flow(),
    unplug: () => server.close(),
    plugIn: async () => {
      server = await startModbusServer({ host: '127.0.0.1', port, image });
    },
    close: () => server.close(),
  };
}

const folder = mkdtempSync(join(tmpdir(), 'libmodbus-meter-'));
const peer = compilePeer(folder);
afterAll(() => rmSync(folder, { recursive: true }));

if (peer === null) {
  describe('a meter on libmodbus', () => {
    test.skip('needs gcc and the header modbus.h (package libmodbus-dev)', () => undefined);
  });
} else {
  meterSuite('a meter on libmodbus', () => libmodbusBench(peer));
}

function compilePeer(into: string): string | null {
  const binary = join(into, 'meter');
  const source = join(import.meta.dirname, 'libmodbus-meter.c');
  try {
    execFileSync('gcc', ['-O1', '-I/usr/include/modbus', '-o', binary, source, '-lmodbus'], { stdio: 'ignore' });
    return binary;
  } catch {
    return null;
  }
}

async function libmodbusBench(binary: string): Promise<MeterBench> {
  let process = await startPeer(binary, 0);
  let truth: MeterRegisters | null = null;
  let steps = 0;
  return {
    port: process.port,
    flow: async () => {
      const sign = steps % 2 === 0 ? 1 : -1;
      truth = {
        importRegister: wh(70_000 + steps * 1234),
        exportRegister: wh(1 + steps * 65_536),
        power: watt(sign * (900 + steps)),
        voltageMilliV: 229_000 + steps * 100,
        frequencyMilliHz: 49_950 + steps * 10,
      };
      steps += 1;
      await process.show(truth);
      return truth;
    },
    unplug: () => process.kill(),
    plugIn: async () => {
      process = await startPeer(binary, process.port);
      if (truth !== null) await process.show(truth);
    },
    close: () => process.kill(),
  };
}

interface Peer {
  readonly port: number;
  show(registers: MeterRegisters): Promise<void>;
  kill(): Promise<void>;
}

async function startPeer(binary: string, port: number): Promise<Peer> {
  const child = spawn(binary, [String(port)], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const first = await lines.next();
  return {
    port: Number(first.value),
    show: async ({ importRegister, exportRegister, power, voltageMilliV, frequencyMilliHz }) => {
      const values = [importRegister, exportRegister, power, voltageMilliV / 100, frequencyMilliHz / 10];
      child.stdin.write(`${values.join(' ')}\n`);
      assert((await lines.next()).value === 'ok', 'the peer takes what it is told');
    },
    kill: () => end(child),
  };
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}
