import type { BusMessage, BusWill, DeviceBus, OpenBus } from '../../domain/ports.ts';
import type { EpochMs } from '../../domain/units/time.ts';
import { Fault, isFault } from '../../errors/fault.ts';
import { HostNode, type MetricEvent } from './host-node.ts';
import { type OutgoingMetric, PayloadEncoder } from './payload.ts';
import { groupFilter, isSparkplugId, nodeTopic, parseTopic, stateTopic } from './topics.ts';
import { REBIRTH } from './vocabulary.ts';

export interface HostSessionOptions {
  /** Opens the session's own connection; it carries the STATE death as its will. */
  readonly openBus: OpenBus;
  readonly group: string;
  readonly hostId: string;
  /** Stamps STATE, commands and deaths. */
  readonly now: () => EpochMs;
  /** Nodes to ask for their births on every connect, also when this host has never heard of them. */
  readonly nodes?: readonly string[];
  /** How long a message may be overtaken by later ones (tck-id-operational-behavior-host-reordering-param); 2 s. */
  readonly reorderTimeoutMs?: number;
  /** A node is asked for its births at most once in that time; 5 s. */
  readonly rebirthIntervalMs?: number;
}

export interface NodeEvent {
  readonly node: string;
  readonly online: boolean;
}

export interface DeviceEvent extends NodeEvent {
  readonly device: string;
}

export interface HostSession {
  onMetric(listener: (event: MetricEvent) => void): void;
  onNode(listener: (event: NodeEvent) => void): void;
  onDevice(listener: (event: DeviceEvent) => void): void;
  /** PAYLOAD_MALFORMED for a message that was dropped, BROKER_REFUSED for a refused subscription. */
  onProblem(listener: (fault: Fault) => void): void;
  /** Asks a node for all its births; not sent when it was asked a moment ago. */
  requestRebirth(node: string): void;
  /** STATE offline, then DISCONNECT. */
  close(): Promise<void>;
}

/**
 * A Sparkplug B host application for one group. It does not wait for the broker. When its own connection is lost it
 * no longer knows anything: every node goes offline and every metric stale, until the next births.
 * @throws Fault CONFIG_INVALID for a group or host id that Sparkplug forbids
 */
export async function openHostSession(options: HostSessionOptions): Promise<HostSession> {
  const { group, hostId } = options;
  if (!isSparkplugId(hostId) || !isSparkplugId(group) || group === 'STATE') {
    throw new Fault(
      'CONFIG_INVALID',
      `Sparkplug host "${hostId}" of group "${group}": an id must not be empty nor hold + / #`,
    );
  }
  const session = new Session(options);
  await session.open();
  return session;
}

class Session implements HostSession {
  readonly #options: HostSessionOptions;
  readonly #encoder = new PayloadEncoder();
  readonly #nodes = new Map<string, HostNode>();
  readonly #askedAt = new Map<string, number>();
  readonly #metricListeners: ((event: MetricEvent) => void)[] = [];
  readonly #nodeListeners: ((event: NodeEvent) => void)[] = [];
  readonly #deviceListeners: ((event: DeviceEvent) => void)[] = [];
  readonly #problemListeners: ((fault: Fault) => void)[] = [];
  #bus: DeviceBus | null = null;
  /** Of the will of this connection; the birth carries the same. */
  #stateTimestamp = 0;
  #connected = false;
  #closing = false;

  constructor(options: HostSessionOptions) {
    this.#options = options;
  }

