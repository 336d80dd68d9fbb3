import { test } from 'vitest';
import { connectMqttBus } from '../../src/adapters/mqtt/mqtt-bus.ts';
import { createMemoryBroker, type MemorySession } from '../../src/sim/memory-bus.ts';
import { type BusHarness, deviceBusSuite } from './device-bus.suite.ts';
import { type BrokerUnderTest, embeddedBroker, MOSQUITTO, mosquittoBroker } from './mqtt-brokers.ts';

async function overMqtt(broker: BrokerUnderTest): Promise<BusHarness> {
  const backoff = { minMs: 10, maxMs: 100 };
  return {
    connect: (options) => connectMqttBus({ ...options, url: broker.url, failFast: true, backoff }),
    cut: () => broker.link.cut(),
    close: () => broker.close(),
  };
}

deviceBusSuite('MQTT, embedded broker', async () => overMqtt(await embeddedBroker()));

deviceBusSuite('in memory', async () => {
  const broker = createMemoryBroker();
  const sessions: MemorySession[] = [];
  return {
    connect: async (options) => {
      const session = await broker.connect(options);
      sessions.push(session);
      return session;
    },
    cut: () => {
      for (const session of sessions) session.cut();
      for (const session of sessions) session.restore();
    },
    close: () => broker.idle(),
  };
});

if (MOSQUITTO !== null) {
  const binary = MOSQUITTO;
  deviceBusSuite('MQTT, mosquitto', async () => overMqtt(await mosquittoBroker(binary)));
} else if (process.env.CI === 'true') {
  test('mosquitto is installed', () => {
    throw new Error('mosquitto is not installed: .ci/run does that');
  });
} else {
  test.skip('device bus: MQTT, mosquitto (not installed)', () => {});
}
