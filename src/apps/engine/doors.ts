import { type Api, createApi } from '../../adapters/http/api.ts';
import { bundleDashboard } from '../../adapters/http/bundle.ts';
import { type HttpServer, serveApi } from '../../adapters/http/serve.ts';
import { publishJson, subscribeJson } from '../../adapters/mqtt/json-topics.ts';
import {
  type CancelMessage,
  cancelMessage,
  memberTopic,
  type OrderMessage,
  orderMessage,
  orderTopicMessage,
  readyMessage,
} from '../../adapters/mqtt/wire.ts';
import type { DeviceBus } from '../../domain/ports.ts';
import { isFault } from '../../errors/fault.ts';
import type { EngineConfig } from './engine-config.ts';
import type { OrderDoor } from './order-door.ts';
import type { RollCall } from './roll-call.ts';
import { createViews, type ViewParts } from './views.ts';

/** Orders in and replies out over MQTT. The topic names the member, its signature proves it. */
export async function openMqttDoor(
  market: string,
  bus: DeviceBus,
  door: OrderDoor,
  roll: RollCall,
  log: (line: string) => void,
): Promise<void> {
  const onOrder = (message: OrderMessage | CancelMessage, topic: string) => {
    const member = lastLevel(topic);
    const { kind, product, clientOrderId } = message;
    door
      .submit(member, message)
      .then((verdict) =>
        publishJson(bus, memberTopic(market, 'reply', member), { kind, product, clientOrderId, ...verdict }),
      )
      .catch(ignoreFaults);
  };
  await subscribeJson(bus, memberTopic(market, 'order', '+'), orderTopicMessage, onOrder, complainOnce(log));
  await subscribeJson(bus, memberTopic(market, 'ready', '+'), readyMessage, ({ at }, topic) => {
    roll.setReady(lastLevel(topic), at);
  });
}

/** Each sender of nonsense is named once, and not more of them than this. */
const MOST_COMPLAINTS = 1000;

function complainOnce(log: (line: string) => void): (topic: string) => void {
  const named = new Set<string>();
  return (topic) => {
    if (named.has(topic) || named.size >= MOST_COMPLAINTS) return;
    named.add(topic);
    log(`PAYLOAD_MALFORMED ${topic}: no order and no cancel of the wire format; dropped, and so is all of its kind`);
  };
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

function lastLevel(topic: string): string {
  return topic.slice(topic.lastIndexOf('/') + 1);
}

/** A reply that was not taken: the member asks again and gets the same answer. */
function ignoreFaults(error: unknown): void {
  if (!isFault(error)) throw error;
}
