import { expect, test } from 'vitest';
import { createMemoryBroker } from './memory-bus.ts';

const bytes = (text: string) => new TextEncoder().encode(text);
const will = (topic: string) => () => ({ topic, payload: bytes('gone'), qos: 1, retain: true }) as const;

test('kill publishes the will and the client never comes back', async () => {
  const broker = createMemoryBroker();
  const [mortal, watcher] = [
    await broker.connect({ clientId: 'mortal', will: will('will/mortal') }),
    await broker.connect({ clientId: 'watcher' }),
  ];
  const heard: string[] = [];
  await watcher.subscribe('will/+', 1, ({ topic }) => heard.push(topic));
  mortal.kill();
  mortal.restore();
  mortal.kill();
  await broker.idle();
  expect(heard).toEqual(['will/mortal']);
  await expect(mortal.publish('x', bytes('x'), { qos: 1 })).rejects.toMatchObject({ code: 'BROKER_UNREACHABLE' });
});

test('a second client with the same id ends the first, whose will is published', async () => {
  const broker = createMemoryBroker();
  const first = await broker.connect({ clientId: 'a', will: will('will/a') });
  const states: boolean[] = [];
  first.onConnection((connected) => states.push(connected));
  const second = await broker.connect({ clientId: 'a' });
  const heard: string[] = [];
  await second.subscribe('will/#', 1, ({ topic }) => heard.push(topic));
  await broker.idle();
  expect(states).toEqual([true, false]);
  expect(heard).toEqual(['will/a']);
});

test('a message is never handed over inside the call that published it', async () => {
  const broker = createMemoryBroker();
  const bus = await broker.connect({ clientId: 'a' });
  const heard: string[] = [];
  const answers: Promise<void>[] = [];
  await bus.subscribe('ping', 0, () => {
    answers.push(bus.publish('pong', bytes(''), { qos: 0 }));
    heard.push('ping');
  });
  await bus.subscribe('pong', 0, () => heard.push('pong'));
  const sent = bus.publish('ping', bytes(''), { qos: 0 });
  expect(heard).toEqual([]);
  await sent;
  await Promise.all(answers);
  expect(heard).toEqual(['ping', 'pong']);
});

test('the sender may reuse its buffer', async () => {
  const broker = createMemoryBroker();
  const bus = await broker.connect({ clientId: 'a' });
  const heard: number[] = [];
  await bus.subscribe('t', 0, ({ payload }) => heard.push(payload[0] ?? -1));
  const buffer = new Uint8Array([1]);
  const sent = bus.publish('t', buffer, { qos: 0 });
  buffer[0] = 2;
  await sent;
  expect(heard).toEqual([1]);
});
