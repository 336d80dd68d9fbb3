import { mkdtempSync, rmSync } from 'node:fs';
import { loadavg, tmpdir } from 'node:os';
import { join } from 'node:path';
import { epochMs } from '../../src/domain/units/time.ts';
import { type LoadedEngine, startEngine } from './doors-engine.ts';
import { measureFlood } from './doors-flood.ts';
import { closedLoop, type LoadFigures, openLoop, quantile } from './doors-load.ts';
import { type LoadMembers, openLoadMembers } from './doors-members.ts';
import { type LoadDoor, openHttpLoad, openMqttLoad } from './doors-open.ts';
import { OrderMaker, type ReadyOrder } from './doors-orders.ts';
import { median, rounded } from './rounds.ts';

/** Orders a second and their latency over HTTP and MQTT, and what a flood of one member does to the others. */
const SIZES = {
  full: { members: 1000, perSecond: 500, orders: 10_000, openOrders: 10_000, rounds: 3, pairs: 15, floodSeconds: 2 },
  quick: { members: 1000, perSecond: 500, orders: 1000, openOrders: 600, rounds: 1, pairs: 7, floodSeconds: 0.4 },
  tiny: { members: 20, perSecond: 200, orders: 40, openOrders: 40, rounds: 1, pairs: 1, floodSeconds: 0.2 },
} as const;
const MEMBERS_PER_LINK = 100;
const QUARTER_MS = 900_000;
const AHEAD_MS = 7_200_000;

const size = SIZES[process.argv.includes('--tiny') ? 'tiny' : process.argv.includes('--quick') ? 'quick' : 'full'];
/** Open for the next two hours. */
const PRODUCT = epochMs(Math.ceil((Date.now() + AHEAD_MS) / QUARTER_MS) * QUARTER_MS);

const folder = mkdtempSync(join(tmpdir(), 'bench-doors-'));
try {
  const members = await openLoadMembers(size.members);
  const engine = await startEngine(folder, members, {});
  try {
    await measureAll(engine, members);
  } finally {
    await engine.close();
  }
} finally {
  rmSync(folder, { recursive: true });
}

async function measureAll(engine: LoadedEngine, members: LoadMembers): Promise<void> {
  const maker = new OrderMaker(members, PRODUCT);
  const http = await openHttpLoad(engine.engine.url, members);
  const mqtt = await openMqttLoad(engine.broker.url, members, MEMBERS_PER_LINK);
  const doors = [
    { name: 'http', door: http },
    { name: 'mqtt', door: mqtt },
  ];
  const warmUp = maker.inTurn(members.ids.length);
  await closedLoop(http, warmUp.slice(0, warmUp.length / 2), members.ids.length / 2);
  await closedLoop(mqtt, warmUp.slice(warmUp.length / 2), members.ids.length / 2);
  const rounds: Round[] = [];
  for (let round = 0; round < size.rounds; round += 1) {
    for (const { name, door } of doors) {
      rounds.push(await measured(engine, name, 'closed', maker, (orders) => closedLoop(door, orders, size.members)));
      rounds.push(await measured(engine, name, 'open', maker, (orders) => openLoop(door, orders, size.perSecond)));
    }
  }
  for (const { name, door } of doors) {
    for (const loop of ['open', 'closed'])
      print(
        row(
          rounds.filter((one) => one.name === name && one.loop === loop),
          door,
        ),
      );
  }
  http.close();
  print(await measureFlood(mqtt, maker, size));
  mqtt.close();
}

interface Round {
  readonly name: string;
  readonly loop: string;
  readonly figures: LoadFigures;
  readonly engineCpuMs: number;
  readonly brokerCpuMs: number;
}

async function measured(
  { engine, broker }: LoadedEngine,
  name: string,
  loop: string,
  maker: OrderMaker,
  run: (orders: readonly ReadyOrder[]) => Promise<LoadFigures>,
): Promise<Round> {
  const orders = maker.inTurn(loop === 'open' ? size.openOrders : size.orders);
  const [engineFrom, brokerFrom] = [engine.cpuMs(), broker.cpuMs()];
  const figures = await run(orders);
  const [engineCpuMs, brokerCpuMs] = [engine.cpuMs() - engineFrom, broker.cpuMs() - brokerFrom];
  return { name, loop, figures, engineCpuMs, brokerCpuMs };
}

/** The median of the rounds, figure by figure. */
function row(rounds: readonly Round[], { connections }: LoadDoor): Record<string, string | number> {
  const over = (figure: (round: Round) => number) => rounded(median(rounds.map(figure)));
  const wait = (share: number) => over(({ figures }) => quantile(figures.waits, share));
  const { name = '', loop = '' } = rounds[0] ?? {};
  const rate = loop === 'open' ? { asked: size.perSecond } : { underWay: size.members };
  return {
    ...{ bench: 'market', door: name, loop, members: size.members, connections, ...rate },
    orders: rounds[0]?.figures.waits.length ?? 0,
    ordersPerSecond: over(({ figures }) => figures.waits.length / figures.seconds),
    ...{ msP50: wait(0.5), msP99: wait(0.99), msP999: wait(0.999) },
    refused: rounds.reduce((sum, { figures }) => sum + figures.refused, 0),
    engineCpuUsPerOrder: over(({ figures, engineCpuMs }) => (engineCpuMs * 1000) / figures.waits.length),
    brokerCpuUsPerOrder: over(({ figures, brokerCpuMs }) => (brokerCpuMs * 1000) / figures.waits.length),
    rounds: rounds.length,
  };
}

function print(figures: Record<string, string | number>): void {
  console.log(JSON.stringify({ ...figures, load: rounded(loadavg()[0] ?? Number.NaN) }));
}
