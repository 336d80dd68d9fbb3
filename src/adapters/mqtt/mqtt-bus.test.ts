import { once } from 'node:events';
import { createServer, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import type { DeviceBus } from '../../domain/ports.ts';
import { startEmbeddedBroker } from './embedded-broker.ts';
import { connectMqttBus } from './mqtt-bus.ts';

const LOCAL = { host: '127.0.0.1', port: 0 };
const BACKOFF = { minMs: 5, maxMs: 20 };
const bytes = (text: string) => new TextEncoder().encode(text);

function becomes(bus: DeviceBus, wanted: boolean): Promise<void> {
  return new Promise((resolve) => bus.onConnection((connected) => (connected === wanted ? resolve() : undefined)));
}

/** A port that nobody listens on just now. */
async function freePort(): Promise<number> {
  const broker = await startEmbeddedBroker(LOCAL);
  await broker.close();
  return broker.port;
}

/** A server that answers each connection with these bytes and nothing more. */
async function answering(answer: (socket: Socket) => void) {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket.on('error', () => {}));
    answer(socket);
  }).listen(0, LOCAL.host);
  await once(server, 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const close = async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  };
  return { url: `mqtt://${LOCAL.host}:${address.port}`, sockets, close };
}

test.each(['http://127.0.0.1', 'mqtt://', 'broker', 'mqtts://127.0.0.1:8883'])(
  '%s is no address of a broker',
  async (url) => {
    await expect(connectMqttBus({ url, clientId: 'a' })).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
  },
);

test('asked to fail fast it says that no broker answers', async () => {
  const url = `mqtt://127.0.0.1:${await freePort()}`;
  await expect(connectMqttBus({ url, clientId: 'a', failFast: true })).rejects.toMatchObject({
    code: 'BROKER_UNREACHABLE',
    message: expect.stringContaining(url),
  });
});

test('asked to fail fast it says that a broker never answers CONNECT', async () => {
  const mute = await answering(() => {});
  const attempt = connectMqttBus({ url: mute.url, clientId: 'a', failFast: true, connectTimeoutMs: 30 });
  await expect(attempt).rejects.toMatchObject({ code: 'BROKER_UNREACHABLE' });
  await mute.close();
});

test('asked to fail fast it says that the broker refused', async () => {
  const refusing = await answering((socket) => socket.write(Buffer.from([0x20, 2, 0, 5])));
  const attempt = connectMqttBus({ url: refusing.url, clientId: 'a', failFast: true });
  await expect(attempt).rejects.toMatchObject({ code: 'BROKER_REFUSED' });
  await refusing.close();
});

test('it waits for a broker, then subscribes and sends what was waiting, in order', async () => {
  const port = await freePort();
  const bus = await connectMqttBus({ url: `mqtt://127.0.0.1:${port}`, clientId: 'a', backoff: BACKOFF });
  const heard: string[] = [];
  const third = Promise.withResolvers<void>();
  const subscribed = bus.subscribe('t', 1, ({ payload }) => {
    heard.push(new TextDecoder().decode(payload));
    if (heard.length === 3) third.resolve();
  });
  await expect(bus.publish('t', bytes('lost'), { qos: 0 })).rejects.toMatchObject({ code: 'BROKER_UNREACHABLE' });
  const sent = ['1', '2', '3'].map((text) => bus.publish('t', bytes(text), { qos: 1 }));
  const broker = await startEmbeddedBroker({ host: LOCAL.host, port });
  await Promise.all([subscribed, ...sent, third.promise]);
  expect(heard).toEqual(['1', '2', '3']);
  await bus.close();
  await broker.close();
});

test('a message without PUBACK is rejected after a while, and so is the one too many', async () => {
  const deaf = await answering((socket) => socket.write(Buffer.from([0x20, 2, 0, 0])));
  const options = { url: deaf.url, clientId: 'a', failFast: true, ackTimeoutMs: 40, maxPending: 1 } as const;
  const bus = await connectMqttBus(options);
  const waiting = bus.publish('t', bytes('1'), { qos: 1 });
  await expect(bus.publish('t', bytes('2'), { qos: 1 })).rejects.toMatchObject({ code: 'BROKER_UNREACHABLE' });
  await expect(waiting).rejects.toMatchObject({ code: 'ERR_SYNC_TIMEOUT' });
  await bus.close();
  await deaf.close();
});

