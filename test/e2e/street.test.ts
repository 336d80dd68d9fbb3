import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Hex } from 'viem';
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from 'vitest';
import { contentOf, payloadOf } from '../../src/adapters/evm/settlement-content.ts';
import type { Command } from '../../src/domain/engine/command.ts';
import { parseDecimal } from '../../src/domain/units/decimal.ts';
import { type Replay, replayCommands } from '../../src/sim/replay-driver.ts';
import { ROOT } from '../house/tree.ts';
import {
  chainOf,
  httpOf,
  observeStreet,
  type Reply,
  readCommands,
  readMeters,
  type StreetObserver,
} from './street-observer.ts';
import { expectGone, kill, pidOf, placesOf, processesOf, type StreetPlaces, StreetRun } from './street-run.ts';

/** The living street as a person starts it, seen through every door it has. */

const INTERVAL_MS = 900_000;
/** 11:00 in Berlin. */
const FIRST_DELIVERY = Date.parse('2026-06-21T09:00Z');
const HOMES = Array.from({ length: 12 }, (_, index) => `home-${String(index + 1).padStart(2, '0')}`);
const METERS = [...HOMES, 'feeder'];
const ZERO = { energyWh: '0', money: '0' };
const SECONDS = 1000;

let runs: StreetRun[] = [];
let cleanups: (() => unknown)[] = [];
afterEach(async ({ task }) => {
  if (task.result?.state === 'fail') for (const run of runs) console.error(run.report());
  runs = [];
  for (const clean of cleanups.reverse()) await clean();
  cleanups = [];
});

async function newState(): Promise<string> {
  return await mkdtemp(join(tmpdir(), 'energy-logic-street-'));
}

function start(state: string, ...args: readonly string[]): StreetRun {
  const run = new StreetRun(state, ...args);
  runs.push(run);
  cleanups.push(() => run.end());
  return run;
}

/** When the engine has opened its doors. */
async function listening(run: StreetRun): Promise<StreetPlaces> {
  const look = () => {
    try {
      return hasPart(run.state, 'street') ? placesOf(run.state) : null;
    } catch {
      return null;
    }
  };
  const early = run.ended.then((code) => Promise.reject(new Error(`ended with ${code}: ${run.errors}`)));
  return await Promise.race([vi.waitUntil(look, { timeout: 60 * SECONDS, interval: 20 }), early]);
}

function hasPart(state: string, part: 'engine' | 'street'): boolean {
  try {
    return pidOf(state, part) > 0;
  } catch {
    return false;
  }
}

async function observe({ broker }: StreetPlaces): Promise<StreetObserver> {
  const observer = await observeStreet(broker, METERS);
  cleanups.push(() => observer.close());
  return observer;
}

function startsFrom(first: number, count: number): number[] {
  return Array.from({ length: count }, (_, index) => first + index * INTERVAL_MS);
}

/** The commands up to and with the one that completed the `count`th settlement. */
function firstSettled(commands: readonly Command[], count: number): Replay {
  const last = FIRST_DELIVERY + count * INTERVAL_MS;
  const end = commands.findIndex((command) => command.type === 'complete' && command.boundary === last);
  return replayCommands(commands.slice(0, end + 1));
}

