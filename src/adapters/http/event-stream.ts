import type { ApiEvent } from './views.ts';

/** Missed events that a reader who comes back can still get. `now` is not kept: only the latest counts. */
const KEPT_EVENTS = 256;
/** What a reader may have unread, in events and bytes, before it is dropped: a minute of `now`. */
const QUEUED_EVENTS = 64;
const QUEUED_BYTES = 4 * 1024 * 1024;
const MAX_READERS = 64;
const RETRY_MS = 1000;

interface Frame {
  readonly id: number;
  readonly bytes: Uint8Array;
}

interface Reader {
  push(bytes: Uint8Array): void;
  end(): void;
}

export interface EventStreams {
  /**
   * A stream of server-sent events, after `lastEventId` where that is one of ours. `onDrop` cuts the connection of a
   * reader that was too slow. Null: too many are open.
   */
  open(lastEventId: string | undefined, onDrop: () => void): ReadableStream<Uint8Array> | null;
  readers(): number;
  /** Ends every stream and forgets the source. */
  close(): void;
}

/** Encodes each event once for all readers. `streamId` tells this process from the one before it. */
export function createEventStreams(
  source: (listener: (event: ApiEvent) => void) => () => void,
  streamId: string,
): EventStreams {
  const readers = new Set<Reader>();
  const ring = createRing(streamId);
  let closed = false;
  const stop = source((event) => {
    const frame = ring.add(event);
    for (const reader of readers) reader.push(frame.bytes);
  });
  return {
    open: (lastEventId, onDrop) => {
      if (closed || readers.size >= MAX_READERS) return null;
      return readerStream(readers, () => ring.after(lastEventId), onDrop);
    },
    readers: () => readers.size,
    close: () => {
      closed = true;
      stop();
      for (const reader of readers) reader.end();
    },
  };
}

interface Ring {
  add(event: ApiEvent): Frame;
  after(lastEventId: string | undefined): Uint8Array;
}

function createRing(streamId: string): Ring {
  let kept: Frame[] = [];
  let latestNow: Frame | undefined;
  let newest = 0;
  /** The last event that is not kept, or was before this ring. */
  let forgottenUpTo: number | undefined;
  const retry = encode(`retry: ${RETRY_MS}\n\n`);
  return {
    add: (event) => {
      const frame = { id: event.id, bytes: encodeEvent(streamId, event) };
      newest = event.id;
      forgottenUpTo ??= event.id - 1;
      if (event.event === 'now') {
        latestNow = frame;
        return frame;
      }
      kept.push(frame);
      forgottenUpTo = kept.length > KEPT_EVENTS ? (kept[0]?.id ?? 0) : forgottenUpTo;
      kept = kept.slice(-KEPT_EVENTS);
      return frame;
    },
    after: (lastEventId) => {
      const now = latestNow === undefined ? [] : [latestNow.bytes];
      if (lastEventId === undefined) return Buffer.concat([retry, ...now]);
      const last = sequenceOf(lastEventId, streamId);
      if (last === null || forgottenUpTo === undefined || last < forgottenUpTo || last > newest)
        return Buffer.concat([retry, gap(streamId, newest), ...now]);
      const missed = kept.filter((frame) => frame.id > last).map((frame) => frame.bytes);
      return Buffer.concat([retry, ...missed, ...now]);
    },
  };
}

/** Tells a reader that events were lost to it, so that it asks for the whole again. */
function gap(streamId: string, newest: number): Uint8Array {
  return encode(`id: ${streamId}-${newest}\nevent: gap\ndata: {}\n\n`);
}

function sequenceOf(lastEventId: string, streamId: string): number | null {
  const [stream, sequence] = lastEventId.split('-');
  return stream === streamId && sequence !== undefined && /^\d{1,15}$/.test(sequence) ? Number(sequence) : null;
}

/** The reader is registered when it first reads: a HEAD request opens nothing. */
function readerStream(readers: Set<Reader>, first: () => Uint8Array, onDrop: () => void): ReadableStream<Uint8Array> {
  const queue = createQueue();
  let isReading = false;
  const end = () => {
    readers.delete(reader);
    queue.close();
  };
  const drop = () => {
    end();
    onDrop();
  };
  const reader: Reader = { push: (bytes) => (queue.add(bytes) ? undefined : drop()), end };
  const pull = async (controller: ReadableStreamDefaultController<Uint8Array>) => {
    if (!isReading) {
      isReading = true;
      readers.add(reader);
      queue.add(first());
    }
    const bytes = await queue.next();
    if (bytes === null) controller.close();
    else controller.enqueue(bytes);
  };
  return new ReadableStream<Uint8Array>({ pull, cancel: end }, { highWaterMark: 0 });
}

interface Queue {
  /** False where there is no room. */
  add(bytes: Uint8Array): boolean;
  /** Waits for the next. Null: closed; what was queued is gone. */
  next(): Promise<Uint8Array | null>;
  close(): void;
}

function createQueue(): Queue {
  let waiting: Uint8Array[] = [];
  let bytesWaiting = 0;
  let wake: (() => void) | undefined;
  let isClosed = false;
  return {
    add: (bytes) => {
      if (waiting.length >= QUEUED_EVENTS || bytesWaiting > QUEUED_BYTES) return false;
      waiting.push(bytes);
      bytesWaiting += bytes.length;
      wake?.();
      return true;
    },
    next: async () => {
      if (waiting.length === 0 && !isClosed) {
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
      const bytes = waiting.shift();
      bytesWaiting -= bytes?.length ?? 0;
      return bytes ?? null;
    },
    close: () => {
      isClosed = true;
      waiting = [];
      wake?.();
    },
  };
}

function encodeEvent(streamId: string, event: ApiEvent): Uint8Array {
  return encode(`id: ${streamId}-${event.id}\nevent: ${event.event}\ndata: ${JSON.stringify(event.data)}\n\n`);
}

function encode(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
