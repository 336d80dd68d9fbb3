import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { expect, test } from 'vitest';
import { openConnection } from './connection.ts';
import { type EmbeddedBroker, startEmbeddedBroker } from './embedded-broker.ts';
import { connectMqttBus } from './mqtt-bus.ts';

const LOCAL = { host: '127.0.0.1', port: 0 };

test('a taken port is a fault that names it', async () => {
  const broker = await startEmbeddedBroker(LOCAL);
  await expect(startEmbeddedBroker({ host: LOCAL.host, port: broker.port })).rejects.toMatchObject({
    code: 'PORT_TAKEN',
    message: expect.stringContaining(`127.0.0.1:${broker.port}`),
  });
  await broker.close();
});

test('an address that is not of this machine is a fault of the configuration', async () => {
  await expect(startEmbeddedBroker({ host: '192.0.2.1', port: 0 })).rejects.toMatchObject({ code: 'CONFIG_INVALID' });
});

test('close ends every client, also one that never said CONNECT, and frees the port', async () => {
  const broker = await startEmbeddedBroker(LOCAL);
  const bus = await connectMqttBus({ url: broker.url, clientId: 'a', failFast: true });
  const lost = new Promise<void>((resolve) => bus.onConnection((connected) => (connected ? undefined : resolve())));
  const silent = connect(broker.port, broker.host);
  await once(silent, 'connect');
  await Promise.all([broker.close(), broker.close(), lost, once(silent, 'close')]);
  const again = await startEmbeddedBroker({ host: LOCAL.host, port: broker.port });
  await Promise.all([bus.close(), again.close()]);
});

test('bytes that are no MQTT end that client only', async () => {
  const broker = await startEmbeddedBroker(LOCAL);
  const bus = await connectMqttBus({ url: broker.url, clientId: 'a', failFast: true });
  const liar = connect(broker.port, broker.host, () => liar.write('GET / HTTP/1.1\r\n\r\n'));
  liar.on('error', () => {});
  await once(liar, 'close');
  await bus.publish('still/here', new Uint8Array([1]), { qos: 1 });
  await bus.close();
  await broker.close();
});

/** A subscriber of `t` at QoS 0 that stops reading as soon as it is granted. */
async function deafReader(broker: EmbeddedBroker): Promise<Socket> {
  const socket = connect(broker.port, broker.host);
  socket.on('error', () => {});
  const connectPacket = [0x10, 13, 0, 4, ...Buffer.from('MQTT'), 4, 2, 0, 0, 0, 1, ...Buffer.from('s')];
  socket.write(Buffer.from(connectPacket));
  await once(socket, 'data');
  socket.write(Buffer.from([0x82, 6, 0, 1, 0, 1, ...Buffer.from('t'), 0]));
  await once(socket, 'data');
  return socket.pause();
}

test('a subscriber that does not read is dropped, and those who read miss nothing', async () => {
  const broker = await startEmbeddedBroker(LOCAL, { queuedBytes: 64 * 1024, drainMs: 50 });
  const deaf = await deafReader(broker);
  const dropped = new Promise((resolve) => deaf.on('close', resolve));
  const sender = await connectMqttBus({ url: broker.url, clientId: 'sender', failFast: true });
  const reader = await connectMqttBus({ url: broker.url, clientId: 'reader', failFast: true });
  let heard = Promise.withResolvers<number>();
  await reader.subscribe('t', 1, ({ payload }) => heard.resolve(Buffer.from(payload).readUInt32BE()));
  for (let number = 0; number < MESSAGES; number += 1) {
    heard = Promise.withResolvers();
    const payload = Buffer.alloc(MESSAGE_BYTES);
    payload.writeUInt32BE(number);
    await sender.publish('t', payload, { qos: 1 });
    expect(await heard.promise).toBe(number);
  }
  let bytes = 0;
  deaf.on('data', (data) => {
    bytes += data.length;
  });
  deaf.resume();
  await dropped;
  expect(bytes).toBeLessThan((MESSAGES * MESSAGE_BYTES) / 2);
  await Promise.all([sender.close(), reader.close()]);
  await broker.close();
});

/** More than the kernel keeps for two sockets of one machine. */
const MESSAGES = 1000;
const MESSAGE_BYTES = 16 * 1024;

/** Node keeps this mark beside the option that it sets on the socket; the option itself cannot be asked for. */
function hasNoDelay(socket: object): boolean {
  const mark = Object.getOwnPropertySymbols(socket).find(({ description }) => description === 'kSetNoDelay');
  return mark !== undefined && Reflect.get(socket, mark) === true;
}

test('packets leave at once: TCP_NODELAY is set on every accepted socket and on the socket of every client', async () => {
  const accepted: Socket[] = [];
  const onConnection = (message: unknown) => accepted.push((message as { socket: Socket }).socket);
  subscribe('net.server.socket', onConnection);
  const broker = await startEmbeddedBroker(LOCAL);
  const client = await openConnection(
    { url: broker.url, clientId: 'a', keepaliveSeconds: 30, connectTimeoutMs: 5000 },
    new AbortController().signal,
  );
  unsubscribe('net.server.socket', onConnection);
  expect(accepted.map(hasNoDelay)).toEqual([true]);
  expect(hasNoDelay(client.stream)).toBe(true);
  client.stream.destroy();
  await broker.close();
});
