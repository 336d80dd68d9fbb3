import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { publishJson } from '../../src/adapters/mqtt/json-topics.ts';
import { marketTopic, memberTopic } from '../../src/adapters/mqtt/wire.ts';
import type { EpochMs } from '../../src/domain/units/time.ts';
import {
  DELIVERY,
  GATE,
  type GatewayBench,
  homeWithMeter,
  MARKET,
  openGatewayBench,
  PLAN,
  START,
} from './gateway-bench.ts';

let bench: GatewayBench;
beforeEach(async () => {
  bench = await openGatewayBench();
});
afterEach(() => bench.close());

const ACCEPT = () => ({ ok: true, code: 'accepted' });

/** The newest value of a metric that is not from another time. */
function latest(name: string) {
  return bench.metrics.findLast((event) => event.name === name && !event.historical);
}

/** Who has heard everything up to `at` with the gateway ready. */
async function readyAt(at: EpochMs): Promise<void> {
  await bench.until(() => bench.ready === at);
}

/** Started at 08:54 with the product of 09:00 on offer; market time stands. */
async function started(): Promise<void> {
  bench.answers(ACCEPT);
  await bench.clock(START, START);
  await bench.products();
  await bench.start();
  await readyAt(START);
}

describe('readings', () => {
  test('what the meter shows at a boundary is what a host hears, with the time of the boundary', async () => {
    await started();
    await bench.clock(START, GATE);
    await readyAt(GATE);
    await bench.clock(GATE, DELIVERY);
    await readyAt(DELIVERY);
    await bench.until(() => latest('Meter/ExportWh')?.at === DELIVERY);
    const { importRegister, exportRegister } = bench.home.world.meter;
    expect(bench.home.world.at).toBe(DELIVERY);
    expect(latest('Meter/ImportWh')).toMatchObject({ value: importRegister, quality: 'good', at: DELIVERY });
    expect(latest('Meter/ExportWh')).toMatchObject({ value: exportRegister, quality: 'good', at: DELIVERY });
    expect([importRegister, exportRegister > 0]).toEqual([1000, true]);
    const log = readFileSync(join(bench.folder, 'log', 'meter-sync.log'), 'utf8');
    expect(log).toMatch(
      new RegExp(
        `^2026-06-21T09:00Z ${PLAN.id} -?\\d+ W, import ${importRegister} Wh, export ${exportRegister} Wh, good$`,
        'm',
      ),
    );
  });

  test('a meter that does not answer dies, a gateway goes on without it, and it is born again', async () => {
    await started();
    await bench.until(() => latest('Meter/PowerW')?.quality === 'good');
    await bench.unplug();
    await bench.until(() => bench.lives.includes('meter dead') && bench.lives.includes('inverter dead'));
    expect(latest('Meter/ImportWh')?.quality).toBe('stale');
    await bench.clock(START, GATE);
    await readyAt(GATE);
    await bench.plugIn();
    await bench.until(() => bench.lives.lastIndexOf('meter born') > bench.lives.indexOf('meter dead'));
    await bench.until(() => latest('Meter/ImportWh')?.quality === 'good');
    expect(bench.log.filter((line) => line.startsWith('meter does not answer'))).toHaveLength(1);
  });

  test('a counter that went back, and one that rose too fast, are published as bad and do not count', async () => {
    await started();
    await bench.clock(START, null, 60);
    await bench.until(() => (latest('Meter/ImportWh')?.at ?? 0) > START);
    const show = (imported: number) => {
      bench.home.world = homeWithMeter(imported, bench.home.world);
    };
    show(51_000);
    await bench.until(() => latest('Meter/ImportWh')?.quality === 'bad');
    expect(latest('Meter/ImportWh')?.value).toBeGreaterThanOrEqual(51_000);
    show(1000);
    await bench.until(() => latest('Meter/ImportWh')?.quality === 'good');
    show(999);
    await bench.until(() => latest('Meter/ImportWh')?.quality === 'bad');
    show(1000);
    await bench.until(() => latest('Meter/ImportWh')?.quality === 'good');
    expect(bench.log.filter((line) => line.includes('implausible_jump'))).toHaveLength(1);
    expect(bench.log.filter((line) => line.includes('counter_went_back'))).toHaveLength(1);
  });

  test('a link that loses too much makes its readings stale until it is good again', async () => {
    await started();
    await bench.clock(START, null, 60);
    bench.home.mood = 'every second';
    await bench.until(() => latest('Meter/PowerW')?.quality === 'stale');
    expect(bench.lives).not.toContain('meter dead');
    bench.home.mood = 'answers';
    await bench.until(() => latest('Meter/PowerW')?.quality === 'good');
    expect(bench.log).toEqual(['meter: its link loses too much, so it is stale', 'meter: its link is good again']);
  });
});

describe('orders', () => {
  test('an order is signed by its member and sent once; a restart finds it', async () => {
    await started();
    expect(bench.orders).toMatchObject([{ kind: 'order', product: DELIVERY, clientOrderId: 1, side: 'sell' }]);
    await bench.products();
    await bench.stop();
    await bench.start();
    await bench.clock(START, GATE);
    await readyAt(GATE);
    const sent = bench.orders.map(({ kind, clientOrderId }) => `${kind} ${clientOrderId}`);
    expect(new Set(sent).size).toBe(sent.length);
    expect(bench.log).toEqual([]);
  });

  test('an order without an answer is repeated as it was, and the gateway is not ready before', async () => {
    bench.answers(() => (bench.orders.length < 2 ? null : ACCEPT()));
    await bench.clock(START, START);
    await bench.products();
    await bench.start();
    await readyAt(START);
    expect(bench.orders).toHaveLength(2);
    expect(bench.orders[1]).toEqual(bench.orders[0]);
  });

  test('a refusal is told once and leaves nothing behind that the gateway believes in', async () => {
    bench.answers(() => ({ ok: false, code: 'member_halted' }));
    await bench.clock(START, START);
    await bench.products();
    await bench.start();
    await readyAt(START);
    await bench.clock(START, GATE);
    await readyAt(GATE);
    expect(bench.orders.every(({ kind }) => kind === 'order')).toBe(true);
    expect(bench.log).toEqual([expect.stringContaining('was refused: member_halted')]);
  });

  test('a number that is taken by an order from before is given up for the next', async () => {
    bench.answers(({ kind, clientOrderId }) =>
      kind === 'order' && clientOrderId === 1 ? { ok: false, code: 'exists_with_different_energy' } : ACCEPT(),
    );
    await bench.clock(START, START);
    await bench.products();
    await bench.start();
    await readyAt(START);
    expect(bench.orders.map(({ kind, clientOrderId }) => `${kind} ${clientOrderId}`)).toEqual([
      'order 1',
      'cancel 1',
      'order 2',
    ]);
  });
});

test('what the relay and the heartbeats say becomes metrics of the node', async () => {
  await publishJson(bench.bus, memberTopic(MARKET, 'safety', PLAN.id), { closed: true, faultCode: 3 }, true);
  await started();
  await bench.until(() => latest('Safety/FaultCode')?.value === 3);
  expect(latest('Safety/Relay')).toMatchObject({ value: true, quality: 'good', at: START });
  const ahead = { market: MARKET, sequence: 1, wall: Date.now() + 400, signature: `0x${'0'.repeat(128)}` };
  await publishJson(bench.bus, marketTopic(MARKET, 'heartbeat'), ahead);
  await bench.until(() => Number(latest('Node/ClockOffsetMs')?.value) < -50);
  expect(latest('Node/ClockOffsetMs')?.value).toBeGreaterThan(-401);
});
