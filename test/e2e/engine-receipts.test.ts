import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { z } from 'zod';
import { demoOrderKey } from '../../src/adapters/keys/demo-keys.ts';
import { addressOf, keccakHasher } from '../../src/adapters/keys/secp256k1-signer.ts';
import { connectMqttBus } from '../../src/adapters/mqtt/mqtt-bus.ts';
import { gateMessage, gateTopic, memberTopic, receiptMessage } from '../../src/adapters/mqtt/wire.ts';
import { run as runCli } from '../../src/apps/cli/run.ts';
import { engineConfig } from '../../src/apps/engine/engine-config.ts';
import { type RunningEngine, run } from '../../src/apps/engine/run.ts';
import type { DeviceBus } from '../../src/domain/ports.ts';
import { toHex } from '../../src/domain/proof/canonical-bytes.ts';
import type { ClearingArtefact } from '../../src/domain/proof/clearing-artefact.ts';
import { gateRootHash } from '../../src/domain/proof/typed-statement.ts';
import type { MarketId } from '../../src/domain/units/identity.ts';
import type { EpochMs } from '../../src/domain/units/time.ts';
import {
  type BenchMember,
  type EngineBench,
  getJson,
  HandWall,
  MARKET,
  openBench,
  QUARTER_MS,
  SEED,
} from './engine-bench.ts';

const START = Date.UTC(2026, 5, 21, 8, 54);
const FIRST = Date.UTC(2026, 5, 21, 9, 15);
const SIGNER = addressOf(demoOrderKey(SEED, 'receipts'));

type Receipts = z.infer<typeof receiptMessage>;
type Gate = z.infer<typeof gateMessage>;

let bench: EngineBench;
let wall: HandWall;
let engine: RunningEngine;
let bus: DeviceBus;
let [buyer, seller]: BenchMember[] = [];
const receipts = new Map<string, Receipts[number][]>();
/** By product; a root that was taken back is null. */
const gates = new Map<number, { readonly gate: Gate | null; readonly at: number }>();

const start = () =>
  run(engineConfig.parse(bench.file({ dispute_intervals: 2 })), { wall, mode: 'paper', log: () => undefined });

beforeAll(async () => {
  bench = await openBench();
  wall = new HandWall(START);
  engine = await start();
  bus = await connectMqttBus({ url: bench.broker.url, clientId: 'observer', failFast: true });
  await bus.subscribe(memberTopic(MARKET, 'receipt', '+'), 1, ({ topic, payload }) => {
    const member = topic.slice(topic.lastIndexOf('/') + 1);
    const read = receiptMessage.parse(JSON.parse(Buffer.from(payload).toString('utf8')));
    receipts.set(member, [...(receipts.get(member) ?? []), ...read]);
  });
  await bus.subscribe(gateTopic(MARKET, '+'), 1, ({ topic, payload }) => {
    const gate = payload.length === 0 ? null : gateMessage.parse(JSON.parse(Buffer.from(payload).toString('utf8')));
    gates.set(Number(topic.slice(topic.lastIndexOf('/') + 1)), { gate, at: wall.wallNow() });
  });
  [buyer, seller] = [await bench.member('home-01'), await bench.member('home-02')];
});

afterAll(async () => {
  await engine.stop();
  await bus.close();
  await bench.close();
});

async function verify(...argv: string[]) {
  const said = { out: '', err: '' };
  const take = (name: 'out' | 'err') => async (text: string) => {
    said[name] += text;
  };
  const terminal = { out: take('out'), err: take('err'), color: false };
  const code = await runCli(['ledger', 'verify', '--interval', String(FIRST), ...argv], terminal);
  return { code, ...said };
}

function file(name: string, content: unknown): string {
  const path = join(bench.folder, name);
  writeFileSync(path, JSON.stringify(content));
  return path;
}

const artefactOf = (query = '') => getJson<ClearingArtefact>(engine.url, `clearing/${FIRST}/artefact${query}`);

describe('before the gate', () => {
  test('every order and withdrawal brings its member, and nobody else, a receipt', async () => {
    await buyer?.ask(buyer.order({ product: FIRST, clientOrderId: 1, limit: 250_000, energy: 800 }));
    await buyer?.ask(buyer.order({ product: FIRST, clientOrderId: 2, limit: 200_050 }));
    await seller?.ask(seller.order({ product: FIRST, clientOrderId: 1, side: 'sell', limit: 100_000, energy: 1000 }));
    await seller?.ask(seller.order({ product: FIRST, clientOrderId: 2, side: 'sell', limit: 110_000, energy: 10 }));
    await seller?.ask(seller.cancel(FIRST, 2));
    await expect.poll(() => [receipts.get('home-01')?.length, receipts.get('home-02')?.length]).toEqual([2, 3]);
    const verdicts = [...receipts.values()].map((own) => own.map(({ receipt }) => [receipt.member, receipt.verdict]));
    expect(verdicts).toEqual([
      [
        ['home-01', 'accepted'],
        ['home-01', 'tick_size'],
      ],
      [
        ['home-02', 'accepted'],
        ['home-02', 'accepted'],
        ['home-02', 'cancelled'],
      ],
    ]);
    expect(receipts.get('home-02')?.map(({ receipt }) => receipt.sequence)).toEqual(
      seller?.replies.map(({ sequence }) => sequence),
    );
  });

  test('the product is sealed: no artefact, no reason, no root', async () => {
    for (const path of ['artefact', 'why?member=home-01', 'artefact?member=home-01']) {
      expect(await getJson(engine.url, `clearing/${FIRST}/${path}`)).toMatchObject({ code: 'not_cleared' });
    }
    expect(gates.has(FIRST)).toBe(false);
    expect((await verify('--engine', engine.url)).code).toBe(3);
  });
});