test('a message whose PUBACK the connection lost is sent again', async () => {
  const received: Buffer[] = [];
  const twice = Promise.withResolvers<void>();
  const forgetful = await answering((socket) => {
    socket.write(Buffer.from([0x20, 2, 0, 0]));
    socket.on('data', (data) => {
      const at = data.indexOf(0x32);
      if (at < 0) return;
      received.push(data.subarray(at));
      if (received.length === 1) return void socket.destroy();
      socket.write(Buffer.from([0x40, 2, ...data.subarray(at + 5, at + 7)]));
      twice.resolve();
    });
  });
  const bus = await connectMqttBus({ url: forgetful.url, clientId: 'a', failFast: true, backoff: BACKOFF });
  await bus.publish('t', bytes('1'), { qos: 1 });
  await twice.promise;
  expect(received.map((data) => data.at(-1))).toEqual([0x31, 0x31]);
  await bus.close();
  await forgetful.close();
});

/** Lets everyone in and refuses every subscription. */
function refusingSubscriptions() {
  return answering((socket) => {
    socket.write(Buffer.from([0x20, 2, 0, 0]));
    socket.on('data', (data) => {
      const at = data.indexOf(0x82);
      if (at >= 0) socket.write(Buffer.from([0x90, 3, ...data.subarray(at + 2, at + 4), 0x80]));
    });
  });
}

test('a refused subscription rejects and is not asked for again', async () => {
  const refusing = await refusingSubscriptions();
  const bus = await connectMqttBus({ url: refusing.url, clientId: 'a', failFast: true, backoff: BACKOFF });
  await expect(bus.subscribe('secret', 1, () => {})).rejects.toMatchObject({ code: 'BROKER_REFUSED' });
  const back = becomesAgain(bus);
  refusing.sockets[0]?.destroy();
  await back;
  await bus.close();
  await refusing.close();
});

test('a subscription asked for before the first connection is refused the same way, and the bus goes on', async () => {
  const refusing = await refusingSubscriptions();
  const bus = await connectMqttBus({ url: refusing.url, clientId: 'a', backoff: BACKOFF });
  const connected = becomes(bus, true);
  await expect(bus.subscribe('secret', 1, () => {})).rejects.toMatchObject({ code: 'BROKER_REFUSED' });
  await connected;
  expect(refusing.sockets).toHaveLength(1);
  await bus.close();
  await refusing.close();
});

function becomesAgain(bus: DeviceBus): Promise<void> {
  let lost = false;
  return new Promise((resolve) => {
    bus.onConnection((connected) => {
      if (connected && lost) resolve();
      lost ||= !connected;
    });
  });
}

test('the will is asked for once per CONNECT that is sent, not for attempts that find nobody', async () => {
  const port = await freePort();
  let wills = 0;
  const will = () => {
    wills += 1;
    return { topic: 'gone', payload: bytes('x'), qos: 1, retain: false } as const;
  };
  const backoff = { minMs: 1, maxMs: 2 };
  const bus = await connectMqttBus({ url: `mqtt://127.0.0.1:${port}`, clientId: 'a', will, backoff });
  const connected = becomes(bus, true);
  // A second client that fails proves that attempts were made meanwhile.
  for (let attempt = 0; attempt < 20; attempt += 1) {
    await connectMqttBus({ url: `mqtt://127.0.0.1:${port}`, clientId: 'b', failFast: true }).catch(() => {});
  }
  expect(wills).toBe(0);
  const broker = await startEmbeddedBroker({ host: LOCAL.host, port });
  await connected;
  expect(wills).toBe(1);
  await bus.close();
  await broker.close();
});

test('close rejects what was not acknowledged and ends a bus that never connected', async () => {
  const bus = await connectMqttBus({ url: `mqtt://127.0.0.1:${await freePort()}`, clientId: 'a' });
  const sent = bus.publish('t', bytes('1'), { qos: 1 });
  const subscribed = bus.subscribe('t', 1, () => {});
  const both = Promise.allSettled([sent, subscribed]);
  await Promise.all([bus.close(), bus.close()]);
  expect(await both).toMatchObject([
    { status: 'rejected', reason: { code: 'BROKER_UNREACHABLE' } },
    { status: 'rejected', reason: { code: 'BROKER_UNREACHABLE' } },
  ]);
});
