import { type Api, createApi } from '../../adapters/http/api.ts';
import { bundleDashboard } from '../../adapters/http/bundle.ts';
import { type HttpServer, serveApi } from '../../adapters/http/serve.ts';
import { subscribeJson } from '../../adapters/mqtt/json-topics.ts';
import { batchMessage, cancelMessage, memberTopic, orderMessage, readyMessage } from '../../adapters/mqtt/wire.ts';
import type { DeviceBus } from '../../domain/ports.ts';
import { isFault } from '../../errors/fault.ts';
import type { EngineConfig } from './engine-config.ts';
import type { MarketErrors } from './market-errors.ts';
import type { OrderDoor } from './order-door.ts';
import { OrderIntake } from './order-intake.ts';
import type { RollCall } from './roll-call.ts';
import { createViews, type ViewParts } from './views.ts';

/** Orders in and replies out over MQTT, and the gateways' word that they are ready. */
export async function openMqttDoor(
  market: string,
  bus: DeviceBus,
  door: OrderDoor,
  roll: RollCall,
  log: (line: string) => void,
  errors?: MarketErrors,
): Promise<void> {
  const intake = new OrderIntake({ market, bus, door, log, errors });
  await bus.subscribe(memberTopic(market, 'order', '+'), 1, (message) => intake.take(message));
  await subscribeJson(bus, memberTopic(market, 'ready', '+'), readyMessage, ({ at }, topic) => {
    roll.setReady(topic.slice(topic.lastIndexOf('/') + 1), at);
  });
}

/** The API, its events and the dashboard. */
export async function openHttpDoor(
  config: EngineConfig,
  parts: ViewParts,
  log: (line: string) => void,
): Promise<HttpServer> {
  const { host, port, names, port_or_next: nextPorts } = config.http;
  const api = createApi(createViews(parts), {
    orderSchema: orderMessage,
    cancelSchema: cancelMessage,
    batchSchema: batchMessage,
    host,
    hostNames: names,
    assets: await bundleDashboard(),
    streamId: `${parts.wallNow()}`,
    onBug: (error) => log(`bug: ${error instanceof Error ? error.stack : String(error)}`),
  });
  return serveOnFreePort(api, host, port, nextPorts);
}

/** The port that was asked for; where another program has it and that is allowed, one of the next. */
async function serveOnFreePort(api: Api, host: string, port: number, tries: number): Promise<HttpServer> {
  try {
    return await serveApi(api, { host, port });
  } catch (error) {
    if (!isFault(error, 'PORT_TAKEN') || tries === 0) throw error;
    return serveOnFreePort(api, host, port + 1, tries - 1);
  }
}
