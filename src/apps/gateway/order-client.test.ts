import { afterEach, expect, test } from 'vitest';
import { type OrderMessage, orderTopicMessage, type ReplyMessage } from '../../adapters/mqtt/wire.ts';
import type { DeviceBus } from '../../domain/ports.ts';
import { wh } from '../../domain/units/energy.ts';
import { pricePerKwh } from '../../domain/units/price.ts';
import { epochMs } from '../../domain/units/time.ts';
import { createMemoryBroker, type MemorySession } from '../../sim/memory-bus.ts';
import { type OrderClient, openOrderClient } from './order-client.ts';

const SIGNATURE = `0x${'ab'.repeat(65)}`;
const ORDER: Omit<OrderMessage, 'signature'> = {
  ...{ kind: 'order', product: epochMs(900_000), clientOrderId: 7, side: 'sell', type: 'limit' },
  ...{ limit: pricePerKwh(80_000), energy: wh(500) },
};
const ACCEPTED: ReplyMessage = {
  ...{ kind: 'order', product: ORDER.product, clientOrderId: 7, ok: true, code: 'accepted', sequence: 12 },
};

let clients: OrderClient[] = [];
afterEach(() => {
  for (const client of clients) client.close();
  clients = [];
});

/** A client, and a market that answers the nth message it hears as told. */
async function bench(answer: (nth: number, send: (reply: ReplyMessage) => Promise<void>) => void, attempts = 50) {
  const broker = createMemoryBroker();
  const member: MemorySession = await broker.connect({ clientId: 'member' });
  const market: DeviceBus = await broker.connect({ clientId: 'market' });
  const heard: unknown[] = [];
  const send = (reply: ReplyMessage) =>
    market.publish('el/v1/elm/reply/home-01', Buffer.from(JSON.stringify(reply)), { qos: 1 });
  await market.subscribe('el/v1/elm/order/home-01', 1, ({ payload }) => {
    heard.push(orderTopicMessage.parse(JSON.parse(Buffer.from(payload).toString())));
    answer(heard.length, send);
  });
  const sign = async () => SIGNATURE;
  const client = await openOrderClient({ bus: member, market: 'elm', member: 'home-01', repeatMs: 5, attempts, sign });
  clients.push(client);
  return { client, heard, member, send, idle: () => broker.idle() };
}

test('an order is signed, sent and answered once', async () => {
  const { client, heard } = await bench((_, send) => void send(ACCEPTED));
  expect(await client.order(ORDER)).toEqual(ACCEPTED);
  expect(heard).toEqual([{ ...ORDER, signature: SIGNATURE }]);
});

test('an order without an answer is repeated, always the same', async () => {
  const { client, heard } = await bench((nth, send) => nth === 3 && void send(ACCEPTED));
  expect(await client.order(ORDER)).toEqual(ACCEPTED);
  expect(heard.length).toBeGreaterThanOrEqual(3);
  expect(new Set(heard.map((message) => JSON.stringify(message))).size).toBe(1);
});

test.each(['rate_limited', 'queue_full', 'disk_full'])('%s is no answer: the order is sent again', async (code) => {
  const refusal = { ...ACCEPTED, ok: false, code };
  const { client, heard } = await bench((nth, send) => void send(nth < 3 ? refusal : ACCEPTED));
  expect(await client.order(ORDER)).toEqual(ACCEPTED);
  expect(heard.length).toBeGreaterThanOrEqual(3);
});

test('after its last repetition an order is given up, and a late answer harms nobody', async () => {
  const { client, heard, send, idle } = await bench(() => undefined, 3);
  expect(await client.order(ORDER)).toBeNull();
  expect(heard).toHaveLength(3);
  await send(ACCEPTED);
  await idle();
  const second = client.order({ ...ORDER, clientOrderId: 8 });
  await send(ACCEPTED);
  expect(await second).toBeNull();
});

test('the answer to another order, and what is no answer, is not taken for this one', async () => {
  const { client } = await bench((nth, send) => {
    if (nth === 1) void send({ ...ACCEPTED, clientOrderId: 6 });
    else if (nth === 2) void send({ ...ACCEPTED, kind: 'cancel' });
    else if (nth === 3) void send({ nonsense: true } as never);
    else void send({ ...ACCEPTED, ok: false, code: 'gate_closed' });
  });
  expect(await client.order(ORDER)).toMatchObject({ ok: false, code: 'gate_closed' });
});

test('a broker that is away is asked again', async () => {
  const { client, member } = await bench((_, send) => void send(ACCEPTED));
  member.cut();
  const answer = client.order(ORDER);
  setTimeout(() => member.restore(), 12);
  expect(await answer).toEqual(ACCEPTED);
});

test('a client that is closed leaves nothing behind: what waits gets no answer, and nothing more is sent', async () => {
  const { client, heard } = await bench(() => client.close(), 1_000_000);
  expect(await client.order(ORDER)).toBeNull();
  expect(await client.cancel({ kind: 'cancel', product: ORDER.product, clientOrderId: 7 })).toBeNull();
  expect(heard).toHaveLength(1);
});