describe('a street', () => {
  let state: string;
  beforeAll(async () => {
    state = await newState();
  });
  afterAll(() => rm(state, { recursive: true }));

  test('trades and settles, and its meters say the same on Modbus, on the bus and in the journal', async () => {
    const run = start(state, '--speed', '100', '--intervals', '3');
    const observer = await observe(await listening(run));
    const boundary = FIRST_DELIVERY + 2 * INTERVAL_MS;
    await observer.marketTime(boundary - 60 * SECONDS);
    expect([...observer.faults()]).toEqual([]);
    // With the engine at a stop market time stands at the boundary, so registers stand too.
    process.kill(pidOf(state, 'engine'), 'SIGSTOP');
    await observer.until(() => observer.readingsAt(boundary).size === METERS.length);
    expect(observer.clock.now()).toBe(boundary);
    const registers = await readMeters(state);
    process.kill(pidOf(state, 'engine'), 'SIGCONT');
    expect(new Map([...registers].sort())).toEqual(new Map([...observer.readingsAt(boundary)].sort()));

    expect(await run.ended, run.errors).toBe(0);
    expectGone(state);
    expect(run.objects.length).toBe(4);
    expect(run.told.map(({ interval }) => interval)).toEqual(startsFrom(FIRST_DELIVERY, 3));
    for (const told of run.told) expect(told.settledBlock).toBeGreaterThan(0);
    expect(run.told.every(({ tradedWh, deliveredWh, orders }) => tradedWh > 0 && deliveredWh > 0 && orders > 1)).toBe(
      true,
    );
    expect(run.summary).toMatchObject({ intervals: 3, conservation: ZERO });
    expect([...observer.closedAt.keys()].sort()).toEqual(HOMES);
    // Five market minutes of enter-service delay; a tick of the relay is 20 market seconds at this speed.
    for (const at of observer.closedAt.values()) expect(at).toBeLessThan(FIRST_DELIVERY + 60 * SECONDS);

    const commands = await readCommands(state);
    const completed = commands.flatMap((command) => (command.type === 'complete' ? [command] : []));
    const journaled = completed.find((command) => command.boundary === boundary);
    for (const { member, at, importRegister, exportRegister } of journaled?.readings ?? []) {
      expect([member, at, { importRegister, exportRegister }]).toEqual([member, boundary, registers.get(member)]);
    }
    expect(journaled?.readings.map(({ member }) => member).sort()).toEqual(HOMES);
    expect(journaled?.feeder).toMatchObject(registers.get('feeder') ?? {});
  }, 120_000);

  test('continues with the next interval; the batch driver, the chain and the statements agree', async () => {
    const run = start(state, '--speed', '100');
    await run.until(({ told }) => told.length === 1);
    const places = placesOf(state);
    const second = new StreetRun(state, '--speed', '100');
    const [http, chain] = [httpOf(places.dashboard), await chainBehind(places)];
    const settled = (await http.ledger()).entries.map(({ interval }) => interval);
    const statements = await Promise.all(HOMES.map((home) => http.statement(home)));
    const [balances, ledger] = [await chain.balances(), await http.ledger()];
    expect(ledger.state.settledIntervals, 'nothing was settled while we looked').toBe(settled.length);
    expect(settled).toEqual(startsFrom(FIRST_DELIVERY, 4));
    expect(await chain.settlementEvents()).toEqual(settled);
    const hashes = await Promise.all(settled.map((interval) => chain.payloadHash(interval)));
    expect(await second.ended).toBe(3);
    expect(second.errors).toContain(`is in use by process ${pidOf(state, 'start')}`);

    await run.interrupt();
    expect(await run.ended, run.errors).toBe(0);
    expectGone(state);
    expect(run.told[0]?.interval).toBe(FIRST_DELIVERY + 3 * INTERVAL_MS);
    expect(run.summary).toMatchObject({ intervals: run.told.length, conservation: ZERO });

    const replay = firstSettled(await readCommands(state), settled.length);
    expect(balances).toEqual(replay.books.accounts.members);
    expect(ledger.entries.map(({ payloadHash }) => payloadHash)).toEqual(hashes);
    expect([...replay.settlements.values()].map(payloadHashOf)).toEqual(hashes);
    for (const { member, lines } of statements) {
      const positions = [...replay.settlements.values()].flatMap(({ positions }) =>
        positions.filter((position) => position.member === member.id),
      );
      const sum = (pick: (position: (typeof positions)[number]) => number) =>
        positions.reduce((total, position) => total + pick(position), 0);
      expect(member).toMatchObject({
        boughtWh: sum(({ bought }) => bought),
        soldWh: sum(({ sold }) => sold),
        importWh: sum(({ imported }) => imported),
        exportWh: sum(({ exported }) => exported),
      });
      expect(nano(member.bill)).toBe(-(balances.get(member.id) ?? 0n));
      expect(lines.reduce((total, { amount }) => total + nano(amount), 0n)).toBe(balances.get(member.id));
    }
  }, 120_000);
});

