import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { type IClientOptions, MqttClient } from 'mqtt';
import type { BusWill } from '../../domain/ports.ts';
import { Fault } from '../../errors/fault.ts';

export interface ConnectionOptions {
  /** `mqtt://host[:port]`, port 1883 by default. */
  readonly url: string;
  /** Unique at the broker: a second client with the same id ends the first. */
  readonly clientId: string;
  readonly username?: string;
  readonly password?: string;
  /** Asked anew for every CONNECT, after the broker's port answered. */
  readonly will?: () => BusWill;
  readonly keepaliveSeconds: number;
  /** For the TCP connection, and again for the broker's CONNACK. */
  readonly connectTimeoutMs: number;
}

export interface BrokerAddress {
  readonly host: string;
  readonly port: number;
}

/** @throws Fault CONFIG_INVALID for anything but `mqtt://host[:port]` */
export function brokerAddress(url: string): BrokerAddress {
  const parsed = URL.canParse(url) ? new URL(url) : null;
  if (parsed === null || parsed.protocol !== 'mqtt:' || parsed.hostname === '') {
    throw new Fault('CONFIG_INVALID', `the address of a broker has the form mqtt://host:port, not ${url}`);
  }
  return { host: parsed.hostname.replace(/^\[|\]$/g, ''), port: parsed.port === '' ? 1883 : Number(parsed.port) };
}

/**
 * One MQTT session from TCP to CONNACK. It never comes back by itself: a later one is a new session with a new will.
 * @throws Fault BROKER_UNREACHABLE, or BROKER_REFUSED where the broker answered no
 */
export async function openConnection(options: ConnectionOptions, signal: AbortSignal): Promise<MqttClient> {
  const { host, port } = brokerAddress(options.url);
  const socket = connect({ host, port, noDelay: true });
  // Every later error of the socket is followed by `close`, which is what is listened to.
  socket.on('error', () => {});
  const abort = () => socket.destroy();
  signal.addEventListener('abort', abort);
  try {
    await connected(socket, options, signal);
    return await session(socket, options);
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

async function connected(socket: Socket, options: ConnectionOptions, signal: AbortSignal): Promise<void> {
  const { url, connectTimeoutMs } = options;
  try {
    await once(socket, 'connect', { signal: AbortSignal.any([signal, AbortSignal.timeout(connectTimeoutMs)]) });
  } catch (error) {
    throw new Fault('BROKER_UNREACHABLE', `no broker answers at ${url}`, error);
  }
}

function session(socket: Socket, options: ConnectionOptions): Promise<MqttClient> {
  const client = new MqttClient(() => socket, clientOptions(options));
  return new Promise((resolve, reject) => {
    client.once('connect', () => resolve(client));
    client.on('error', (error) => reject(refusal(error, options.url)));
    client.once('close', () =>
      reject(new Fault('BROKER_UNREACHABLE', `${options.url} ended the connection before it answered CONNECT`)),
    );
  });
}

function clientOptions(options: ConnectionOptions): IClientOptions {
  const { clientId, username, password, will, keepaliveSeconds, connectTimeoutMs } = options;
  const wanted = will?.();
  return {
    clientId,
    protocolVersion: 4,
    clean: true,
    keepalive: keepaliveSeconds,
    connectTimeout: connectTimeoutMs,
    reconnectPeriod: 0,
    resubscribe: false,
    queueQoSZero: false,
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    ...(wanted === undefined ? {} : { will: { ...wanted, payload: Buffer.from(wanted.payload) } }),
  };
}

function refusal(error: Error, url: string): Fault {
  if ('code' in error && typeof error.code === 'number') {
    return new Fault('BROKER_REFUSED', `${url} refused the session: ${error.message}`, error);
  }
  return new Fault('BROKER_UNREACHABLE', `${url}: ${error.message}`, error);
}
