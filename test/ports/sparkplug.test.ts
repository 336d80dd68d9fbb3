import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { connectMqttBus } from '../../src/adapters/mqtt/mqtt-bus.ts';
import { type BdSeqStore, type EdgeSession, openEdgeSession } from '../../src/adapters/sparkplug/edge-session.ts';
import type { MetricEvent } from '../../src/adapters/sparkplug/host-node.ts';
import { type HostSession, openHostSession } from '../../src/adapters/sparkplug/host-session.ts';
import {
  decodePayload,
  type IncomingMetric,
  type IncomingPayload,
  type OutgoingMetric,
  PayloadEncoder,
} from '../../src/adapters/sparkplug/payload.ts';
import { parseTopic } from '../../src/adapters/sparkplug/topics.ts';
import type { BusMessage, DeviceBus, OpenBus } from '../../src/domain/ports.ts';
import { epochMs } from '../../src/domain/units/time.ts';
import { type BrokerUnderTest, embeddedBroker, MOSQUITTO, mosquittoBroker } from './mqtt-brokers.ts';
import { packetsOf, type SentPacket } from './mqtt-packets.ts';

const AT = epochMs(1_782_041_640_000);
const METER = {
  id: 'meter',
  metrics: [
    { name: 'Meter/ImportWh', type: 'Int64' },
    { name: 'Meter/ExportWh', type: 'Int64' },
    { name: 'Meter/PowerW', type: 'Int32' },
  ],
} as const;
const BATTERY = { id: 'battery', metrics: [{ name: 'Battery/SocPermille', type: 'Int32' }] } as const;
const NODE_METRICS = [
  { name: 'Safety/Relay', type: 'Boolean' },
  { name: 'Safety/FaultCode', type: 'String' },
] as const;

