import { describe, expect, test } from 'vitest';
import { connectMqttBus } from '../../src/adapters/mqtt/mqtt-bus.ts';
import { openEdgeSession } from '../../src/adapters/sparkplug/edge-session.ts';
import type { IncomingMetric } from '../../src/adapters/sparkplug/payload.ts';
import { parseTopic } from '../../src/adapters/sparkplug/topics.ts';
import type { DeviceBus } from '../../src/domain/ports.ts';
import { epochMs } from '../../src/domain/units/time.ts';
import type { BrokerUnderTest } from './mqtt-brokers.ts';
import { AT, bdSeqOf, METER, payloadOf, sparkplugBench, storeOf } from './sparkplug-bench.ts';

/** What a Sparkplug B edge node says and obeys, over that broker. */
export function sparkplugEdgeSuite(name: string, openBroker: () => Promise<BrokerUnderTest>): void {
  describe(`Sparkplug B edge node over ${name}`, () => {
    const bench = sparkplugBench(openBroker);
    const { begin, openEdge, born, askRebirth, publish, connections, node, nodeTopic, encoder } = bench;

    test('connects with a clean session and its NDEATH as will: QoS 1, not retained, bdSeq only (tck-id-principles-persistence-clean-session-311, tck-id-message-flow-edge-node-birth-publish-will-message, tck-id-message-flow-edge-node-birth-publish-will-message-topic, tck-id-message-flow-edge-node-birth-publish-will-message-qos, tck-id-message-flow-edge-node-birth-publish-will-message-will-retained, tck-id-payloads-ndeath-will-message, tck-id-payloads-ndeath-will-message-qos, tck-id-payloads-ndeath-will-message-retain, tck-id-payloads-ndeath-seq, tck-id-payloads-ndeath-bdseq, tck-id-topics-ndeath-seq, tck-id-topics-ndeath-topic)', async () => {
      await begin();
      await openEdge();
      await born();
      const [connect] = connections(`edge-${bench.number}`)[0] ?? [];
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
      await bench.watch.nth(`DDATA/${node()}/meter`, 1);
      const packets = connections(`edge-${bench.number}`)[0] ?? [];
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
      const births = bench.watch.seen.filter(({ topic }) => topic.includes(`BIRTH/${node()}`));
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
      const data = payloadOf(await bench.watch.nth(`DDATA/${node()}/meter`, 1));
      expect([data.seq, data.timestamp]).toEqual([3, AT]);
      const blank: Partial<IncomingMetric> = { name: null, type: null, timestamp: at, isHistorical: false };
      expect(data.metrics).toMatchObject([
        { ...blank, alias: 4, value: 7, quality: null },
        { ...blank, alias: 5, value: null, quality: 0 },
      ]);
      const ofNode = payloadOf(await bench.watch.nth(`NDATA/${node()}`, 1));
      expect(ofNode.seq).toBe(4);
      expect(ofNode.metrics).toMatchObject([{ ...blank, alias: 1, value: true, quality: 500 }]);
    });

    test('marks a value older than the last as historical and keeps it out of the next birth', async () => {
      await begin();
      const edge = await openEdge();
      await born();
      await edge.update('meter', [{ name: 'Meter/ImportWh', value: 20 }], AT);
      await edge.update('meter', [{ name: 'Meter/ImportWh', value: 10 }], epochMs(AT - 1));
      const late = payloadOf(await bench.watch.nth(`DDATA/${node()}/meter`, 2));
      expect(late.metrics).toMatchObject([{ value: 10, isHistorical: true, timestamp: AT - 1 }]);
      await askRebirth();
      await born(2);
      const birth = payloadOf(await bench.watch.nth(`DBIRTH/${node()}/meter`, 2));
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
      await bench.watch.nth(`DDATA/${node()}/battery`, 300);
      const seqs = bench.watch.all(`DDATA/${node()}/battery`).map((message) => payloadOf(message).seq);
      expect(seqs).toEqual(Array.from({ length: 300 }, (_, index) => (index + 3) % 256));
    });

    test('answers a Rebirth with all births, seq 0 and the same bdSeq (tck-id-operational-behavior-data-commands-rebirth-action-1, tck-id-operational-behavior-data-commands-rebirth-action-2, tck-id-operational-behavior-data-commands-rebirth-action-3)', async () => {
      await begin();
      const edge = await openEdge(storeOf(41));
      await born();
      await edge.update('meter', [{ name: 'Meter/ImportWh', value: 123_456_789_012 }], AT);
      await askRebirth();
      await born(2);
      const births = [await bench.watch.nth(nodeTopic('NBIRTH'), 1), await bench.watch.nth(nodeTopic('NBIRTH'), 2)];
      expect(births.map(bdSeqOf)).toEqual([42, 42]);
      expect(births.map((birth) => payloadOf(birth).seq)).toEqual([0, 0]);
      const meter = payloadOf(await bench.watch.nth(`DBIRTH/${node()}/meter`, 2));
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
      const death = payloadOf(await bench.watch.nth(`DDEATH/${node()}/meter`, 1));
      expect([death.seq, death.timestamp, death.metrics]).toEqual([3, AT, []]);
      await askRebirth();
      await born(2);
      expect(bench.watch.all(`DBIRTH/${node()}/meter`)).toHaveLength(1);
      await edge.update('meter', [{ name: 'Meter/ImportWh', value: 5 }], AT);
      const again = payloadOf(await bench.watch.nth(`DBIRTH/${node()}/meter`, 2));
      expect(again.metrics.map(({ value }) => value).sort()).toEqual([5, null, null]);
      expect(bench.watch.all(`DDATA/${node()}/meter`)).toEqual([]);
    });

    test('says NDEATH before it disconnects on purpose (tck-id-operational-behavior-edge-node-intentional-disconnect-ndeath, tck-id-operational-behavior-edge-node-intentional-disconnect-packet, tck-id-payloads-ndeath-will-message-publisher-disconnect-mqtt311)', async () => {
      await begin();
      const edge = await openEdge();
      await born();
      await edge.close();
      expect(bdSeqOf(await bench.watch.nth(nodeTopic('NDEATH'), 1))).toBe(0);
      const packets = connections(`edge-${bench.number}`)[0] ?? [];
      expect(packets.slice(-2)).toMatchObject([
        { kind: 'publish', topic: nodeTopic('NDEATH') },
        { kind: 'disconnect' },
      ]);
      await bench.watcher.publish('spBv1.0/end', new Uint8Array(), { qos: 1 });
      await bench.watch.nth('/end', 1);
      expect(bench.watch.all(nodeTopic('NDEATH'))).toHaveLength(1);
    });

    test('cut off, it is dead by the bdSeq of that session and is born again with the next (tck-id-message-flow-edge-node-birth-publish-will-message-payload-bdSeq, tck-id-message-flow-edge-node-birth-publish-nbirth-payload-bdSeq, tck-id-topics-nbirth-bdseq-increment, tck-id-payloads-nbirth-bdseq-repeat)', async () => {
      await begin();
      const edge = await openEdge(storeOf(253));
      await born();
      for (const life of [1, 2, 3]) {
        bench.broker.link.cut();
        await born(life + 1);
      }
      await edge.close();
      await bench.watch.nth(nodeTopic('NDEATH'), 4);
      const lives = bench.watch.seen.filter(
        ({ topic }) => topic === nodeTopic('NBIRTH') || topic === nodeTopic('NDEATH'),
      );
      expect(lives.map((life) => [parseTopic(life.topic), bdSeqOf(life)])).toMatchObject(
        [254, 255, 0, 1].flatMap((bdSeq) => [
          [{ verb: 'NBIRTH' }, bdSeq],
          [{ verb: 'NDEATH' }, bdSeq],
        ]),
      );
      const connects = connections(`edge-${bench.number}`).map(([connect]) => connect);
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
      const back = backAgain(bench.watcher);
      await bench.broker.restart();
      await back;
      // Births that went out before this watcher was back are asked for again; later ones it sees.
      await askRebirth();
      const birth = await bench.watch.nth(nodeTopic('NBIRTH'), 2);
      expect([bdSeqOf(birth), payloadOf(birth).seq]).toEqual([9, 0]);
      expect(store.last).toBe(9);
      expect(await edge.update('meter', [{ name: 'Meter/PowerW', value: 1 }], AT)).toBe(true);
    });

    test('a new process goes on from the stored bdSeq', async () => {
      await begin();
      const store = storeOf(null);
      for (const bdSeq of [0, 1, 2]) {
        const edge = await openEdge(store);
        expect(bdSeqOf(await bench.watch.nth(nodeTopic('NBIRTH'), bdSeq + 1))).toBe(bdSeq);
        await edge.close();
      }
    });

    test('hands over commands by name or alias, and none that was retained or does not fit (tck-id-operational-behavior-data-commands-dcmd-metric-name, tck-id-operational-behavior-data-commands-dcmd-metric-value)', async () => {
      await begin();
      const retained = { name: 'Safety/Relay', type: 'Boolean', withType: true, value: true } as const;
      const payload = encoder.encode({ timestamp: AT, metrics: [retained] });
      await bench.watcher.publish(nodeTopic('NCMD'), payload, { qos: 1, retain: true });
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
      await bench.watcher.publish(nodeTopic('NCMD'), new Uint8Array([0xff]), { qos: 1 });
      await publish(`${nodeTopic('DCMD')}/meter`, [
        { name: 'Meter/PowerW', type: 'String', withType: true, value: 'x' },
      ]);
      await publish(`${nodeTopic('DCMD')}/oven`, [{ name: 'On', type: 'Boolean', withType: true, value: true }]);
      await publish(`${nodeTopic('DCMD')}/meter`, [{ name: 'Meter/Nothing', type: 'Int32', withType: true, value: 1 }]);
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
