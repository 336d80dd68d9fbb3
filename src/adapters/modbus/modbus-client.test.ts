import { createServer, type Socket } from 'node:net';
import { afterEach, describe, expect, test } from 'vitest';
import { isFault } from '../../errors/fault.ts';
import { ModbusClient, type ModbusClientOptions } from './modbus-client.ts';
import { isModbusException } from './modbus-exception-fault.ts';

/** A peer that does what it likes with each request: `script(n, frame, socket)` for the n-th one, from 0. */
type Script = (nth: number, frame: Buffer, socket: Socket) => void;

const open: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

async function adversary(script: Script): Promise<{ port: number; connections: () => number }> {
  const sockets = new Set<Socket>();
  let nth = 0;
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    sockets.add(socket);
    socket.setNoDelay(true);
    socket.on('error', () => undefined);
    socket.on('data', (bytes: Buffer) => {
      for (let at = 0; at + 12 <= bytes.length; at += 12) script(nth++, bytes.subarray(at, at + 12), socket);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  open.push(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return { port: address.port, connections: () => connections };
}

function client(port: number, options: Partial<ModbusClientOptions> = {}): ModbusClient {
  const made = new ModbusClient({
    host: '127.0.0.1',
    port,
    timeoutMs: 150,
    backoffMs: { first: 1, longest: 1 },
    ...options,
  });
  open.push(() => made.close());
  return made;
}

/** The right answer to a read of two registers: 0x1111 and the low word of the address. */
function right(frame: Buffer): Buffer {
  const answer = Buffer.from([0, 0, 0, 0, 0, 7, 0, 3, 4, 0x11, 0x11, 0, 0]);
  frame.copy(answer, 0, 0, 2);
  frame.copy(answer, 6, 6, 7);
  frame.copy(answer, 11, 8, 10);
  return answer;
}

function changed(frame: Buffer, offset: number, byte: number): Buffer {
  const answer = right(frame);
  answer[offset] = byte;
  return answer;
}

const read = (from: ModbusClient, address = 7) => from.readRegisters(1, 'holding', address, 2);
const RIGHT = [0x1111, 7];

async function codeOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'success',
    (error: unknown) => (isFault(error) ? error.code : String(error)),
  );
}

/** After the pause of 1 ms a request goes out again. */
async function eventually(from: ModbusClient): Promise<readonly number[]> {
  for (;;) {
    try {
      return await read(from);
    } catch (error) {
      if (!isFault(error, 'MODBUS_UNREACHABLE')) throw error;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
}

describe('an answer that arrives in pieces', () => {
  test('is put together byte by byte', async () => {
    const { port } = await adversary((_, frame, socket) => {
      for (const byte of right(frame)) socket.write(Buffer.from([byte]));
    });
    expect(await read(client(port))).toEqual(RIGHT);
  });

  test('is put together from two halves that come apart in time', async () => {
    const { port } = await adversary((_, frame, socket) => {
      socket.write(right(frame).subarray(0, 5), () => setImmediate(() => socket.write(right(frame).subarray(5))));
    });
    expect(await read(client(port))).toEqual(RIGHT);
  });
});

describe('two requests in flight', () => {
  const both = (order: (answers: Buffer[]) => Buffer[]): Script => {
    const answers: Buffer[] = [];
    return (_, frame, socket) => {
      answers.push(right(frame));
      if (answers.length === 2) socket.write(Buffer.concat(order(answers)));
    };
  };

  test.each([
    ['in one packet', (answers: Buffer[]) => answers],
    ['reversed', (answers: Buffer[]) => answers.toReversed()],
  ])('are matched by transaction when the answers come %s', async (_, order) => {
    const { port } = await adversary(both(order));
    const link = client(port, { maxInFlight: 2 });
    expect(await Promise.all([read(link, 5), read(link, 6)])).toEqual([
      [0x1111, 5],
      [0x1111, 6],
    ]);
  });

  test('are sent one after the other by default', async () => {
    let unanswered = 0;
    let most = 0;
    const { port } = await adversary((_, frame, socket) => {
      most = Math.max(most, ++unanswered);
      setImmediate(() => {
        unanswered -= 1;
        socket.write(right(frame));
      });
    });
    const link = client(port);
    await Promise.all([read(link, 1), read(link, 2), read(link, 3)]);
    expect(most).toBe(1);
  });
});

describe('a late answer', () => {
  test('is ignored, and the next request gets its own', async () => {
    let held: Buffer | null = null;
    const { port } = await adversary((nth, frame, socket) => {
      if (nth === 0) held = right(frame);
      else socket.write(Buffer.concat([held ?? Buffer.alloc(0), right(frame)]));
    });
    const link = client(port);
    expect(await codeOf(read(link, 5))).toBe('MODBUS_TIMEOUT');
    expect(await read(link, 6)).toEqual([0x1111, 6]);
    expect(link.counters).toMatchObject({ requests: 2, timeouts: 1, drops: 0, connects: 1 });
  });

  test('twice in a row ends the connection, and a new one is made', async () => {
    const { port, connections } = await adversary((nth, frame, socket) => {
      if (nth >= 2) socket.write(right(frame));
    });
    const link = client(port);
    expect(await codeOf(read(link))).toBe('MODBUS_TIMEOUT');
    expect(await codeOf(read(link))).toBe('MODBUS_TIMEOUT');
    expect(await eventually(link)).toEqual(RIGHT);
    expect(connections()).toBe(2);
    expect(link.counters).toMatchObject({ timeouts: 2, drops: 1, connects: 2 });
  });
});

describe('an answer that is none', () => {
  const cases: [name: string, answer: (frame: Buffer) => Buffer][] = [
    ['another transaction', (frame) => changed(frame, 1, 0xee)],
    ['another unit', (frame) => changed(frame, 6, 9)],
    ['another function', (frame) => changed(frame, 7, 4)],
    ['another protocol', (frame) => changed(frame, 3, 1)],
    ['a length of zero', (frame) => changed(frame, 5, 0)],
    ['a byte count that lies', (frame) => changed(frame, 8, 2)],
    ['text', () => Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')],
    ['one register instead of two', (frame) => Buffer.concat([frame.subarray(0, 2), hex('000000050103021111')])],
    [
      'three registers instead of two',
      (frame) => Buffer.concat([frame.subarray(0, 2), hex('000000090103061111'), hex('22223333')]),
    ],
    [
      'an exception with a code that does not exist',
      (frame) => Buffer.concat([frame.subarray(0, 2), hex('000000030183c8')]),
    ],
  ];

  test.each(cases)('with %s is a fault, ends the connection, and the next request works', async (_, answer) => {
    const { port, connections } = await adversary((nth, frame, socket) => {
      socket.write(nth === 0 ? answer(frame) : right(frame));
    });
    const link = client(port);
    expect(await codeOf(read(link))).toBe('MODBUS_FRAME');
    expect(await eventually(link)).toEqual(RIGHT);
    expect(connections()).toBe(2);
    expect(link.counters.drops).toBe(1);
  });

  test('to a write whose echo differs is a fault', async () => {
    const { port } = await adversary((_, frame, socket) => {
      const echo = Buffer.from(frame);
      echo[10] = 0;
      socket.write(echo);
    });
    expect(await codeOf(client(port).writeCoil(1, 3, true))).toBe('MODBUS_FRAME');
  });
});

describe('a peer that is gone', () => {
  test('fails what waits at once when it resets the connection', async () => {
    const { port } = await adversary((_, __, socket) => socket.resetAndDestroy());
    const link = client(port, { timeoutMs: 20_000 });
    expect(await Promise.all([codeOf(read(link, 1)), codeOf(read(link, 2))])).toEqual([
      'MODBUS_UNREACHABLE',
      'MODBUS_UNREACHABLE',
    ]);
  });

  test('fails at once when nobody listens, and at once again during the pause', async () => {
    const { port } = await adversary(() => undefined);
    await open.pop()?.();
    const link = client(port, { timeoutMs: 20_000, backoffMs: { first: 60_000, longest: 60_000 } });
    await expect(read(link)).rejects.toThrow('ECONNREFUSED');
    await expect(read(link)).rejects.toThrow('next attempt in');
  });

  test('that ends an idle connection costs nothing: the next request connects anew', async () => {
    let first: Socket | null = null;
    const { port } = await adversary((_, frame, socket) => {
      first ??= socket;
      socket.write(right(frame));
    });
    const link = client(port, { backoffMs: { first: 60_000, longest: 60_000 } });
    await read(link);
    (first as Socket | null)?.end();
    while (link.counters.drops === 0) await new Promise((resolve) => setImmediate(resolve));
    expect(await read(link)).toEqual(RIGHT);
  });

  test('leaves nothing waiting when the client is closed', async () => {
    const { port } = await adversary(() => undefined);
    const link = client(port, { timeoutMs: 20_000 });
    const waiting = codeOf(read(link));
    await link.close();
    expect(await waiting).toBe('MODBUS_UNREACHABLE');
    expect(await codeOf(read(link))).toBe('MODBUS_UNREACHABLE');
  });
});

test.each([1, 2, 3, 4, 5, 6, 7, 8, 10, 11])(
  'exception %i is told as such and keeps the connection',
  async (exception) => {
    const { port, connections } = await adversary((nth, frame, socket) => {
      const refusal = Buffer.concat([frame.subarray(0, 2), hex('0000000301'), Buffer.from([0x83, exception])]);
      socket.write(nth === 0 ? refusal : right(frame));
    });
    const link = client(port);
    const refused = await read(link).catch((error: unknown) => error);
    expect(isModbusException(refused, exception)).toBe(true);
    expect(await read(link)).toEqual(RIGHT);
    expect(connections()).toBe(1);
    expect(link.counters).toMatchObject({ requests: 2, exceptions: 1, drops: 0 });
  },
);

function hex(text: string): Buffer {
  return Buffer.from(text, 'hex');
}