interface Seen {
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

function payloadOf({ payload }: { readonly payload: Uint8Array }): IncomingPayload {
  const decoded = decodePayload(payload);
  if (!decoded.ok) throw new Error(decoded.problem);
  return decoded.payload;
}

function bdSeqOf(message: { readonly payload: Uint8Array }): unknown {
  return payloadOf(message).metrics.find(({ name }) => name === 'bdSeq')?.value;
}

function storeOf(first: number | null): BdSeqStore & { last: number | null } {
  const store = {
    last: first,
    load: () => store.last,
    save: (bdSeq: number) => {
      store.last = bdSeq;
    },
  };
  return store;
}

function sparkplugSuite(name: string, openBroker: () => Promise<BrokerUnderTest>): void {
  describe(`Sparkplug B over ${name}`, () => {
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

    describe('edge node', () => {
      test('connects with a clean session and its NDEATH as will: QoS 1, not retained, bdSeq only (tck-id-principles-persistence-clean-session-311, tck-id-message-flow-edge-node-birth-publish-will-message, tck-id-message-flow-edge-node-birth-publish-will-message-topic, tck-id-message-flow-edge-node-birth-publish-will-message-qos, tck-id-message-flow-edge-node-birth-publish-will-message-will-retained, tck-id-payloads-ndeath-will-message, tck-id-payloads-ndeath-will-message-qos, tck-id-payloads-ndeath-will-message-retain, tck-id-payloads-ndeath-seq, tck-id-payloads-ndeath-bdseq, tck-id-topics-ndeath-seq, tck-id-topics-ndeath-topic)', async () => {
        await begin();
        await openEdge();
        await born();
        const [connect] = connections(`edge-${number}`)[0] ?? [];
        if (connect?.kind !== 'connect' || connect.will === null) throw new Error('no will');
        expect(connect.clean).toBe(true);
        expect(connect.will).toMatchObject({ topic: nodeTopic('NDEATH'), qos: 1, retain: false });
        const { seq, metrics } = payloadOf(connect.will);
        expect(seq).toBeNull();
        expect(metrics).toMatchObject([{ name: 'bdSeq', type: 'Int64', value: 0 }]);
      });

      test('subscribes to its commands with QoS 1 before it publishes with QoS 0, not retained (tck-id-message-flow-edge-node-ncmd-subscribe, tck-id-message-flow-device-dcmd-subscribe, tck-id-message-flow-edge-node-birth-publish-connect, tck-id-payloads-nbirth-qos, tck-id-payloads-nbirth-retain, tck-id-payloads-dbirth-qos, tck-id-payloads-dbirth-retain, tck-id-payloads-ddata-qos, tck-id-payloads-ddata-retain)', async () => {
        await begin();
        const edge = await openEdge();
        await born();
        await edge.update('meter', [{ name: 'Meter/PowerW', value: 1 }], AT);
        await watch.nth(`DDATA/${node()}/meter`, 1);
        const packets = connections(`edge-${number}`)[0] ?? [];
        expect(packets.map(({ kind }) => kind).join(' ')).toMatch(
          /^connect subscribe subscribe publish publish publish publish/,
        );
        expect(packets.filter(({ kind }) => kind === 'subscribe')).toEqual([
          { kind: 'subscribe', filter: nodeTopic('NCMD'), qos: 1 },
          { kind: 'subscribe', filter: `${nodeTopic('DCMD')}/+`, qos: 1 },
        ]);
        for (const packet of packets)
          if (packet.kind === 'publish') expect(packet).toMatchObject({ qos: 0, retain: false });
      });

      test('is born with every metric, then its devices, in one sequence from 0 (tck-id-topics-nbirth-seq-num, tck-id-payloads-sequence-num-incrementing, tck-id-payloads-dbirth-seq, tck-id-payloads-dbirth-order, tck-id-topics-nbirth-bdseq-included, tck-id-topics-nbirth-bdseq-matching, tck-id-topics-nbirth-rebirth-metric, tck-id-operational-behavior-data-commands-rebirth-value, tck-id-operational-behavior-data-commands-rebirth-name-aliases, tck-id-payloads-alias-birth-requirement, tck-id-payloads-alias-uniqueness, tck-id-payloads-metric-datatype-req, tck-id-operational-behavior-data-publish-nbirth, tck-id-operational-behavior-data-publish-dbirth)', async () => {
        await begin();
        await openEdge();
        await born();
        const births = watch.seen.filter(({ topic }) => topic.includes(`BIRTH/${node()}`));
        expect(births.map(({ topic }) => topic)).toEqual([
          nodeTopic('NBIRTH'),
          `${nodeTopic('DBIRTH')}/meter`,
          `${nodeTopic('DBIRTH')}/battery`,
        ]);
        const payloads = births.map(payloadOf);
        expect(payloads.map(({ seq, timestamp }) => [seq, timestamp])).toEqual([
          [0, AT],
          [1, AT],
          [2, AT],
        ]);
        const [ofNode, ofMeter, ofBattery] = payloads.map(({ metrics }) => metrics);
        expect(ofNode).toMatchObject([
          { name: 'Safety/Relay', type: 'Boolean', value: null, timestamp: AT },
          { name: 'Safety/FaultCode', type: 'String', value: null },
          { name: 'bdSeq', type: 'Int64', value: 0, alias: null },
          { name: 'Node Control/Rebirth', type: 'Boolean', value: false, alias: null },
        ]);
        expect(ofMeter?.map(({ name, type }) => ({ name, type }))).toEqual(METER.metrics);
        const aliases = [ofNode, ofMeter, ofBattery].flat().map((metric) => metric?.alias ?? null);
        expect(aliases).toEqual([1, 2, null, null, 3, 4, 5, 6]);
      });

      test('sends DATA by alias only, each metric with its time, without datatype (tck-id-payloads-alias-data-cmd-requirement, tck-id-payloads-metric-datatype-not-req, tck-id-payloads-name-birth-data-requirement, tck-id-payloads-ddata-seq, tck-id-payloads-ddata-seq-inc, tck-id-payloads-ndata-seq-inc, tck-id-payloads-ddata-timestamp, tck-id-topics-ddata-topic, tck-id-topics-ndata-topic, tck-id-payloads-propertyset-quality-value-value)', async () => {
        await begin();
        const edge = await openEdge();
        await born();
        const at = epochMs(AT + 1_000);
        expect(
          await edge.update(
            'meter',
            [
              { name: 'Meter/ExportWh', value: 7 },
              { name: 'Meter/PowerW', value: null },
            ],
            at,
          ),
        ).toBe(true);
        await edge.updateNode([{ name: 'Safety/Relay', value: true, quality: 'stale' }], at);
        const data = payloadOf(await watch.nth(`DDATA/${node()}/meter`, 1));
        expect([data.seq, data.timestamp]).toEqual([3, AT]);
        const blank: Partial<IncomingMetric> = { name: null, type: null, timestamp: at, isHistorical: false };
        expect(data.metrics).toMatchObject([
          { ...blank, alias: 4, value: 7, quality: null },
          { ...blank, alias: 5, value: null, quality: 0 },
        ]);
        const ofNode = payloadOf(await watch.nth(`NDATA/${node()}`, 1));
        expect(ofNode.seq).toBe(4);
        expect(ofNode.metrics).toMatchObject([{ ...blank, alias: 1, value: true, quality: 500 }]);
      });

      test('marks a value older than the last as historical and keeps it out of the next birth', async () => {
        await begin();
        const edge = await openEdge();
        await born();
        await edge.update('meter', [{ name: 'Meter/ImportWh', value: 20 }], AT);
        await edge.update('meter', [{ name: 'Meter/ImportWh', value: 10 }], epochMs(AT - 1));
        const late = payloadOf(await watch.nth(`DDATA/${node()}/meter`, 2));
        expect(late.metrics).toMatchObject([{ value: 10, isHistorical: true, timestamp: AT - 1 }]);
        await askRebirth();
        await born(2);
        const birth = payloadOf(await watch.nth(`DBIRTH/${node()}/meter`, 2));
        expect(birth.metrics.find(({ alias }) => alias === 3)).toMatchObject({ value: 20, timestamp: AT });
      });

      test('goes on with seq 0 after 255 (tck-id-payloads-sequence-num-incrementing)', async () => {
        await begin();
        const edge = await openEdge();
        await born();
        const sent = Array.from({ length: 300 }, (_, value) =>
          edge.update('battery', [{ name: 'Battery/SocPermille', value }], AT),
        );
        expect(await Promise.all(sent)).not.toContain(false);
        await watch.nth(`DDATA/${node()}/battery`, 300);
        const seqs = watch.all(`DDATA/${node()}/battery`).map((message) => payloadOf(message).seq);
        expect(seqs).toEqual(Array.from({ length: 300 }, (_, index) => (index + 3) % 256));
      });

      test('answers a Rebirth with all births, seq 0 and the same bdSeq (tck-id-operational-behavior-data-commands-rebirth-action-1, tck-id-operational-behavior-data-commands-rebirth-action-2, tck-id-operational-behavior-data-commands-rebirth-action-3)', async () => {
        await begin();
        const edge = await openEdge(storeOf(41));
        await born();
        await edge.update('meter', [{ name: 'Meter/ImportWh', value: 123_456_789_012 }], AT);
        await askRebirth();
        await born(2);
        const births = [await watch.nth(nodeTopic('NBIRTH'), 1), await watch.nth(nodeTopic('NBIRTH'), 2)];
        expect(births.map(bdSeqOf)).toEqual([42, 42]);
        expect(births.map((birth) => payloadOf(birth).seq)).toEqual([0, 0]);
        const meter = payloadOf(await watch.nth(`DBIRTH/${node()}/meter`, 2));
        expect(meter.metrics).toContainEqual(
          expect.objectContaining({ name: 'Meter/ImportWh', alias: 3, value: 123_456_789_012, quality: null }),
        );
      });

      test('says that a device died, and gives birth to it again when it is back (tck-id-operational-behavior-device-ddeath, tck-id-payloads-ddeath-seq, tck-id-payloads-ddeath-seq-inc, tck-id-payloads-ddeath-timestamp, tck-id-topics-ddeath-topic)', async () => {
        await begin();
        const edge = await openEdge();
        await born();
        expect(await edge.deviceDied('meter')).toBe(true);
        expect(await edge.deviceDied('meter')).toBe(false);
        const death = payloadOf(await watch.nth(`DDEATH/${node()}/meter`, 1));
        expect([death.seq, death.timestamp, death.metrics]).toEqual([3, AT, []]);
        await askRebirth();
        await born(2);
        expect(watch.all(`DBIRTH/${node()}/meter`)).toHaveLength(1);
        await edge.update('meter', [{ name: 'Meter/ImportWh', value: 5 }], AT);
        const again = payloadOf(await watch.nth(`DBIRTH/${node()}/meter`, 2));
        expect(again.metrics.map(({ value }) => value).sort()).toEqual([5, null, null]);
        expect(watch.all(`DDATA/${node()}/meter`)).toEqual([]);
      });

      test('says NDEATH before it disconnects on purpose (tck-id-operational-behavior-edge-node-intentional-disconnect-ndeath, tck-id-operational-behavior-edge-node-intentional-disconnect-packet, tck-id-payloads-ndeath-will-message-publisher-disconnect-mqtt311)', async () => {
        await begin();
        const edge = await openEdge();
        await born();
        await edge.close();
        expect(bdSeqOf(await watch.nth(nodeTopic('NDEATH'), 1))).toBe(0);
        const packets = connections(`edge-${number}`)[0] ?? [];
        expect(packets.slice(-2)).toMatchObject([
          { kind: 'publish', topic: nodeTopic('NDEATH') },
          { kind: 'disconnect' },
        ]);
        await watcher.publish('spBv1.0/end', new Uint8Array(), { qos: 1 });
        await watch.nth('/end', 1);
        expect(watch.all(nodeTopic('NDEATH'))).toHaveLength(1);
      });

      test('cut off, it is dead by the bdSeq of that session and is born again with the next (tck-id-message-flow-edge-node-birth-publish-will-message-payload-bdSeq, tck-id-message-flow-edge-node-birth-publish-nbirth-payload-bdSeq, tck-id-topics-nbirth-bdseq-increment, tck-id-payloads-nbirth-bdseq-repeat)', async () => {
        await begin();
        const edge = await openEdge(storeOf(253));
        await born();
        for (const life of [1, 2, 3]) {
          broker.link.cut();
          await born(life + 1);
        }
        await edge.close();
        await watch.nth(nodeTopic('NDEATH'), 4);
        const lives = watch.seen.filter(({ topic }) => topic === nodeTopic('NBIRTH') || topic === nodeTopic('NDEATH'));
        expect(lives.map((life) => [parseTopic(life.topic), bdSeqOf(life)])).toMatchObject(
          [254, 255, 0, 1].flatMap((bdSeq) => [
            [{ verb: 'NBIRTH' }, bdSeq],
            [{ verb: 'NDEATH' }, bdSeq],
          ]),
        );
        const connects = connections(`edge-${number}`).map(([connect]) => connect);
        const wills = connects.flatMap((connect) =>
          connect?.kind === 'connect' && connect.will !== null ? [connect.will] : [],
        );
        expect(wills.map(bdSeqOf)).toEqual([254, 255, 0, 1]);
      });

      test('after a restart of the broker it is born again with the next bdSeq (tck-id-topics-nbirth-bdseq-increment)', async () => {
        await begin();
        const store = storeOf(7);
        const edge = await openEdge(store);
        await born();
        const back = backAgain(watcher);
        await broker.restart();
        await back;
        // Births that went out before this watcher was back are asked for again; later ones it sees.
        await askRebirth();
        const birth = await watch.nth(nodeTopic('NBIRTH'), 2);
        expect([bdSeqOf(birth), payloadOf(birth).seq]).toEqual([9, 0]);
        expect(store.last).toBe(9);
        expect(await edge.update('meter', [{ name: 'Meter/PowerW', value: 1 }], AT)).toBe(true);
      });

      test('a new process goes on from the stored bdSeq', async () => {
        await begin();
        const store = storeOf(null);
        for (const bdSeq of [0, 1, 2]) {
          const edge = await openEdge(store);
          expect(bdSeqOf(await watch.nth(nodeTopic('NBIRTH'), bdSeq + 1))).toBe(bdSeq);
          await edge.close();
        }
      });

      test('hands over commands by name or alias, and none that was retained or does not fit (tck-id-operational-behavior-data-commands-dcmd-metric-name, tck-id-operational-behavior-data-commands-dcmd-metric-value)', async () => {
        await begin();
        const retained = { name: 'Safety/Relay', type: 'Boolean', withType: true, value: true } as const;
        const payload = encoder.encode({ timestamp: AT, metrics: [retained] });
        await watcher.publish(nodeTopic('NCMD'), payload, { qos: 1, retain: true });
        const edge = await openEdge();
        const commands: unknown[] = [];
        const problems: string[] = [];
        const done = Promise.withResolvers<void>();
        edge.onProblem(({ code, message }) => problems.push(`${code} ${message}`));
        edge.onCommand((command) => {
          commands.push(command);
          if (commands.length === 2) done.resolve();
        });
        await born();
        await watcher.publish(nodeTopic('NCMD'), new Uint8Array([0xff]), { qos: 1 });
        await publish(`${nodeTopic('DCMD')}/meter`, [
          { name: 'Meter/PowerW', type: 'String', withType: true, value: 'x' },
        ]);
        await publish(`${nodeTopic('DCMD')}/oven`, [{ name: 'On', type: 'Boolean', withType: true, value: true }]);
        await publish(`${nodeTopic('DCMD')}/meter`, [
          { name: 'Meter/Nothing', type: 'Int32', withType: true, value: 1 },
        ]);
        await publish(`${nodeTopic('DCMD')}/meter`, [{ alias: 5, type: 'Int32', withType: false, value: -4 }]);
        await publish(nodeTopic('NCMD'), [{ name: 'Safety/FaultCode', type: 'String', withType: true, value: 'none' }]);
        await done.promise;
        expect(commands).toEqual([
          { device: 'meter', name: 'Meter/PowerW', value: -4 },
          { device: null, name: 'Safety/FaultCode', value: 'none' },
        ]);
        expect(problems.map((problem) => problem.split(' ')[0])).toEqual(Array(4).fill('PAYLOAD_MALFORMED'));
      });

      test('without a connection it keeps the values for the next birth', async () => {
        await begin();
        const edge = await openEdgeSession({
          openBus: (will) => connectMqttBus({ url: 'mqtt://127.0.0.1:1', clientId: 'nobody', will }),
          ...{ group: 'elm', node: node(), devices: [METER], now: () => AT, bdSeqStore: storeOf(null) },
        });
        expect(await edge.update('meter', [{ name: 'Meter/PowerW', value: 1 }], AT)).toBe(false);
        expect(await edge.deviceDied('meter')).toBe(false);
        await edge.close();
      });
    });

    describe('host application', () => {
      const stateTopic = () => `spBv1.0/STATE/engine-${number}`;
      const stateOf = ({ payload }: Seen) => JSON.parse(new TextDecoder().decode(payload)) as unknown;

      test('has a STATE death as its will and says STATE online after its subscriptions, with the same time (tck-id-host-topic-phid-death-required, tck-id-host-topic-phid-death-qos, tck-id-host-topic-phid-death-retain, tck-id-host-topic-phid-birth-topic, tck-id-host-topic-phid-birth-payload, tck-id-host-topic-phid-birth-payload-timestamp, tck-id-host-topic-phid-birth-qos, tck-id-host-topic-phid-birth-retain, tck-id-host-topic-phid-birth-sub-required, tck-id-message-flow-phid-sparkplug-clean-session-311, tck-id-message-flow-phid-sparkplug-subscription)', async () => {
        await begin();
        await openHost();
        const birth = stateOf(await watch.nth(stateTopic(), 1));
        const packets = (connections(`host-${number}`)[0] ?? []).filter(({ kind }) => kind !== 'other');
        const [connect] = packets;
        if (connect?.kind !== 'connect' || connect.will === null) throw new Error('no will');
        expect(connect.clean).toBe(true);
        expect(connect.will).toMatchObject({ topic: stateTopic(), qos: 1, retain: true });
        const { timestamp, ...death } = JSON.parse(connect.will.payload.toString()) as { timestamp: number };
        expect(death).toEqual({ online: false });
        expect(birth).toEqual({ online: true, timestamp });
        expect(packets.slice(1, 4)).toEqual([
          { kind: 'subscribe', filter: 'spBv1.0/elm/#', qos: 1 },
          { kind: 'subscribe', filter: stateTopic(), qos: 1 },
          { kind: 'publish', topic: stateTopic(), qos: 1, retain: true },
        ]);
      });

      test('says online again at once when its own STATE says that it is not (tck-id-message-flow-hid-sparkplug-state-message-delivered)', async () => {
        await begin();
        await openHost();
        const birth = stateOf(await watch.nth(stateTopic(), 1));
        await watcher.publish(stateTopic(), new TextEncoder().encode('{"online":false,"timestamp":1}'), { qos: 1 });
        expect(stateOf(await watch.nth(stateTopic(), 3))).toEqual(birth);
        await watcher.publish(stateTopic(), new TextEncoder().encode('no JSON'), { qos: 1 });
        await watch.nth(stateTopic(), 4);
      });

      test('says STATE offline before it disconnects on purpose (tck-id-operational-behavior-host-application-termination, tck-id-operational-behavior-host-application-death-payload, tck-id-operational-behavior-host-application-death-qos, tck-id-operational-behavior-host-application-death-retained, tck-id-operational-behavior-host-application-disconnect-intentional)', async () => {
        await begin();
        const host = await openHost();
        await watch.nth(stateTopic(), 1);
        await host.close();
        expect(stateOf(await watch.nth(stateTopic(), 2))).toMatchObject({ online: false });
        const packets = (connections(`host-${number}`)[0] ?? []).filter(({ kind }) => kind !== 'other');
        expect(packets.slice(-2)).toEqual([
          { kind: 'publish', topic: stateTopic(), qos: 1, retain: true },
          { kind: 'disconnect' },
        ]);
      });

      test('hears every value of a node with its quality, and that all are stale when the node dies (tck-id-operational-behavior-edge-node-termination-host-action-ndeath-node-offline, tck-id-operational-behavior-edge-node-termination-host-action-ndeath-node-tags-stale, tck-id-operational-behavior-edge-node-termination-host-action-ndeath-devices-offline, tck-id-operational-behavior-edge-node-termination-host-action-ndeath-devices-tags-stale)', async () => {
        await begin();
        const host = listen(await openHost());
        const edge = await openEdge();
        await host.until(() => host.events.includes('battery true'));
        await edge.update(
          'meter',
          [
            { name: 'Meter/ImportWh', value: 9_000_000_000_000 },
            { name: 'Meter/PowerW', value: -2_500 },
          ],
          AT,
        );
        await edge.updateNode([{ name: 'Safety/FaultCode', value: 'none' }], AT);
        await host.until(() => host.last('Safety/FaultCode')?.value === 'none');
        const common = { node: node(), device: 'meter', at: AT, historical: false };
        expect(host.last('Meter/ImportWh')).toEqual({
          ...common,
          name: 'Meter/ImportWh',
          value: 9_000_000_000_000,
          quality: 'good',
        });
        expect(host.last('Meter/PowerW')).toEqual({ ...common, name: 'Meter/PowerW', value: -2_500, quality: 'good' });
        expect(host.last('Meter/ExportWh')).toMatchObject({ value: null, quality: 'bad' });
        await edge.close();
        await host.until(() => host.events.includes('node false'));
        expect(host.events).toEqual([
          'node true',
          'meter true',
          'battery true',
          'meter false',
          'battery false',
          'node false',
        ]);
        const names = [...METER.metrics, ...BATTERY.metrics, ...NODE_METRICS].map(({ name: metric }) => metric);
        expect(names.map((metric) => host.last(metric)?.quality)).toEqual(names.map(() => 'stale'));
        expect(host.last('Meter/PowerW')?.value).toBe(-2_500);
      });

      test('that was restarted has everyone born again, also the silent ones it was told to expect (tck-id-operational-behavior-data-commands-ncmd-rebirth-verb, tck-id-operational-behavior-data-commands-ncmd-rebirth-name, tck-id-operational-behavior-data-commands-ncmd-rebirth-value, tck-id-payloads-ncmd-seq, tck-id-payloads-ncmd-qos, tck-id-payloads-ncmd-retain)', async () => {
        await begin();
        const edge = await openEdge();
        await born();
        await edge.update('meter', [{ name: 'Meter/ImportWh', value: 77 }], AT);
        const first = listen(await openHost({ nodes: [node()] }));
        await first.until(() => first.last('Meter/ImportWh')?.value === 77);
        await first.session.close();
        const second = listen(await openHost({ nodes: [node()] }));
        await second.until(() => second.last('Meter/ImportWh')?.value === 77);
        const asked = payloadOf(await watch.nth(nodeTopic('NCMD'), 2));
        expect(asked.seq).toBeNull();
        expect(asked.metrics).toMatchObject([
          { name: 'Node Control/Rebirth', type: 'Boolean', value: true, timestamp: expect.any(Number) },
        ]);
        for (const packets of connections(`host-${number}`)) {
          expect(packets).toContainEqual({ kind: 'publish', topic: nodeTopic('NCMD'), qos: 0, retain: false });
        }
        await watch.nth(nodeTopic('NBIRTH'), 3);
      });

      test('that never heard of a node asks for its births on the first DATA', async () => {
        await begin();
        const edge = await openEdge();
        await born();
        const host = listen(await openHost());
        await watch.nth(stateTopic(), 1);
        await edge.update('meter', [{ name: 'Meter/ImportWh', value: 8 }], AT);
        await host.until(() => host.last('Meter/ImportWh')?.value === 8);
        expect(host.events.slice(0, 1)).toEqual(['node true']);
      });

      test('asks for a Rebirth when a message is lost (tck-id-operational-behavior-host-reordering-rebirth)', async () => {
        await begin();
        const host = listen(await openHost({ reorderTimeoutMs: 20 }));
        const edge = await openEdge();
        await host.until(() => host.events.includes('battery true'));
        await publish(
          `${nodeTopic('DDATA')}/battery`,
          [{ alias: 6, timestamp: AT, type: 'Int32', withType: false, value: 1 }],
          200,
        );
        await watch.nth(nodeTopic('NBIRTH'), 2);
        await born(2);
        await edge.update('battery', [{ name: 'Battery/SocPermille', value: 500 }], AT);
        await host.until(() => host.last('Battery/SocPermille')?.value === 500);
        expect(host.metrics.some(({ value }) => value === 1)).toBe(false);
      });

      test('that loses its own connection knows nothing until all is born again', async () => {
        await begin();
        const host = listen(await openHost());
        const edge = await openEdge();
        await host.until(() => host.events.includes('battery true'));
        await edge.update('meter', [{ name: 'Meter/ImportWh', value: 3 }], AT);
        await host.until(() => host.last('Meter/ImportWh')?.value === 3);
        broker.link.cut();
        await host.until(() => host.events.includes('node false'));
        expect(host.last('Meter/ImportWh')).toMatchObject({ value: 3, quality: 'stale' });
        await host.until(() => host.last('Meter/ImportWh')?.quality === 'good');
        expect(host.events.at(-1)).not.toBe('node false');
      });

      test('names the sender of bytes that it could not read and lives on', async () => {
        await begin();
        const host = listen(await openHost());
        await watch.nth(stateTopic(), 1);
        await watcher.publish(nodeTopic('NBIRTH'), new Uint8Array([0x12, 0xff]), { qos: 1 });
        await host.until(() => host.problems.length === 1);
        expect(host.problems[0]).toMatch(new RegExp(`PAYLOAD_MALFORMED node elm/${node()}: NBIRTH`));
        await openEdge();
        await host.until(() => host.events.includes('battery true'));
      });
    });
  });
}

/** What a host tells, and waiting for it. */
function listen(session: HostSession) {
  const metrics: MetricEvent[] = [];
  const events: string[] = [];
  const problems: string[] = [];
  let changed = Promise.withResolvers<void>();
  const tick = () => {
    changed.resolve();
    changed = Promise.withResolvers<void>();
  };
  session.onMetric((event) => {
    metrics.push(event);
    tick();
  });
  session.onNode(({ online }) => {
    events.push(`node ${online}`);
    tick();
  });
  session.onDevice(({ device, online }) => {
    events.push(`${device} ${online}`);
    tick();
  });
  session.onProblem(({ code, message }) => {
    problems.push(`${code} ${message}`);
    tick();
  });
  const until = async (holds: () => boolean) => {
    while (!holds()) await changed.promise;
  };
  return {
    session,
    metrics,
    events,
    problems,
    until,
    last: (name: string) => metrics.findLast((event) => event.name === name),
  };
}

/** Resolves when the bus was lost once and is connected again. */
function backAgain(bus: DeviceBus): Promise<void> {
  let lost = false;
  return new Promise((resolve) => {
    bus.onConnection((connected) => {
      if (connected && lost) resolve();
      lost ||= !connected;
    });
  });
}

sparkplugSuite('the embedded broker', embeddedBroker);

if (MOSQUITTO !== null) {
  const binary = MOSQUITTO;
  sparkplugSuite('mosquitto', () => mosquittoBroker(binary));
} else if (process.env.CI === 'true') {
  test('mosquitto is installed', () => {
    throw new Error('mosquitto is not installed: .ci/run does that');
  });
} else {
  test.skip('Sparkplug B over mosquitto (not installed)', () => {});
}
