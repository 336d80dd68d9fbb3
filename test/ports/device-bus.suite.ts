import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { BusMessage, BusWill, DeviceBus } from '../../src/domain/ports.ts';

/** What an implementation of the device bus brings along to be tested. */
export interface BusHarness {
  /** Opens a bus and resolves when it is connected. */
  connect(options: { clientId: string; will?: () => BusWill }): Promise<DeviceBus>;
  /** Breaks the connection of every client without DISCONNECT; each comes back by itself afterwards. */
  cut(): void;
  close(): Promise<void>;
}

const bytes = (text: string) => new TextEncoder().encode(text);
const text = (payload: Uint8Array) => new TextDecoder().decode(payload);

/** Messages in the order of arrival, and a promise for the first `count` of them. */
function inbox() {
  const messages: BusMessage[] = [];
  let changed = Promise.withResolvers<void>();
  return {
    messages,
    take: (message: BusMessage) => {
      messages.push(message);
      changed.resolve();
      changed = Promise.withResolvers<void>();
    },
    count: async (count: number) => {
      while (messages.length < count) await changed.promise;
      return messages;
    },
  };
}

/** Every implementation of `DeviceBus` passes this. */
export function deviceBusSuite(name: string, open: () => Promise<BusHarness>): void {
  describe(`device bus: ${name}`, () => {
    let harness: BusHarness;
    const buses: DeviceBus[] = [];
    let clients = 0;

    const connect = async (will?: () => BusWill): Promise<DeviceBus> => {
      clients += 1;
      const bus = await harness.connect({ clientId: `client-${clients}`, ...(will === undefined ? {} : { will }) });
      buses.push(bus);
      return bus;
    };

    beforeAll(async () => {
      harness = await open();
    });
    afterEach(async () => {
      await Promise.all(buses.splice(0).map((bus) => bus.close()));
    });
    afterAll(() => harness.close());

    test.each([0, 1] as const)('a message of QoS %i reaches a subscriber with its topic and bytes', async (qos) => {
      const [sender, receiver] = [await connect(), await connect()];
      const box = inbox();
      await receiver.subscribe(`plain/${qos}`, 1, box.take);
      await sender.publish(`plain/${qos}`, new Uint8Array([0, 255, 10, 13]), { qos });
      const [message] = await box.count(1);
      expect(message).toMatchObject({ topic: `plain/${qos}`, retain: false });
      expect([...(message?.payload ?? [])]).toEqual([0, 255, 10, 13]);
    });

    test('messages of one sender arrive in the order in which they were sent', async () => {
      const [sender, receiver] = [await connect(), await connect()];
      const box = inbox();
      await receiver.subscribe('order/#', 1, box.take);
      const numbers = Array.from({ length: 200 }, (_, index) => index);
      await Promise.all(numbers.map((number) => sender.publish(`order/${number % 3}`, bytes(`${number}`), { qos: 0 })));
      expect((await box.count(200)).map(({ payload }) => Number(text(payload)))).toEqual(numbers);
    });

    test.each([
      ['a/+/c', ['a/b/c', 'a//c'], ['a/b', 'a/b/c/d', 'b/b/c']],
      ['a/#', ['a', 'a/b', 'a/b/c/d'], ['b/a', 'ab']],
      ['+', ['a', 'b'], ['a/b']],
      ['+/+', ['a/b', '/b', 'a/'], ['a', 'a/b/c']],
      ['#', ['a', 'a/b', '/'], []],
      ['a/b', ['a/b'], ['a', 'a/b/', 'A/b']],
    ])('the filter %s matches as MQTT 3.1.1 section 4.7 says', async (filter, matching, others) => {
      const [sender, receiver] = [await connect(), await connect()];
      const box = inbox();
      await receiver.subscribe(filter, 1, (message) => {
        if (!message.topic.startsWith('$')) box.take(message);
      });
      for (const topic of [...others, ...matching]) await sender.publish(topic, bytes('x'), { qos: 1 });
      expect((await box.count(matching.length)).map(({ topic }) => topic)).toEqual(matching);
    });

    test('the last retained message is told to a later subscriber, flagged, until it is cleared', async () => {
      const [sender, early, late, later] = [await connect(), await connect(), await connect(), await connect()];
      const [live, told, end] = [inbox(), inbox(), inbox()];
      await early.subscribe('kept/+', 1, live.take);
      await sender.publish('kept/a', bytes('1'), { qos: 1, retain: true });
      await sender.publish('kept/a', bytes('2'), { qos: 1, retain: true });
      expect((await live.count(2)).map(({ retain }) => retain)).toEqual([false, false]);
      await late.subscribe('kept/#', 1, told.take);
      const [message] = await told.count(1);
      expect([message?.retain, text(message?.payload ?? bytes(''))]).toEqual([true, '2']);
      await sender.publish('kept/a', new Uint8Array(), { qos: 1, retain: true });
      await live.count(3);
      await later.subscribe('kept/#', 1, end.take);
      await sender.publish('kept/end', bytes('end'), { qos: 1 });
      expect((await end.count(1)).map(({ topic }) => topic)).toEqual(['kept/end']);
    });

    test('a will is published when the client vanishes and not when it closes', async () => {
      const will = (topic: string) => () => ({ topic, payload: bytes('gone'), qos: 1, retain: true }) as const;
      const polite = await connect(will('will/polite'));
      await polite.close();
      const mortal = await connect(will('will/vanished'));
      const back = backAgain(mortal);
      harness.cut();
      await back;
      const watcher = await connect();
      const box = inbox();
      await watcher.subscribe('will/#', 1, box.take);
      await box.count(1);
      await watcher.publish('will/end', bytes('end'), { qos: 1 });
      expect((await box.count(2)).map(({ topic }) => topic)).toEqual(['will/vanished', 'will/end']);
    });

    test('every connect has a will of its own, and it reaches those who stay', async () => {
      let number = 0;
      const box = inbox();
      const mortal = await connect(() => {
        number += 1;
        return { topic: `wills/${number}`, payload: bytes('gone'), qos: 1, retain: true };
      });
      for (let life = 1; life <= 3; life += 1) {
        const back = backAgain(mortal);
        harness.cut();
        await back;
      }
      const watcher = await connect();
      await watcher.subscribe('wills/+', 1, box.take);
      expect((await box.count(3)).map(({ topic }) => topic).sort()).toEqual(['wills/1', 'wills/2', 'wills/3']);
    });

    test('after a loss the subscriptions hold again before the listener hears of the connection', async () => {
      const [sender, receiver] = [await connect(), await connect()];
      const box = inbox();
      const states: boolean[] = [];
      await receiver.subscribe('again/#', 1, box.take);
      receiver.onConnection((connected) => states.push(connected));
      const back = Promise.all([backAgain(sender), backAgain(receiver)]);
      harness.cut();
      await back;
      await sender.publish('again/x', bytes('x'), { qos: 1 });
      expect((await box.count(1))[0]?.topic).toBe('again/x');
      expect(states).toEqual([true, false, true]);
    });

    test('a bus that is closed refuses to publish and to subscribe', async () => {
      const bus = await connect();
      await bus.close();
      await expect(bus.publish('x', bytes('x'), { qos: 1 })).rejects.toMatchObject({ code: 'BROKER_UNREACHABLE' });
      await expect(bus.publish('x', bytes('x'), { qos: 0 })).rejects.toMatchObject({ code: 'BROKER_UNREACHABLE' });
      await expect(bus.subscribe('x', 1, () => {})).rejects.toMatchObject({ code: 'BROKER_UNREACHABLE' });
      await bus.close();
    });

    test('a topic with a wildcard or without a character is a bug of the caller', async () => {
      const bus = await connect();
      for (const topic of ['', 'a/+', '#']) {
        await expect((async () => bus.publish(topic, bytes('x'), { qos: 0 }))()).rejects.toThrow(/^bug: /);
      }
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
