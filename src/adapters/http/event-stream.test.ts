import { expect, test } from 'vitest';
import type { IntervalView, NowView } from './api-schema.ts';
import { createEventStreams, type EventStreams } from './event-stream.ts';
import type { ApiEvent } from './views.ts';

/** A source that the test drives; what an event carries does not matter here. */
function open(streamId = 'a1') {
  const listeners = new Set<(event: ApiEvent) => void>();
  const streams = createEventStreams((listener) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }, streamId);
  let id = 0;
  const emit = (event: 'now' | 'interval', text = '') => {
    id += 1;
    const data = { market: text } as unknown as NowView & IntervalView;
    for (const listener of listeners) listener({ id, event, data });
  };
  return { streams, emit, listeners };
}

/** Reads frames until one matches. */
async function readUntil(reader: ReadableStreamDefaultReader<Uint8Array>, pattern: RegExp): Promise<string> {
  let text = '';
  while (!pattern.test(text)) {
    const { value, done } = await reader.read();
    if (done) return text;
    text += new TextDecoder().decode(value);
  }
  return text;
}

function read(streams: EventStreams, lastEventId?: string, onDrop: () => void = () => undefined) {
  const stream = streams.open(lastEventId, onDrop);
  if (stream === null) throw new Error('no stream');
  return stream.getReader();
}

const ids = (text: string) => [...text.matchAll(/^id: (.+)$/gm)].map(([, id]) => id);

test('a new reader gets the latest `now` and nothing older, then every event', async () => {
  const { streams, emit } = open();
  emit('interval');
  emit('now');
  emit('now');
  const reader = read(streams);
  expect(ids(await readUntil(reader, /id: /))).toEqual(['a1-3']);
  emit('interval');
  expect(ids(await readUntil(reader, /event: interval/))).toEqual(['a1-4']);
  streams.close();
});

test('a reader who comes back gets what it missed, once and in order, and only the latest `now`', async () => {
  const { streams, emit } = open();
  for (const event of ['interval', 'now', 'interval', 'now', 'interval', 'now'] as const) emit(event);
  const text = await readUntil(read(streams, 'a1-2'), /id: a1-6/);
  expect(ids(text)).toEqual(['a1-3', 'a1-5', 'a1-6']);
  streams.close();
});

test.each([
  ['an id of the process before', 'zz-2'],
  ['an id that is none', 'a1-x'],
  ['an id from the future', 'a1-9999'],
])('%s is answered with a gap', async (_name, lastEventId) => {
  const { streams, emit } = open();
  emit('interval');
  emit('now');
  expect(await readUntil(read(streams, lastEventId), /event: now/)).toContain('event: gap');
  streams.close();
});

test('a reader who missed more than is kept is told of the gap, and one at the edge is not', async () => {
  const { streams, emit } = open();
  for (let count = 0; count < 260; count += 1) emit('interval');
  expect(await readUntil(read(streams, 'a1-3'), /event: /)).toContain('event: gap');
  const edge = ids(await readUntil(read(streams, 'a1-4'), /id: a1-5\n/));
  expect([edge.length, edge[0], edge.at(-1)]).toEqual([256, 'a1-5', 'a1-260']);
  streams.close();
});

test('a reader who missed events from before the streams were opened is told of the gap', async () => {
  const streams = createEventStreams((listener) => {
    listener({ id: 7, event: 'now', data: {} as NowView });
    return () => undefined;
  }, 'a1');
  expect(await readUntil(read(streams, 'a1-5'), /event: now/)).toContain('event: gap');
  expect(await readUntil(read(streams, 'a1-6'), /event: now/)).not.toContain('event: gap');
  streams.close();
});

test('a reader who does not read is dropped, and the others go on', async () => {
  const { streams, emit } = open();
  let dropped = 0;
  const slow = read(streams, undefined, () => {
    dropped += 1;
  });
  const quick = read(streams);
  emit('now');
  await Promise.all([readUntil(slow, /id: a1-1/), readUntil(quick, /id: a1-1/)]);
  for (let count = 0; count < 80; count += 1) {
    emit('now');
    await readUntil(quick, new RegExp(`id: a1-${count + 2}\n`));
  }
  expect(streams.readers()).toBe(1);
  expect(dropped).toBe(1);
  expect(await readUntil(slow, /never/)).toBe('');
  streams.close();
});

test('large events fill the queue of a slow reader before their number does', async () => {
  const { streams, emit } = open();
  const slow = read(streams);
  emit('now');
  await readUntil(slow, /id: a1-1/);
  for (let count = 0; count < 8; count += 1) emit('now', 'x'.repeat(1024 * 1024));
  expect(streams.readers()).toBe(0);
  streams.close();
});

test('a stream that nobody reads holds no place, and a cancelled one gives its place back', async () => {
  const { streams, emit } = open();
  streams.open(undefined, () => undefined);
  expect(streams.readers()).toBe(0);
  const reader = read(streams);
  emit('now');
  await readUntil(reader, /id: /);
  expect(streams.readers()).toBe(1);
  await reader.cancel();
  expect(streams.readers()).toBe(0);
  streams.close();
});

test('the number of streams is limited', async () => {
  const { streams, emit } = open();
  emit('now');
  for (let count = 0; count < 64; count += 1) await readUntil(read(streams), /id: /);
  expect(streams.open(undefined, () => undefined)).toBeNull();
  streams.close();
});

test('closing ends every stream and lets go of the source', async () => {
  const { streams, emit, listeners } = open();
  const reader = read(streams);
  emit('now');
  await readUntil(reader, /id: /);
  streams.close();
  expect(await reader.read()).toEqual({ done: true, value: undefined });
  expect(listeners.size).toBe(0);
  expect(streams.open(undefined, () => undefined)).toBeNull();
});
