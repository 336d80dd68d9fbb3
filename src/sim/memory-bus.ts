import type { BusMessage, BusWill, DeviceBus } from '../domain/ports.ts';
import { assert } from '../domain/units/assert.ts';
import { Fault } from '../errors/fault.ts';

export interface MemorySession extends DeviceBus {
  /** The client is gone without DISCONNECT: the broker publishes its will. */
  kill(): void;
  /** The link is cut like by `kill`, but the client comes back with `restore`. */
  cut(): void;
  /** The client connects again: a new will, its subscriptions renewed. */
  restore(): void;
}

export interface MemoryBroker {
  /** A client with an id that is in use ends the other, as MQTT says. */
  connect(options: { clientId: string; will?: () => BusWill }): Promise<MemorySession>;
  /** Resolves when every message published so far was handed to its listeners. */
  idle(): Promise<void>;
}

interface Subscription {
  readonly filter: string[];
  readonly onMessage: (message: BusMessage) => void;
}

/**
 * A broker and its clients in this process: the device bus without sockets, timers or threads. Messages are handed over
 * one after another in the order in which they were published, never inside the call that published them.
 * A publish resolves when all listeners have had the message; there is no loss and no repetition. A session that is cut
 * rejects every publish and subscription with BROKER_UNREACHABLE, whatever the QoS.
 */
export function createMemoryBroker(): MemoryBroker {
  return new Broker();
}

class Broker implements MemoryBroker {
  readonly sessions = new Map<string, Session>();
  readonly #retained = new Map<string, BusMessage>();
  #tail: Promise<void> = Promise.resolve();

  async connect({ clientId, will }: { clientId: string; will?: () => BusWill }): Promise<MemorySession> {
    const session = new Session(this, clientId, will);
    session.restore();
    return session;
  }

  async idle(): Promise<void> {
    let seen: Promise<void> | undefined;
    while (seen !== this.#tail) {
      seen = this.#tail;
      await seen;
    }
  }

  /** Runs one step after all those before it. */
  next(step: () => void): Promise<void> {
    this.#tail = this.#tail.then(step);
    return this.#tail;
  }

  publish(topic: string, payload: Uint8Array, retain: boolean): Promise<void> {
    const message: BusMessage = { topic, payload: payload.slice(), retain };
    return this.next(() => {
      if (retain && payload.length === 0) this.#retained.delete(topic);
      else if (retain) this.#retained.set(topic, message);
      for (const session of [...this.sessions.values()]) session.deliver({ ...message, retain: false });
    });
  }

  /** The retained messages that a new subscription is told at once. */
  retainedFor(filter: readonly string[]): BusMessage[] {
    return [...this.#retained.values()].filter(({ topic }) => matches(filter, topic));
  }
}

class Session implements MemorySession {
  readonly #broker: Broker;
  readonly #clientId: string;
  readonly #nextWill: (() => BusWill) | undefined;
  readonly #subscriptions: Subscription[] = [];
  readonly #listeners: ((connected: boolean) => void)[] = [];
  #will: BusWill | undefined;
  #ended = false;

  constructor(broker: Broker, clientId: string, will: (() => BusWill) | undefined) {
    this.#broker = broker;
    this.#clientId = clientId;
    this.#nextWill = will;
  }

  async publish(topic: string, payload: Uint8Array, options: { qos: 0 | 1; retain?: boolean }): Promise<void> {
    assert(topic !== '' && !/[+#\0]/.test(topic), `not a topic to publish on: ${topic}`);
    if (!this.#connected()) throw this.#unreachable();
    await this.#broker.publish(topic, payload, options.retain ?? false);
  }

  async subscribe(filter: string, _qos: 0 | 1, onMessage: (message: BusMessage) => void): Promise<void> {
    if (!this.#connected()) throw this.#unreachable();
    const subscription: Subscription = { filter: filter.split('/'), onMessage };
    await this.#broker.next(() => this.#subscriptions.push(subscription));
    void this.#broker.next(() => this.#tellRetained(subscription));
  }

  onConnection(listener: (connected: boolean) => void): void {
    this.#listeners.push(listener);
    if (this.#connected()) listener(true);
  }

  async close(): Promise<void> {
    if (this.#connected()) this.#leave(false);
    this.#ended = true;
  }

  kill(): void {
    this.cut();
    this.#ended = true;
  }

  cut(): void {
    if (this.#connected()) this.#leave(true);
  }

  restore(): void {
    if (this.#ended || this.#connected()) return;
    this.#broker.sessions.get(this.#clientId)?.cut();
    this.#will = this.#nextWill?.();
    this.#broker.sessions.set(this.#clientId, this);
    for (const subscription of this.#subscriptions) void this.#broker.next(() => this.#tellRetained(subscription));
    for (const listener of [...this.#listeners]) listener(true);
  }

  deliver(message: BusMessage): void {
    for (const { filter, onMessage } of [...this.#subscriptions]) {
      if (this.#connected() && matches(filter, message.topic)) onMessage(message);
    }
  }

  #tellRetained({ filter, onMessage }: Subscription): void {
    if (!this.#connected()) return;
    for (const message of this.#broker.retainedFor(filter)) onMessage(message);
  }

  #leave(withWill: boolean): void {
    this.#broker.sessions.delete(this.#clientId);
    const will = this.#will;
    if (withWill && will !== undefined) void this.#broker.publish(will.topic, will.payload, will.retain);
    for (const listener of [...this.#listeners]) listener(false);
  }

  #connected(): boolean {
    return this.#broker.sessions.get(this.#clientId) === this;
  }

  #unreachable(): Fault {
    return new Fault('BROKER_UNREACHABLE', `${this.#clientId} is not connected to the broker in memory`);
  }
}

/** MQTT 3.1.1 section 4.7, from the first level to the last. */
function matches([wanted, ...filter]: readonly string[], topic: string): boolean {
  if (topic.startsWith('$') && (wanted === '#' || wanted === '+')) return false;
  return levelsMatch(wanted, filter, topic.split('/'));
}

function levelsMatch(wanted: string | undefined, filter: readonly string[], levels: readonly string[]): boolean {
  if (wanted === '#') return true;
  const [level, ...rest] = levels;
  if (wanted === undefined || level === undefined) return wanted === level;
  return (wanted === '+' || wanted === level) && levelsMatch(filter[0], filter.slice(1), rest);
}
