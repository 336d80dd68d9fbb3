import { setTimeout as pause } from 'node:timers/promises';
import type { MqttClient } from 'mqtt';
import type { BusMessage, BusWill, DeviceBus } from '../../domain/ports.ts';
import { assert } from '../../domain/units/assert.ts';
import { Fault, isFault } from '../../errors/fault.ts';
import { brokerAddress, type ConnectionOptions, openConnection } from './connection.ts';
import { topicMatches } from './topic-filter.ts';

export interface MqttBusOptions {
  /** `mqtt://host[:port]`, port 1883 by default. */
  readonly url: string;
  /** Unique at the broker: a second client with the same id ends the first. */
  readonly clientId: string;
  readonly username?: string;
  readonly password?: string;
  /** A function is asked anew for every CONNECT, after the broker's port answered and before CONNECT is sent. */
  readonly will?: BusWill | (() => BusWill);
  /** Reject with BROKER_UNREACHABLE or BROKER_REFUSED when the first attempt fails, instead of trying on. */
  readonly failFast?: boolean;
  /** Default 30. A silent peer is given up after half as long again. */
  readonly keepaliveSeconds?: number;
  /** Default 5 s, for the TCP connection and again for CONNACK. */
  readonly connectTimeoutMs?: number;
  /** Default 10 s, for PUBACK and SUBACK. */
  readonly ackTimeoutMs?: number;
  /** Default 1,000 messages of QoS 1 without an acknowledgement. */
  readonly maxPending?: number;
  /** Pause before attempt n: min x 2^n up to max, half of it random. Defaults 100 ms and 5 s. */
  readonly backoff?: { readonly minMs: number; readonly maxMs: number };
}

interface Subscription {
  readonly filter: string;
  readonly qos: 0 | 1;
  readonly onMessage: (message: BusMessage) => void;
  readonly granted: PromiseWithResolvers<void>;
  /** Granted at least once: from then on it is renewed, whatever a broker says meanwhile. */
  isHeld: boolean;
}

interface Pending {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly retain: boolean;
  readonly acknowledged: PromiseWithResolvers<void>;
  readonly deadline: NodeJS.Timeout;
}

/**
 * The device bus over MQTT 3.1.1 with clean sessions. It reconnects by itself for ever.
 *
 * While there is no connection, a message of QoS 0 is rejected with BROKER_UNREACHABLE. A message of QoS 1 is kept, in
 * order and up to `maxPending` (then rejected with BROKER_UNREACHABLE), is sent when the broker is back, and sent again
 * when the connection broke before its PUBACK. Unacknowledged after `ackTimeoutMs` it is rejected with
 * ERR_SYNC_TIMEOUT: the broker may have it or not. `close` rejects what is still unacknowledged.
 *
 * Keep the filters of one bus disjoint: a broker may send one copy per matching filter, and each copy goes to every
 * matching listener. Retained messages come again after every reconnect.
 * @throws Fault CONFIG_INVALID for a url of another form; see `failFast` for the others
 */
export async function connectMqttBus(options: MqttBusOptions): Promise<DeviceBus> {
  brokerAddress(options.url);
  const bus = new MqttBus(options);
  if (options.failFast !== true) return bus.start();
  await bus.firstAttempt();
  await new Promise<void>((resolve) => bus.start().onConnection((connected) => (connected ? resolve() : undefined)));
  return bus;
}

class MqttBus implements DeviceBus {
  readonly #connection: ConnectionOptions;
  readonly #ackTimeoutMs: number;
  readonly #maxPending: number;
  readonly #backoff: { readonly minMs: number; readonly maxMs: number };
  readonly #closing = new AbortController();
  readonly #subscriptions: Subscription[] = [];
  readonly #pending = new Set<Pending>();
  /** Messages of QoS 0 that wait for room in the socket. */
  readonly #writing = new Set<PromiseWithResolvers<void>>();
  readonly #listeners: ((connected: boolean) => void)[] = [];
  /** The session since CONNACK; `#ready` once its subscriptions are renewed. */
  #client: MqttClient | null = null;
  #ready = false;
  #running: Promise<void> = Promise.resolve();

