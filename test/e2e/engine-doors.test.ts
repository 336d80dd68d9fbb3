import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { demoOrderKey } from '../../src/adapters/keys/demo-keys.ts';
import { type SignedContent, signBatch } from '../../src/adapters/keys/order-evidence.ts';
import { connectMqttBus } from '../../src/adapters/mqtt/mqtt-bus.ts';
import { openEdgeSession } from '../../src/adapters/sparkplug/edge-session.ts';
import { engineConfig } from '../../src/apps/engine/engine-config.ts';
import { type RunningEngine, run } from '../../src/apps/engine/run.ts';
import { epochMs } from '../../src/domain/units/time.ts';
import {
  type BenchMember,
  CHAIN_ID,
  type EngineBench,
  getJson,
  HandWall,
  MARKET,
  openBench,
  post,
  QUARTER_MS,
  SEED,
} from './engine-bench.ts';

/** 2026-06-21 10:54 in Berlin. */
const START = Date.UTC(2026, 5, 21, 8, 54);
const FIRST = Date.UTC(2026, 5, 21, 9, 15);

let bench: EngineBench;
let wall: HandWall;
let engine: RunningEngine;
let home: BenchMember;
let other: BenchMember;
let product = FIRST;
const log: string[] = [];
let nextId = 100;

beforeAll(async () => {
  bench = await openBench();
  wall = new HandWall(START);
  engine = await run(engineConfig.parse(bench.file()), { wall, mode: 'paper', log: (line) => log.push(line) });
  home = await bench.member('home-01');
  other = await bench.member('home-02');
});

afterAll(async () => {
  await engine.stop();
  await bench.close();
});

describe('an order over HTTP', () => {
  test('is accepted with its place in the journal; the same again exists, at the same place', async () => {
    const message = home.order({ product, clientOrderId: 1 });
    const first = await post(engine.url, 'orders', 'home-01', message);
    expect(first).toEqual({ status: 200, code: 'accepted', sequence: expect.any(Number) });
    expect(await post(engine.url, 'orders', 'home-01', message)).toEqual({ ...first, code: 'exists' });
  });

  test.each([
    ['side', { side: 'sell' }, 'exists_with_different_side'],
    ['type', { type: 'market' }, 'exists_with_different_type'],
    ['limit', { limit: 200_100 }, 'exists_with_different_limit'],
    ['energy', { energy: 1001 }, 'exists_with_different_energy'],
  ] as const)('with the same id and another %s is a conflict', async (_, changes, code) => {
    const message = home.order({ product, clientOrderId: 1, ...changes });
    expect(await post(engine.url, 'orders', 'home-01', message)).toEqual({ status: 409, code });
  });

  test.each([
    ['outside the band', { limit: 300_100 }, 'outside_band'],
    ['below the band', { limit: 79_900, side: 'sell' }, 'outside_band'],
    ['off the tick', { limit: 200_050 }, 'tick_size'],
    ['of no energy', { energy: 0 }, 'energy_not_positive'],
    ['of more energy than an order may have', { energy: 2 ** 22 }, 'energy_too_large'],
    ['of the most energy that a message carries', { energy: 2 ** 31 - 1 }, 'energy_too_large'],
    ['that does not wait for the gate', { type: 'ioc' }, 'order_type_not_in_call'],
    ['that is filled whole or not at all', { type: 'fok' }, 'order_type_not_in_call'],
    ['that trades with its own sender', { side: 'sell', limit: 200_000 }, 'self_cross'],
    ['above what the devices deliver', { side: 'sell', limit: 250_000, energy: 2001 }, 'exceeds_capability'],
    ['for a product that is not open yet', { product: FIRST + 100 * QUARTER_MS }, 'unknown_product'],
    ['for a product between two boundaries', { product: FIRST + 1 }, 'unknown_product'],
    ['for the end of time', { product: Number.MAX_SAFE_INTEGER }, 'unknown_product'],
  ] as const)('%s is refused, and again the same way', async (_, changes, code) => {
    nextId += 1;
    const message = home.order({ product, clientOrderId: nextId, ...changes });
    const answers = [1, 2].map(() => post(engine.url, 'orders', 'home-01', message));
    expect(await Promise.all(answers)).toEqual([1, 2].map(() => ({ status: 422, code })));
  });

  test('of somebody who is no member is refused', async () => {
    expect(await post(engine.url, 'orders', 'home-99', home.order({ product, clientOrderId: 30 }))).toEqual({
      status: 422,
      code: 'unknown_member',
    });
  });

  test('with a bad signature learns nothing of the keys that exist', async () => {
    for (const clientOrderId of [1, 31]) {
      const forged = home.order({ product, clientOrderId }, 'home-02');
      expect(await post(engine.url, 'orders', 'home-01', forged)).toEqual({ status: 422, code: 'bad_signature' });
      const changed = { ...home.order({ product, clientOrderId }), energy: 5 };
      expect(await post(engine.url, 'orders', 'home-01', changed)).toEqual({ status: 422, code: 'bad_signature' });
      const elsewhere = home.order({ product, clientOrderId });
      expect(await post(engine.url, 'orders', 'home-02', elsewhere)).toEqual({ status: 422, code: 'bad_signature' });
    }
    expect(await post(engine.url, 'orders', 'home-01', home.order({ product, clientOrderId: 31 }))).toMatchObject({
      code: 'accepted',
    });
  });

  test.each([
    ['a negative energy', { energy: -1 }],
    ['a fraction of energy', { energy: 1.5 }],
    ['an energy beyond integers', { energy: 2 ** 53 }],
    ['an energy beyond any record', { energy: 2 ** 31 }],
    ['a limit beyond prices', { limit: 2 ** 31 }],
    ['an id beyond 32 bits', { clientOrderId: 2 ** 32 }],
    ['a key that nobody knows', { colour: 'red' }],
    ['another kind', { kind: 'cancel' }],
    ['a signature that is none', { signature: '0xzz' }],
  ])('%s is no order: 400, with a pointer to the place', async (_, changes) => {
    const message = { ...home.order({ product, clientOrderId: 40 }), ...changes };
    expect(await post(engine.url, 'orders', 'home-01', message)).toEqual({ status: 400, code: 'invalid_request' });
  });

  test('of 70 kB is not read', async () => {
    const message = { ...home.order({ product, clientOrderId: 41 }), signature: 'x'.repeat(70_000) };
    expect(await post(engine.url, 'orders', 'home-01', message)).toEqual({ status: 413, code: 'body_too_large' });
  });
});