describe('after the gate', () => {
  let root = '';

  test('the signed root is there before delivery, and stays for whoever comes later', async () => {
    await wall.goTo(FIRST - 300_000 + 1);
    await expect.poll(() => gates.get(FIRST)?.gate?.gate.commands).toBe(5);
    const found = gates.get(FIRST);
    expect(found?.at).toBeLessThan(FIRST);
    expect(found?.gate?.engine).toBe(SIGNER);
    const late: number[] = [];
    const other = await connectMqttBus({ url: bench.broker.url, clientId: 'late', failFast: true });
    await other.subscribe(gateTopic(MARKET, '+'), 1, ({ topic }) => late.push(Number(topic.split('/').at(-1))));
    await expect.poll(() => late).toContain(FIRST);
    await other.close();
    const gate = found?.gate?.gate;
    if (gate === undefined) throw new Error('no root');
    const { market, product, ...rest } = gate;
    root = toHex(gateRootHash({ ...rest, market: market as MarketId, product: product as EpochMs }, keccakHasher));
  });

  test('p2p-cli replays the clearing under that root, in agreement with every receipt', async () => {
    const all = file('receipts.json', [...receipts.values()].flat());
    const { code, out, err } = await verify(
      '--engine',
      engine.url,
      '--root',
      root,
      '--signer',
      SIGNER,
      '--receipt',
      all,
    );
    expect([code, err]).toEqual([0, '']);
    expect(out).toContain('5 commands replay to the same verdicts, prices and trades, in agreement with 5 receipts');
    expect((await verify('--engine', engine.url, '--root', root, '--twin')).code).toBe(0);
  });

  test('a member sees its own orders and hashes of the rest, and checks them under the same root', async () => {
    const { code, out } = await verify('--engine', engine.url, '--member', 'home-01', '--root', root);
    expect([code, out]).toEqual([0, expect.stringContaining('2 commands of home-01 stand among 5')]);
    const text = JSON.stringify(await artefactOf('?member=home-01'));
    expect(text).not.toContain('home-02');
    expect(await getJson(engine.url, `clearing/${FIRST}/artefact?member=home-99`)).toMatchObject({
      code: 'unknown_member',
    });
  });

  test('an order that the operator leaves out is found by its receipt', async () => {
    const artefact = await artefactOf();
    const victim = receipts.get('home-01')?.[0];
    const commands = artefact.commands.filter(
      (part) => !('sequence' in part && part.sequence === victim?.receipt.sequence),
    );
    expect(commands).toHaveLength(4);
    const path = file('omitted.json', { ...artefact, commands, gate: { ...artefact.gate, commands: 4 } });
    const { code, out } = await verify('--artefact', path, '--receipt', file('victim.json', victim));
    expect([code, out]).toEqual([1, expect.stringContaining(`order_omitted at sequence ${victim?.receipt.sequence}`)]);
  });

  test('a price that was changed is named', async () => {
    const artefact = await artefactOf();
    const result = { ...artefact.result, prices: artefact.result.prices.map((price) => (price ?? 0) + 100) };
    const { code, out } = await verify('--artefact', file('price.json', { ...artefact, result }), '--root', root);
    expect([code, out]).toEqual([1, expect.stringContaining('price_differs')]);
  });

  test('why the price, in one answer', async () => {
    const why = await getJson(engine.url, `clearing/${FIRST}/why?member=home-02`);
    expect(why).toMatchObject({
      ...{ interval: FIRST, member: 'home-02', tradedWh: 800 },
      demand: [{ pricePerKwh: '0.25', energyWh: 800 }],
      supply: [{ pricePerKwh: '0.1', energyWh: 1000 }],
      orders: [
        { clientOrderId: 1, side: 'sell', energyWh: 1000, filledWh: 800, code: 'partly_filled' },
        { clientOrderId: 2, side: 'sell', energyWh: 10, filledWh: 0, code: 'cancelled' },
      ],
      why: expect.stringContaining('home-02 sold 800 of 1000 Wh'),
    });
  });

  test('an engine that starts again shows the same artefact, root and all, and goes on with its chain', async () => {
    const before = await artefactOf();
    await engine.stop();
    engine = await start();
    expect(await artefactOf()).toEqual(before);
    const next = FIRST + QUARTER_MS;
    const known = receipts.get('home-01')?.length ?? 0;
    await buyer?.ask(buyer.order({ product: next, clientOrderId: 1 }));
    await buyer?.ask(buyer.order({ product: next, clientOrderId: 2 }));
    await expect.poll(() => receipts.get('home-01')?.length).toBe(known + 2);
    const [one, two] = receipts.get('home-01')?.slice(-2) ?? [];
    expect([one?.count, two?.count]).toEqual([1, 1]);
    expect(one?.head.previous).not.toBe(two?.head.previous);
  });

  test('root and artefact go when the dispute window is over', async () => {
    for (let quarter = 0; quarter < 5; quarter += 1) await wall.goTo(FIRST + quarter * QUARTER_MS + 120_000);
    await expect.poll(() => gates.get(FIRST)?.gate).toBeNull();
    expect(await getJson(engine.url, `clearing/${FIRST}/artefact`)).toMatchObject({ code: 'not_cleared' });
  });
});
