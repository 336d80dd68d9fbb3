import { connectMqttBus } from '../../adapters/mqtt/mqtt-bus.ts';
import type { DeviceBus } from '../../domain/ports.ts';
import type { EngineConfig } from './engine-config.ts';

/** Replies, receipts and trades of 10,000 members at one gate. */
const MOST_PENDING = 65_536;
const BROKER_PATIENCE_MS = 3000;

/** The engine's session at the broker. Without a broker the engine waits at its door for ever; it says so. */
export async function connectEngineBus(config: EngineConfig, log: (line: string) => void): Promise<DeviceBus> {
  const { broker: url, market } = config;
  const bus = await connectMqttBus({ url, clientId: `engine-${market}`, maxPending: MOST_PENDING });
  const timer = setTimeout(() => {
    log(`BROKER_UNREACHABLE ${url} does not answer; the engine opens its doors when it does`);
  }, BROKER_PATIENCE_MS);
  bus.onConnection((connected) => {
    if (connected) clearTimeout(timer);
  });
  const close = async () => {
    clearTimeout(timer);
    await bus.close();
  };
  return {
    publish: (topic, payload, options) => bus.publish(topic, payload, options),
    subscribe: (filter, qos, onMessage) => bus.subscribe(filter, qos, onMessage),
    onConnection: (listener) => bus.onConnection(listener),
    close,
  };
}
