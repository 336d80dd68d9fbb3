import { afterAll, afterEach, beforeAll } from 'vitest';
import { connectMqttBus } from '../../src/adapters/mqtt/mqtt-bus.ts';
import { type BdSeqStore, type EdgeSession, openEdgeSession } from '../../src/adapters/sparkplug/edge-session.ts';
import { openHostSession } from '../../src/adapters/sparkplug/host-session.ts';
import {
  decodePayload,
  type IncomingPayload,
  type OutgoingMetric,
  PayloadEncoder,
} from '../../src/adapters/sparkplug/payload.ts';
import type { BusMessage, DeviceBus, OpenBus } from '../../src/domain/ports.ts';
import { epochMs } from '../../src/domain/units/time.ts';
import type { BrokerUnderTest } from './mqtt-brokers.ts';
import { packetsOf, type SentPacket } from './mqtt-packets.ts';

export const AT = epochMs(1_782_041_640_000);
export const METER = {
  id: 'meter',
  metrics: [
    { name: 'Meter/ImportWh', type: 'Int64' },
    { name: 'Meter/ExportWh', type: 'Int64' },
    { name: 'Meter/PowerW', type: 'Int32' },
  ],
} as const;
export const BATTERY = { id: 'battery', metrics: [{ name: 'Battery/SocPermille', type: 'Int32' }] } as const;
export const NODE_METRICS = [
  { name: 'Safety/Relay', type: 'Boolean' },
  { name: 'Safety/FaultCode', type: 'String' },
] as const;

export interface Seen {
  readonly topic: string;
  readonly retain: boolean;
  readonly payload: Uint8Array;
}

/** Everything on the broker in the order of arrival, and waiting for it. */
function recorder() {
  const seen: Seen[] = [];
  let changed = Promise.withResolvers<void>();
  const all = (suffix: string) => seen.filter(({ topic }) => topic.startsWith('spBv1.0/') && topic.endsWith(suffix));
  return {
    seen,
    all,
    record: ({ topic, payload, retain }: BusMessage) => {
      seen.push({ topic, retain, payload });
      changed.resolve();
      changed = Promise.withResolvers<void>();
    },
    /** The message number `count` whose topic ends so. */
    nth: async (suffix: string, count: number): Promise<Seen> => {
      for (;;) {
        const message = all(suffix)[count - 1];
        if (message !== undefined) return message;
        await changed.promise;
      }
    },
  };
}

export function payloadOf({ payload }: { readonly payload: Uint8Array }): IncomingPayload {
  const decoded = decodePayload(payload);
  if (!decoded.ok) throw new Error(decoded.problem);
  return decoded.payload;
}

export function bdSeqOf(message: { readonly payload: Uint8Array }): unknown {
  return payloadOf(message).metrics.find(({ name }) => name === 'bdSeq')?.value;
}

export function storeOf(first: number | null): BdSeqStore & { last: number | null } {
  const store = {
    last: first,
    load: () => store.last,
    save: (bdSeq: number) => {
      store.last = bdSeq;
    },
  };
  return store;
}

/** A broker for one group of tests, and for each test sessions of its own and a watcher that hears everything. */
export function sparkplugBench(openBroker: () => Promise<BrokerUnderTest>) {
  let broker: BrokerUnderTest;
  let watch: ReturnType<typeof recorder>;
  let watcher: DeviceBus;
  let number = 0;
  const opened: { close(): Promise<void> }[] = [];
  const encoder = new PayloadEncoder();
  const options = { failFast: true, backoff: { minMs: 10, maxMs: 100 } };
  const node = () => `home-${number}`;
  const nodeTopic = (verb: string) => `spBv1.0/elm/${verb}/${node()}`;

  const openBus = (clientId: string): OpenBus => {
    return (will) => connectMqttBus({ ...options, url: broker.url, clientId, will });
  };
  const openEdge = async (store: BdSeqStore = storeOf(null)): Promise<EdgeSession> => {
    const edge = await openEdgeSession({
      ...{ openBus: openBus(`edge-${number}`), group: 'elm', node: node(), now: () => AT, bdSeqStore: store },
      ...{ nodeMetrics: NODE_METRICS, devices: [METER, BATTERY] },
    });
    opened.push(edge);
    return edge;
  };
  const openHost = async (more: { nodes?: string[]; reorderTimeoutMs?: number } = {}) => {
    const now = () => epochMs(Date.now());
    const session = await openHostSession({
      ...{ openBus: openBus(`host-${number}`), group: 'elm', hostId: `engine-${number}`, now },
      ...{ rebirthIntervalMs: 20, ...more },
    });
    opened.push(session);
    return session;
  };
  /** The packets of each connection of that client. */
  const connections = (clientId: string): SentPacket[][] => {
    const all = broker.link.sent.map((bytes) => packetsOf(bytes));
    return all.filter(([first]) => first?.kind === 'connect' && first.clientId === clientId);
  };
  const publish = (topic: string, metrics: readonly OutgoingMetric[], seq?: number) => {
    const payload = encoder.encode({ timestamp: AT, metrics, ...(seq === undefined ? {} : { seq }) });
    return watcher.publish(topic, payload, { qos: 1 });
  };
  const askRebirth = () => {
    const metric = {
      name: 'Node Control/Rebirth',
      timestamp: AT,
      type: 'Boolean',
      withType: true,
      value: true,
    } as const;
    return publish(nodeTopic('NCMD'), [metric]);
  };
  const born = (count = 1) => watch.nth(`DBIRTH/${node()}/battery`, count);

  beforeAll(async () => {
    broker = await openBroker();
  });
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((one) => one.close()));
  });
  afterAll(() => broker.close());

  const begin = async () => {
    number += 1;
    watch = recorder();
    watcher = await connectMqttBus({ ...options, url: broker.steadyUrl, clientId: `watcher-${number}` });
    opened.push(watcher);
    await watcher.subscribe('#', 1, watch.record);
  };
  return {
    get broker() {
      return broker;
    },
    get watch() {
      return watch;
    },
    get watcher() {
      return watcher;
    },
    get number() {
      return number;
    },
    ...{ begin, openEdge, openHost, born, askRebirth, publish, connections, node, nodeTopic, encoder },
  };
}
