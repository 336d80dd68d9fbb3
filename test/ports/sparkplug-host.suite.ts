import { describe, expect, test } from 'vitest';
import type { MetricEvent } from '../../src/adapters/sparkplug/host-node.ts';
import type { HostSession } from '../../src/adapters/sparkplug/host-session.ts';
import type { BrokerUnderTest } from './mqtt-brokers.ts';
import { AT, BATTERY, METER, NODE_METRICS, payloadOf, type Seen, sparkplugBench } from './sparkplug-bench.ts';

/** What a Sparkplug B host application makes of its nodes, over that broker. */
export function sparkplugHostSuite(name: string, openBroker: () => Promise<BrokerUnderTest>): void {
  describe(`Sparkplug B host application over ${name}`, () => {
    const bench = sparkplugBench(openBroker);
    const { begin, openEdge, openHost, born, publish, connections, node, nodeTopic } = bench;

    const stateTopic = () => `spBv1.0/STATE/engine-${bench.number}`;
    const stateOf = ({ payload }: Seen) => JSON.parse(new TextDecoder().decode(payload)) as unknown;

    test('has a STATE death as its will and says STATE online after its subscriptions, with the same time (tck-id-host-topic-phid-death-required, tck-id-host-topic-phid-death-qos, tck-id-host-topic-phid-death-retain, tck-id-host-topic-phid-birth-topic, tck-id-host-topic-phid-birth-payload, tck-id-host-topic-phid-birth-payload-timestamp, tck-id-host-topic-phid-birth-qos, tck-id-host-topic-phid-birth-retain, tck-id-host-topic-phid-birth-sub-required, tck-id-message-flow-phid-sparkplug-clean-session-311, tck-id-message-flow-phid-sparkplug-subscription)', async () => {
      await begin();
      await openHost();
      const birth = stateOf(await bench.watch.nth(stateTopic(), 1));
      const packets = (connections(`host-${bench.number}`)[0] ?? []).filter(({ kind }) => kind !== 'other');
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
      const birth = stateOf(await bench.watch.nth(stateTopic(), 1));
      await bench.watcher.publish(stateTopic(), new TextEncoder().encode('{"online":false,"timestamp":1}'), { qos: 1 });
      expect(stateOf(await bench.watch.nth(stateTopic(), 3))).toEqual(birth);
      await bench.watcher.publish(stateTopic(), new TextEncoder().encode('no JSON'), { qos: 1 });
      await bench.watch.nth(stateTopic(), 4);
    });

    test('says STATE offline before it disconnects on purpose (tck-id-operational-behavior-host-application-termination, tck-id-operational-behavior-host-application-death-payload, tck-id-operational-behavior-host-application-death-qos, tck-id-operational-behavior-host-application-death-retained, tck-id-operational-behavior-host-application-disconnect-intentional)', async () => {
      await begin();
      const host = await openHost();
      await bench.watch.nth(stateTopic(), 1);
      await host.close();
      expect(stateOf(await bench.watch.nth(stateTopic(), 2))).toMatchObject({ online: false });
      const packets = (connections(`host-${bench.number}`)[0] ?? []).filter(({ kind }) => kind !== 'other');
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
      const asked = payloadOf(await bench.watch.nth(nodeTopic('NCMD'), 2));
      expect(asked.seq).toBeNull();
      expect(asked.metrics).toMatchObject([
        { name: 'Node Control/Rebirth', type: 'Boolean', value: true, timestamp: expect.any(Number) },
      ]);
      for (const packets of connections(`host-${bench.number}`)) {
        expect(packets).toContainEqual({ kind: 'publish', topic: nodeTopic('NCMD'), qos: 0, retain: false });
      }
      await bench.watch.nth(nodeTopic('NBIRTH'), 3);
    });

    test('that never heard of a node asks for its births on the first DATA', async () => {
      await begin();
      const edge = await openEdge();
      await born();
      const host = listen(await openHost());
      await bench.watch.nth(stateTopic(), 1);
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
      await bench.watch.nth(nodeTopic('NBIRTH'), 2);
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
      bench.broker.link.cut();
      await host.until(() => host.events.includes('node false'));
      expect(host.last('Meter/ImportWh')).toMatchObject({ value: 3, quality: 'stale' });
      await host.until(() => host.last('Meter/ImportWh')?.quality === 'good');
      expect(host.events.at(-1)).not.toBe('node false');
    });

    test('names the sender of bytes that it could not read and lives on', async () => {
      await begin();
      const host = listen(await openHost());
      await bench.watch.nth(stateTopic(), 1);
      await bench.watcher.publish(nodeTopic('NBIRTH'), new Uint8Array([0x12, 0xff]), { qos: 1 });
      await host.until(() => host.problems.length === 1);
      expect(host.problems[0]).toMatch(new RegExp(`PAYLOAD_MALFORMED node elm/${node()}: NBIRTH`));
      await openEdge();
      await host.until(() => host.events.includes('battery true'));
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