async function chainBehind({ dashboard, ledger }: StreetPlaces) {
  const { address } = await httpOf(dashboard).ledger();
  return chainOf(ledger, address as Hex);
}

/** Members are numbered in the order of their ids. */
function payloadHashOf(settlement: Replay['settlements'] extends ReadonlyMap<unknown, infer Each> ? Each : never) {
  const content = contentOf({ settlement, chunk: 0, chunks: 1 });
  if ('refusal' in content) throw new Error(content.refusal);
  return payloadOf(content, new Map(HOMES.map((home, index) => [home, index + 1]))).payloadHash;
}

function nano(money: string): bigint {
  return BigInt(parseDecimal(money, 9) ?? Number.NaN);
}

test('engine, ledger node and broker killed in mid-interval: no order lost or taken twice, one settlement each', async () => {
  const state = await newState();
  cleanups.push(() => rm(state, { recursive: true }));
  const run = start(state, '--speed', '100');
  const replies: Reply[] = [];
  const observer = await observe(await listening(run));
  await run.until(({ told }) => told.length === 1);

  // Orders are under way at the last plan before a gate.
  const gate = Math.ceil(observer.clock.now() / INTERVAL_MS) * INTERVAL_MS - 300 * SECONDS;
  await observer.marketTime(gate - 30 * SECONDS);
  const engine = pidOf(state, 'engine');
  kill(engine, 'SIGKILL');
  await run.until(({ told }) => told.length === 2);
  expect(pidOf(state, 'engine')).not.toBe(engine);

  const anvil = pidOf(state, 'anvil');
  await observer.marketTime(gate + INTERVAL_MS);
  kill(anvil, 'SIGKILL');
  await run.until(({ told }) => told.length === 3);
  expect(pidOf(state, 'anvil')).not.toBe(anvil);

  await observer.marketTime(gate + 2 * INTERVAL_MS);
  replies.push(...observer.replies);
  kill(pidOf(state, 'start'), 'SIGKILL');
  await run.ended;
  // Who has lost its supervisor ends by itself, so that no other street meets it; the ledger node cannot know.
  const left = pidOf(state, 'anvil');
  await vi.waitUntil(() => processesOf(state).every((pid) => pid === left), { timeout: 20 * SECONDS });

  const next = start(state, '--speed', '100');
  const again = await observe(await listening(next));
  await next.until(({ told }) => told.length === 2);
  const places = placesOf(state);
  const chain = await chainBehind(places);
  const events = await chain.settlementEvents();
  replies.push(...again.replies);
  await next.interrupt();
  expect(await next.ended, next.errors).toBe(0);
  expectGone(state);
  expect(next.errors).toContain(`ended anvil of an earlier run (pid ${left})`);

  const told = [...run.told, ...next.told].map(({ interval }) => interval);
  expect(told).toEqual(startsFrom(FIRST_DELIVERY, told.length));
  expect(events.slice(0, 5).sort()).toEqual(startsFrom(FIRST_DELIVERY, 5));
  expect(new Set(events).size).toBe(events.length);
  expect(next.summary.conservation).toEqual(ZERO);
  expectAcknowledgedOnce(replies, await readCommands(state));
}, 180_000);