  constructor(options: MqttBusOptions) {
    const { url, clientId, username, password, will } = options;
    this.#connection = {
      url,
      clientId,
      keepaliveSeconds: options.keepaliveSeconds ?? 30,
      connectTimeoutMs: options.connectTimeoutMs ?? 5_000,
      ...(username === undefined ? {} : { username }),
      ...(password === undefined ? {} : { password }),
      ...(will === undefined ? {} : { will: typeof will === 'function' ? will : () => will }),
    };
    this.#ackTimeoutMs = options.ackTimeoutMs ?? 10_000;
    this.#maxPending = options.maxPending ?? 1_000;
    this.#backoff = options.backoff ?? { minMs: 100, maxMs: 5_000 };
  }

  async firstAttempt(): Promise<void> {
    this.#client = await openConnection(this.#connection, this.#closing.signal);
    this.#listen(this.#client);
  }

  start(): this {
    this.#running = this.#run();
    return this;
  }

  publish(topic: string, payload: Uint8Array, options: { qos: 0 | 1; retain?: boolean }): Promise<void> {
    assert(topic !== '' && !/[+#\0]/.test(topic), `not a topic to publish on: ${topic}`);
    if (this.#closing.signal.aborted) return Promise.reject(this.#unreachable('is closed'));
    const retain = options.retain ?? false;
    if (options.qos === 1) return this.#publishAcknowledged(topic, payload, retain);
    const client = this.#ready ? this.#client : null;
    if (client?.connected !== true) return Promise.reject(this.#unreachable('is not connected'));
    const handedOver = Promise.withResolvers<void>();
    this.#writing.add(handedOver);
    client.publish(topic, Buffer.from(payload), { qos: 0, retain }, (error) => {
      this.#writing.delete(handedOver);
      if (error === undefined || error === null) handedOver.resolve();
      else handedOver.reject(this.#unreachable('lost the connection', error));
    });
    return handedOver.promise;
  }

  async subscribe(filter: string, qos: 0 | 1, onMessage: (message: BusMessage) => void): Promise<void> {
    if (this.#closing.signal.aborted) throw this.#unreachable('is closed');
    const subscription: Subscription = {
      filter,
      qos,
      onMessage,
      granted: Promise.withResolvers<void>(),
      isHeld: false,
    };
    this.#subscriptions.push(subscription);
    if (this.#client?.connected === true) {
      const client = this.#client;
      this.#grantOrForget(client, subscription).catch(() => {}); // the connection was lost: renewed with the next
    }
    await subscription.granted.promise;
  }

  onConnection(listener: (connected: boolean) => void): void {
    this.#listeners.push(listener);
    if (this.#ready) listener(true);
  }

  async close(): Promise<void> {
    if (!this.#closing.signal.aborted) {
      this.#closing.abort();
      this.#abandon();
      if (this.#client !== null) await disconnect(this.#client);
    }
    await this.#running;
  }

  /** One session after another, with a growing pause; a session that held for a while starts the count anew. */
  async #run(): Promise<void> {
    const { signal } = this.#closing;
    let attempt = 0;
    while (!signal.aborted) {
      const began = Date.now();
      await this.#session().catch(() => {});
      attempt = Date.now() - began > this.#backoff.maxMs ? 0 : attempt + 1;
      const longest = Math.min(this.#backoff.maxMs, this.#backoff.minMs * 2 ** Math.min(attempt, 16));
      if (!signal.aborted) await pause((longest * (1 + Math.random())) / 2, undefined, { signal }).catch(() => {});
    }
  }

  /** From CONNECT to the loss of the connection. */
  async #session(): Promise<void> {
    const { signal } = this.#closing;
    if (this.#client === null) {
      this.#client = await openConnection(this.#connection, signal);
      this.#listen(this.#client);
    }
    const client = this.#client;
    const gone = new Promise<void>((resolve) => client.once('close', () => resolve()));
    try {
      if (signal.aborted) await disconnect(client);
      if (client.connected) await this.#renew(client);
      if (client.connected) this.#announce(true);
      await gone;
    } finally {
      if (!signal.aborted) client.stream.destroy();
      this.#client = null;
      for (const { reject } of this.#writing) reject(this.#unreachable('lost the connection'));
      this.#writing.clear();
      if (this.#ready) this.#announce(false);
    }
  }

  #listen(client: MqttClient): void {
    client.on('message', (topic, payload, { retain }) => {
      const bytes = new Uint8Array(payload.buffer, payload.byteOffset, payload.byteLength);
      for (const { filter, onMessage } of [...this.#subscriptions]) {
        if (topicMatches(filter, topic)) onMessage({ topic, payload: bytes, retain });
      }
    });
  }

  async #renew(client: MqttClient): Promise<void> {
    await Promise.all([...this.#subscriptions].map((subscription) => this.#grantOrForget(client, subscription)));
    for (const message of this.#pending) this.#send(client, message);
  }

  #announce(connected: boolean): void {
    this.#ready = connected;
    for (const listener of [...this.#listeners]) listener(connected);
  }

  /** @throws Fault BROKER_REFUSED where the broker says no, ERR_SYNC_TIMEOUT where it says nothing */
  async #grant(client: MqttClient, subscription: Subscription): Promise<void> {
    const { filter } = subscription;
    const qos = this.#subscriptions.some((other) => other.filter === filter && other.qos === 1) ? 1 : 0;
    const late = setTimeout(() => client.stream.destroy(), this.#ackTimeoutMs);
    try {
      await client.subscribeAsync(filter, { qos });
      subscription.isHeld = true;
      subscription.granted.resolve();
    } catch (error) {
      if (!client.connected) throw this.#unreachable('lost the connection', error);
      throw new Fault('BROKER_REFUSED', `${this.#connection.url} refused the subscription ${filter}`, error);
    } finally {
      clearTimeout(late);
    }
  }

  /** A new subscription that is refused is forgotten. One that was held and is refused now ends the session, as a lost one. */
  async #grantOrForget(client: MqttClient, subscription: Subscription): Promise<void> {
    try {
      await this.#grant(client, subscription);
    } catch (error) {
      if (subscription.isHeld || !isFault(error, 'BROKER_REFUSED')) throw error;
      const place = this.#subscriptions.indexOf(subscription);
      if (place !== -1) this.#subscriptions.splice(place, 1);
      subscription.granted.reject(error);
    }
  }

  #publishAcknowledged(topic: string, payload: Uint8Array, retain: boolean): Promise<void> {
    if (this.#pending.size >= this.#maxPending) {
      return Promise.reject(this.#unreachable(`has ${this.#pending.size} unacknowledged messages`));
    }
    const acknowledged = Promise.withResolvers<void>();
    const deadline = setTimeout(() => {
      const waited = `${this.#connection.url} did not acknowledge ${topic} in ${this.#ackTimeoutMs} ms`;
      this.#settle(message, new Fault('ERR_SYNC_TIMEOUT', waited));
    }, this.#ackTimeoutMs);
    const message: Pending = { topic, payload, retain, acknowledged, deadline };
    this.#pending.add(message);
    if (this.#ready && this.#client?.connected === true) this.#send(this.#client, message);
    return acknowledged.promise;
  }

  #send(client: MqttClient, message: Pending): void {
    const { topic, payload, retain } = message;
    client.publish(topic, Buffer.from(payload), { qos: 1, retain }, (error) => {
      if (error === undefined || error === null) this.#settle(message);
    });
  }

  #settle(message: Pending, fault?: Fault): void {
    if (!this.#pending.delete(message)) return;
    clearTimeout(message.deadline);
    if (fault === undefined) message.acknowledged.resolve();
    else message.acknowledged.reject(fault);
  }

  #abandon(): void {
    for (const message of [...this.#pending]) this.#settle(message, this.#unreachable('was closed'));
    for (const { granted } of this.#subscriptions.splice(0)) granted.reject(this.#unreachable('was closed'));
  }

  #unreachable(what: string, cause?: unknown): Fault {
    const { clientId, url } = this.#connection;
    return new Fault('BROKER_UNREACHABLE', `the bus of ${clientId} to ${url} ${what}`, cause);
  }
}

/** DISCONNECT, then the end of the connection, forced where the broker does not close it. */
async function disconnect(client: MqttClient): Promise<void> {
  for (const messageId of Object.keys(client.outgoing)) client.removeOutgoingMessage(Number(messageId));
  const late = setTimeout(() => client.stream.destroy(), 1_000);
  await client.endAsync();
  clearTimeout(late);
}
