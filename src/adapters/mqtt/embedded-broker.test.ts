import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, test } from 'vitest';
import { startEmbeddedBroker } from './embedded-broker.ts';
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