/** Every order that was answered with yes is in the journal where the answer says, and is accepted once. */
function expectAcknowledgedOnce(replies: readonly Reply[], commands: readonly Command[]): void {
  const acknowledged = replies.filter(({ kind, ok }) => kind === 'order' && ok);
  expect(acknowledged.length).toBeGreaterThan(HOMES.length);
  for (const { member, product, clientOrderId, sequence } of acknowledged) {
    expect(commands[(sequence ?? 0) - 1]).toMatchObject({ type: 'order', member, product, clientOrderId });
  }
  const asked = commands.filter((command) => command.type === 'order' || command.type === 'cancel');
  const { verdicts } = replayCommands(commands);
  expect(verdicts.length).toBe(asked.length);
  const accepted = asked.flatMap((command, index) =>
    command.type === 'order' && verdicts[index]?.code === 'accepted'
      ? [`${command.member} ${command.product} ${command.clientOrderId}`]
      : [],
  );
  expect(new Set(accepted).size).toBe(accepted.length);
  for (const { member, product, clientOrderId } of acknowledged) {
    expect(accepted).toContain(`${member} ${product} ${clientOrderId}`);
  }
}

describe('a person', () => {
  let state: string;
  beforeAll(async () => {
    state = await newState();
  });
  afterAll(() => rm(state, { recursive: true }));

  test('is told of a planted meter error of 1 Wh, and other programs may have the usual ports', async () => {
    const others = await Promise.all([1883, 8080, 8545].map(occupy));
    cleanups.push(...others.map((other) => () => other?.close()));
    const run = start(
      state,
      ...['--speed', '1000', '--no-interlock', '--intervals', '2', '--homes', '3', '--seed', '7'],
      ...['--meter-error', 'home-03=1'],
    );
    expect(await run.ended).toBe(1);
    expect(run.told.map(({ interlock }) => interlock)).toEqual([false, false]);
    expect(run.summary.conservation.energyWh).toBe('-1');
    expect(parseDecimal(run.summary.conservation.money, 9)).toBeLessThan(0);
    const { broker, dashboard, ledger } = placesOf(state);
    expect([broker, dashboard, ledger]).not.toContainEqual(expect.stringMatching(/:(1883|8080|8545)\b/));
    expectGone(state);
  }, 60_000);

  test('who names a port that is taken is told so at once', async () => {
    const other = await listenOn(0);
    cleanups.push(() => other.close());
    const address = other.address();
    const port = typeof address === 'object' ? (address?.port ?? 0) : 0;
    const run = start(state, '--fresh', '--port', String(port));
    expect(await run.ended).toBe(3);
    expect(run.objects).toEqual([]);
    expect(run.errors).toContain('PORT_TAKEN');
    expect(run.errors).toContain(`127.0.0.1:${port}`);
    expectGone(state);
  }, 30_000);

  test('who changes his mind while it begins leaves nothing behind', async () => {
    const run = start(state, '--fresh');
    await vi.waitUntil(() => hasPart(state, 'engine'), { timeout: 30 * SECONDS, interval: 10 });
    await run.interrupt();
    expect(await run.ended, run.errors).toBe(0);
    expectGone(state);
  }, 60_000);

  test.each([
    [['--speed', '400'], '--no-interlock'],
    [['--hoems', '3'], '--homes'],
    [['--homes', '3', '--meter-error', 'home-04=1'], 'home-04'],
    [['--meter-error', 'home-04'], 'home-03=1'],
  ])('who types %j is refused and told of %s', async (args, told) => {
    const child = spawn(process.execPath, [join(ROOT, 'bin/start.js'), '--state', state, ...args]);
    let errors = '';
    child.stderr.on('data', (chunk) => {
      errors += chunk;
    });
    const [code] = await once(child, 'close');
    expect(code).toBe(2);
    expect(errors).toContain(told);
  });
});

/** Another program's port; null where another program has it already. */
async function occupy(port: number): Promise<Server | null> {
  return await listenOn(port).catch(() => null);
}

async function listenOn(port: number): Promise<Server> {
  const server = createServer((socket) => socket.destroy());
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');
  return server;
}
