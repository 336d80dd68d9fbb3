import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import { Aedes } from 'aedes';
import { Fault } from '../../errors/fault.ts';

/** When a subscriber that does not read is dropped. Until then what it should read is kept for it, up to that many bytes. */
export interface SlowReaderTerms {
  readonly queuedBytes: number;
  readonly drainMs: number;
}

/**
 * A queue that is full holds up whoever publishes to it, so it may not stay full for longer than the relays wait for a
 * heartbeat, three seconds.
 */
const SLOW_READERS: SlowReaderTerms = { queuedBytes: 1024 * 1024, drainMs: 2000 };

export interface EmbeddedBroker {
  readonly host: string;
  readonly port: number;
  readonly url: string;
  /** Ends every client and frees the port. What was retained is gone. */
  close(): Promise<void>;
}

/**
 * An MQTT 3.1.1 broker in this process, for one machine: it asks nobody for a password, so bind it to the loopback
 * address. Retained messages live in memory only and end with it. A client of MQTT 5 is refused, one that does not read
 * is dropped. Port 0 takes a free one.
 * @throws Fault PORT_TAKEN where another program listens, CONFIG_INVALID where the address cannot be used
 */
export async function startEmbeddedBroker(
  where: { host: string; port: number },
  slowReaders = SLOW_READERS,
): Promise<EmbeddedBroker> {
  const broker = await Aedes.createBroker({ drainTimeout: slowReaders.drainMs });
  const sockets = new Set<Socket>();
  const server = createServer({ noDelay: true, highWaterMark: slowReaders.queuedBytes }, (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    broker.handle(socket);
  });
  try {
    await listen(server, where.host, where.port);
  } catch (error) {
    await endBroker(broker);
    throw error;
  }
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : where.port;
  const close = async () => {
    const freed = once(server, 'close');
    server.close();
    await endBroker(broker);
    for (const socket of sockets) socket.destroy();
    await freed;
  };
  let closing: Promise<void> | undefined;
  return {
    host: where.host,
    port,
    url: `mqtt://${where.host.includes(':') ? `[${where.host}]` : where.host}:${port}`,
    close: () => {
      closing ??= close();
      return closing;
    },
  };
}

async function listen(server: Server, host: string, port: number): Promise<void> {
  try {
    server.listen(port, host);
    await once(server, 'listening');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? error.code : undefined;
    if (code === 'EADDRINUSE') throw new Fault('PORT_TAKEN', `another program listens on ${host}:${port}`, error);
    throw new Fault('CONFIG_INVALID', `the MQTT broker cannot listen on ${host}:${port} (${code})`, error);
  }
}

function endBroker(broker: Aedes): Promise<void> {
  return new Promise((resolve) => broker.close(() => resolve()));
}