  async open(): Promise<void> {
    const { openBus, group, hostId } = this.#options;
    const bus = await openBus(() => this.#will());
    this.#bus = bus;
    const subscribed = Promise.all([
      bus.subscribe(groupFilter(group), 1, (message) => this.#message(message)),
      bus.subscribe(stateTopic(hostId), 1, (message) => this.#ownState(message)),
    ]);
    subscribed.then(
      () => bus.onConnection((connected) => this.#connection(connected)),
      (error: unknown) => this.#notSubscribed(error),
    );
  }

  onMetric(listener: (event: MetricEvent) => void): void {
    this.#metricListeners.push(listener);
  }

  onNode(listener: (event: NodeEvent) => void): void {
    this.#nodeListeners.push(listener);
  }

  onDevice(listener: (event: DeviceEvent) => void): void {
    this.#deviceListeners.push(listener);
  }

  onProblem(listener: (fault: Fault) => void): void {
    this.#problemListeners.push(listener);
  }

  requestRebirth(node: string): void {
    const { group, now, rebirthIntervalMs = 5_000 } = this.#options;
    const monotonic = performance.now();
    if (!this.#connected || monotonic - (this.#askedAt.get(node) ?? -Infinity) < rebirthIntervalMs) return;
    this.#askedAt.set(node, monotonic);
    const timestamp = now();
    const rebirth: OutgoingMetric = { name: REBIRTH, timestamp, type: 'Boolean', withType: true, value: true };
    const payload = this.#encoder.encode({ timestamp, metrics: [rebirth] });
    this.#bus?.publish(nodeTopic(group, 'NCMD', node), payload, { qos: 0 }).catch(onlyFaults);
  }

  async close(): Promise<void> {
    if (this.#closing) return;
    this.#closing = true;
    if (this.#connected) await this.#publishState(false, this.#options.now());
    await this.#bus?.close();
    for (const node of this.#nodes.values()) node.stop();
  }

  #will(): BusWill {
    this.#stateTimestamp = this.#options.now();
    const payload = statePayload(false, this.#stateTimestamp);
    return { topic: stateTopic(this.#options.hostId), payload, qos: 1, retain: true };
  }

  #connection(connected: boolean): void {
    this.#connected = connected;
    if (!connected) this.#lost();
    if (!connected || this.#closing) return;
    void this.#publishState(true, this.#stateTimestamp);
    this.#askedAt.clear();
    for (const node of new Set([...(this.#options.nodes ?? []), ...this.#nodes.keys()])) this.requestRebirth(node);
  }

  #lost(): void {
    const at = this.#options.now();
    for (const node of this.#nodes.values()) node.die(at);
    // A death that waits for its acknowledgement would be said to the next connection.
    if (this.#closing) void this.#bus?.close();
  }

  async #publishState(online: boolean, timestamp: number): Promise<void> {
    const payload = statePayload(online, timestamp);
    await this.#bus?.publish(stateTopic(this.#options.hostId), payload, { qos: 1, retain: true }).catch(onlyFaults);
  }

  /** The late will of an earlier session said that this host is gone: the others must hear that it is not. */
  #ownState({ payload }: BusMessage): void {
    if (this.#closing || !this.#connected || !saysOffline(payload)) return;
    void this.#publishState(true, this.#stateTimestamp);
  }

  /** What the broker had retained is from another time: births and data are never retained. */
  #message({ topic, payload, retain }: BusMessage): void {
    const parsed = parseTopic(topic);
    if (retain || this.#closing || parsed === null || parsed.kind === 'state') return;
    const device = parsed.kind === 'device' ? parsed.device : null;
    this.#node(parsed.node).receive({ verb: parsed.verb, device, payload });
  }

  #node(name: string): HostNode {
    const known = this.#nodes.get(name);
    if (known !== undefined) return known;
    const { now, group, reorderTimeoutMs = 2_000 } = this.#options;
    const hooks = {
      now,
      metric: (event: MetricEvent) => tell(this.#metricListeners, event),
      node: (online: boolean) => tell(this.#nodeListeners, { node: name, online }),
      device: (device: string, online: boolean) => tell(this.#deviceListeners, { node: name, device, online }),
      requestRebirth: () => this.requestRebirth(name),
      problem: (what: string) => this.#report(new Fault('PAYLOAD_MALFORMED', `node ${group}/${name}: ${what}`)),
    };
    const node = new HostNode(name, hooks, reorderTimeoutMs);
    this.#nodes.set(name, node);
    return node;
  }

  #notSubscribed(error: unknown): void {
    if (!isFault(error)) throw error;
    if (!this.#closing) this.#report(error);
  }

  #report(fault: Fault): void {
    tell(this.#problemListeners, fault);
  }
}

function tell<Event>(listeners: readonly ((event: Event) => void)[], event: Event): void {
  for (const listener of listeners) listener(event);
}

function statePayload(online: boolean, timestamp: number): Uint8Array {
  return new TextEncoder().encode(JSON.stringify({ online, timestamp }));
}

function saysOffline(payload: Uint8Array): boolean {
  try {
    const state: unknown = JSON.parse(new TextDecoder().decode(payload));
    return typeof state === 'object' && state !== null && 'online' in state && state.online === false;
  } catch {
    return false;
  }
}

function onlyFaults(error: unknown): void {
  if (!isFault(error)) throw error;
}