test('an order is withdrawn once, and once more changes nothing', async () => {
  const order = home.order({ product, clientOrderId: 50, limit: 190_000 });
  expect(await post(engine.url, 'orders', 'home-01', order)).toMatchObject({ code: 'accepted' });
  const first = await post(engine.url, 'cancels', 'home-01', home.cancel(product, 50));
  expect(first).toEqual({ status: 200, code: 'cancelled', sequence: expect.any(Number) });
  expect(await post(engine.url, 'cancels', 'home-01', home.cancel(product, 50))).toEqual({ ...first, code: 'exists' });
  expect(await post(engine.url, 'cancels', 'home-01', home.cancel(product, 51))).toEqual({
    status: 422,
    code: 'unknown_order',
  });
  expect(await post(engine.url, 'cancels', 'home-01', home.cancel(product, 50, 'home-02'))).toEqual({
    status: 422,
    code: 'bad_signature',
  });
});

describe('over MQTT', () => {
  test('replies come on the own topic, and only there', async () => {
    const before = other.replies.length;
    const message = home.order({ product, clientOrderId: 60, limit: 180_000 });
    const reply = await home.ask(message);
    expect(reply).toEqual({
      kind: 'order',
      product,
      clientOrderId: 60,
      ok: true,
      code: 'accepted',
      sequence: expect.any(Number),
    });
    expect(await home.ask(message)).toEqual({ ...reply, code: 'exists' });
    expect(await home.ask(home.cancel(product, 60))).toMatchObject({ kind: 'cancel', ok: true, code: 'cancelled' });
    expect(other.replies).toHaveLength(before);
  });

  test('the two doors know each other', async () => {
    const message = home.order({ product, clientOrderId: 61, limit: 170_000 });
    const { sequence } = await home.ask(message);
    expect(await post(engine.url, 'orders', 'home-01', message)).toEqual({ status: 200, code: 'exists', sequence });
  });

  test("an order on somebody else's topic has no valid signature there", async () => {
    const before = other.replies.length;
    await home.send(home.order({ product, clientOrderId: 62 }), 'home-02');
    expect(await other.reply(before)).toMatchObject({ ok: false, code: 'bad_signature' });
  });

  test('what is no message is dropped, named once, and the engine lives', async () => {
    const good = home.order({ product, clientOrderId: 63, limit: 160_000 });
    for (const nonsense of [
      '',
      '{',
      'null',
      '[]',
      '"x"',
      '{"kind":"order"}',
      JSON.stringify({ ...good, energy: -1 }),
    ]) {
      await home.send(nonsense);
    }
    await home.send(good, 'home-99');
    expect(await home.ask(good)).toMatchObject({ clientOrderId: 63, code: 'accepted' });
    expect(log.filter((line) => line.includes('PAYLOAD_MALFORMED'))).toEqual([
      expect.stringContaining(`el/v1/${MARKET}/order/home-01`),
    ]);
  });
});

