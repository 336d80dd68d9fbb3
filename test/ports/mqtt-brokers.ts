import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { accessSync, constants, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir, userInfo } from 'node:os';
import { delimiter, join } from 'node:path';
import { startEmbeddedBroker } from '../../src/adapters/mqtt/embedded-broker.ts';

/** A broker of one kind behind a link that can be cut. Its port stays the same over a restart of the broker. */
export interface BrokerUnderTest {
  readonly url: string;
  readonly link: Link;
  /** The same broker over a link that only a restart breaks, for those who watch. */
  readonly steadyUrl: string;
  /** Ends the broker and starts another, which has forgotten everything. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

export interface Link {
  readonly port: number;
  /** Breaks every connection now: the broker sees clients that vanish. */
  cut(): void;
  /** The bytes that each connection sent towards the broker, in the order of the connections. */
  readonly sent: Buffer[];
}

type Target = { readonly host: string; readonly port: number } | { readonly path: string };

interface Relay extends Link {
  /** Nobody listens on the port until `up`. */
  down(): Promise<void>;
  up(): Promise<void>;
}

/** A TCP relay with a port of its own that records what clients send. */
async function openLink(target: () => Target): Promise<Relay> {
  const sockets = new Set<Socket>();
  const sent: Buffer[] = [];
  const keep = (socket: Socket) => {
    sockets.add(socket.on('error', () => {}).setNoDelay(true));
    socket.on('close', () => sockets.delete(socket));
  };
  const server = createServer((client) => {
    keep(client);
    const index = sent.push(Buffer.alloc(0)) - 1;
    const broker = connect(target());
    keep(broker);
    client.on('data', (bytes) => {
      sent[index] = Buffer.concat([sent[index] ?? Buffer.alloc(0), bytes]);
    });
    client.pipe(broker).pipe(client);
    client.on('close', () => broker.destroy());
    broker.on('close', () => client.destroy());
  });
  const listen = async (port: number) => {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('the link has no port');
    return address.port;
  };
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  const down = async () => {
    server.close();
    cut();
    await once(server, 'close');
  };
  const port = await listen(0);
  return { port, cut, sent, down, up: async () => void (await listen(port)) };
}

export async function embeddedBroker(): Promise<BrokerUnderTest> {
  const where = { host: '127.0.0.1', port: 0 };
  let broker = await startEmbeddedBroker(where);
  return behindLinks(broker, {
    restart: async () => {
      await broker.close();
      broker = await startEmbeddedBroker(where);
      return broker;
    },
    close: () => broker.close(),
  });
}

async function behindLinks(
  first: Target,
  broker: { restart(): Promise<Target>; close(): Promise<void> },
): Promise<BrokerUnderTest> {
  let target = first;
  const [link, steady] = await Promise.all([openLink(() => target), openLink(() => target)]);
  return {
    url: `mqtt://127.0.0.1:${link.port}`,
    steadyUrl: `mqtt://127.0.0.1:${steady.port}`,
    link,
    restart: async () => {
      await Promise.all([link.down(), steady.down()]);
      target = await broker.restart();
      await Promise.all([link.up(), steady.up()]);
    },
    close: async () => {
      await Promise.all([link.down(), steady.down()]);
      await broker.close();
    },
  };
}

/** The binary of mosquitto, or `null` where it is not installed. */
export const MOSQUITTO = findMosquitto();

function findMosquitto(): string | null {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/usr/local/sbin'];
  const paths = folders.map((folder) => join(folder, 'mosquitto'));
  return paths.find((path) => isExecutable(path)) ?? null;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** mosquitto on a Unix socket: no port has to be guessed. */
export async function mosquittoBroker(binary: string): Promise<BrokerUnderTest> {
  const folder = mkdtempSync(join(tmpdir(), 'mosquitto-'));
  const path = join(folder, 'socket');
  const config = join(folder, 'mosquitto.conf');
  writeFileSync(
    config,
    `user ${userInfo().username}\nlistener 0 ${path}\nallow_anonymous true\nset_tcp_nodelay true\nlog_dest stderr\n`,
  );
  let broker = await startMosquitto(binary, config);
  return behindLinks(
    { path },
    {
      restart: async () => {
        await endChild(broker);
        broker = await startMosquitto(binary, config);
        return { path };
      },
      close: async () => {
        await endChild(broker);
        rmSync(folder, { recursive: true });
      },
    },
  );
}

async function startMosquitto(binary: string, config: string): Promise<ChildProcess> {
  const child = spawn(binary, ['-c', config], { stdio: ['ignore', 'ignore', 'pipe'] });
  let log = '';
  await new Promise<void>((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code) => reject(new Error(`mosquitto ended with ${code}: ${log}`)));
    child.stderr.on('data', (chunk: Buffer) => {
      log += chunk.toString();
      if (/mosquitto version \S+ running/.test(log)) resolve();
    });
  });
  return child;
}

async function endChild(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}