type Signed = ReturnType<BenchMember['order']> | ReturnType<BenchMember['cancel']>;

/** The same messages under one signature of the member. */
function batchOf(member: BenchMember, messages: readonly Signed[]) {
  const entries = messages.map(({ signature, ...entry }) => entry);
  const contents = entries.map((entry) => {
    const { kind, ...fields } = entry;
    const named = { ...fields, market: MARKET, member: member.id };
    return (kind === 'order' ? { kind, order: named } : { kind, key: named }) as SignedContent;
  });
  return { kind: 'batch', entries, signature: signBatch(CHAIN_ID, contents, demoOrderKey(SEED, member.id)) };
}

function send(path: string, member: string, message: object, headers: Record<string, string> = {}): Promise<Response> {
  const body = JSON.stringify({ member, ...message });
  const url = new URL(`/api/v1/${path}`, engine.url);
  return fetch(url, { method: 'POST', headers: { 'content-type': 'application/json', ...headers }, body });
}

describe('a batch', () => {
  const next = FIRST + QUARTER_MS;

  test('of several products is answered entry by entry over HTTP, and each of them exists from then on', async () => {
    const orders = [product, next].map((start, id) =>
      home.order({ product: start, clientOrderId: 80 + id, limit: 150_000 }),
    );
    const bad = home.order({ product, clientOrderId: 82, limit: 150_001 });
    const answer = await send('batches', 'home-01', batchOf(home, [...orders, bad, home.cancel(next, 81)]));
    expect([answer.status, await answer.json()]).toEqual([
      200,
      [
        { kind: 'order', product, clientOrderId: 80, ok: true, code: 'accepted', sequence: expect.any(Number) },
        { kind: 'order', product: next, clientOrderId: 81, ok: true, code: 'accepted', sequence: expect.any(Number) },
        { kind: 'order', product, clientOrderId: 82, ok: false, code: 'tick_size' },
        { kind: 'cancel', product: next, clientOrderId: 81, ok: true, code: 'cancelled', sequence: expect.any(Number) },
      ],
    ]);
    expect(await post(engine.url, 'orders', 'home-01', orders[0] ?? {})).toMatchObject({ code: 'exists' });
  });

  test('over MQTT has a reply for each entry on the own topic', async () => {
    const before = home.replies.length;
    await home.send(
      batchOf(
        home,
        [83, 84].map((clientOrderId) => home.order({ product, clientOrderId, limit: 140_000 })),
      ),
    );
    const replies = [await home.reply(before), await home.reply(before + 1)];
    expect(replies.map(({ clientOrderId, code }) => [clientOrderId, code])).toEqual([
      [83, 'accepted'],
      [84, 'accepted'],
    ]);
  });

  test("that somebody else signed, or another member's, is refused whole", async () => {
    const message = batchOf(home, [home.order({ product, clientOrderId: 85 })]);
    const answer = await send('batches', 'home-02', message);
    expect([answer.status, await answer.json()]).toEqual([422, expect.objectContaining({ code: 'bad_signature' })]);
  });
});

test('an Idempotency-Key gets the first answer again, and another order under it is refused', async () => {
  const message = home.order({ product, clientOrderId: 90, limit: 130_000 });
  const key = { 'idempotency-key': '"6f1d"' };
  const first = await (await send('orders', 'home-01', message, key)).json();
  expect(first).toMatchObject({ code: 'accepted' });
  expect(await (await send('orders', 'home-01', message, key)).json()).toEqual(first);
  const answer = await send('orders', 'home-01', home.order({ product, clientOrderId: 91 }), key);
  expect([answer.status, await answer.json()]).toEqual([
    422,
    expect.objectContaining({ code: 'idempotency_key_reused' }),
  ]);
});

test('a member whose clock is off places no new orders, until it is right again', async () => {
  const member = await bench.member('home-03');
  const edge = await openEdgeSession({
    openBus: (will) => connectMqttBus({ url: bench.broker.url, clientId: 'edge-home-03', will }),
    group: MARKET,
    node: 'home-03',
    now: () => wall.wallNow(),
    bdSeqStore: { load: () => null, save: () => undefined },
    nodeMetrics: [{ name: 'Node/ClockOffsetMs', type: 'Int32' }],
    devices: [],
  });
  const codeWith = async (offsetMs: number, clientOrderId: number): Promise<string> => {
    await edge.updateNode([{ name: 'Node/ClockOffsetMs', value: offsetMs }], epochMs(wall.wallNow() + clientOrderId));
    return (await member.ask(member.order({ product, clientOrderId }))).code;
  };
  await untilOnline('home-03');
  expect(await codeWith(51, 1)).toBe('price_mismatch');
  expect(await codeWith(-51, 2)).toBe('price_mismatch');
  expect(await codeWith(50, 3)).toBe('accepted');
  expect((await member.ask(member.order({ product, clientOrderId: 1 }))).code).toBe('price_mismatch');
  await edge.close();
});

async function untilOnline(id: string): Promise<void> {
  const events = await fetch(new URL('/api/v1/events', engine.url));
  const reader = events.body?.pipeThrough(new TextDecoderStream()).getReader();
  for (let text = ''; ; text += (await reader?.read())?.value ?? '') {
    if (new RegExp(`"id":"${id}","online":true`).test(text)) break;
  }
  await reader?.cancel();
}

test('openapi.json is served, as OpenAPI 3.1', async () => {
  const response = await fetch(new URL('/api/v1/openapi.json', engine.url));
  const document = (await response.json()) as { openapi: string; paths: Record<string, unknown> };
  expect(document.openapi).toBe('3.1.0');
  expect(Object.keys(document.paths)).toEqual(expect.arrayContaining(['/api/v1/now', '/api/v1/orders']));
});

test('a foreign Host header is turned away', async () => {
  const { hostname, port } = new URL(engine.url);
  const { get } = await import('node:http');
  const status = await new Promise((resolve, reject) => {
    get({ hostname, port, path: '/api/v1/now', headers: { host: 'evil.example' } }, ({ statusCode }) =>
      resolve(statusCode),
    ).on('error', reject);
  });
  expect(status).toBe(421);
});

test('after the gate nothing is taken, and what was answered before stays answered', async () => {
  const late = FIRST;
  const repeated = home.order({ product: late, clientOrderId: 1 });
  await wall.goTo(late - 300_000 + 1);
  await expect.poll(() => getJson<object>(engine.url, `clearing?interval=${late}`)).toMatchObject({ interval: late });
  expect(await post(engine.url, 'orders', 'home-02', other.order({ product: late, clientOrderId: 71 }))).toEqual({
    status: 422,
    code: 'gate_closed',
  });
  expect(await post(engine.url, 'orders', 'home-01', repeated)).toMatchObject({ status: 200, code: 'exists' });
  expect(await post(engine.url, 'cancels', 'home-01', home.cancel(late, 1))).toEqual({
    status: 422,
    code: 'gate_closed',
  });
  product = FIRST + QUARTER_MS;
  expect(await home.ask(home.order({ product, clientOrderId: 1 }))).toMatchObject({ code: 'accepted' });
});

test('a leap of the system clock moves nothing and is reported once', async () => {
  const now = async () => (await getJson<{ marketTime: number }>(engine.url, 'now')).marketTime;
  const before = await now();
  wall.jumpMs = -7_200_000;
  await wall.goTo(wall.wallNow() + 5000);
  expect((await now()) - before).toBe(5000);
  expect(log.filter((line) => line.startsWith('CLOCK_JUMPED'))).toEqual([
    expect.stringContaining('7200 s behind market time, which did not move'),
  ]);
});

test('a member who sends more than its share is told to wait, and the others are served', async () => {
  const flood = await bench.member('home-03');
  const message = flood.order({ product, clientOrderId: 1 });
  const sent = Array.from({ length: 400 }, () => send('orders', 'home-03', message));
  const quiet = post(engine.url, 'orders', 'home-02', other.order({ product, clientOrderId: 95, limit: 120_000 }));
  const answers = await Promise.all(sent);
  const refused = answers.filter(({ status }) => status === 429);
  expect(refused.length).toBeGreaterThan(0);
  expect(refused.every(({ headers }) => Number(headers.get('retry-after')) >= 1)).toBe(true);
  expect(await refused[0]?.json()).toMatchObject({ code: 'rate_limited' });
  expect(await quiet).toMatchObject({ status: 200, code: 'accepted' });
});
