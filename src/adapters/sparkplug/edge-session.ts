import type { BusMessage, BusWill, DeviceBus, OpenBus } from '../../domain/ports.ts';
import { assert } from '../../domain/units/assert.ts';
import type { EpochMs } from '../../domain/units/time.ts';
import { Fault, isFault } from '../../errors/fault.ts';
import { fits, type MetricValue } from './datatype.ts';
import { definitionProblem, EdgeMetrics, type MetricUpdate, type NodeDefinition } from './edge-metrics.ts';
import { decodePayload, type IncomingMetric, type OutgoingMetric, PayloadEncoder } from './payload.ts';
import { deviceTopic, nodeTopic, parseTopic } from './topics.ts';
import { BD_SEQ, nextModulo256, REBIRTH } from './vocabulary.ts';

/** Where the number of the last CONNECT is kept over restarts. `save` must be durable when it returns. */
export interface BdSeqStore {
  load(): number | null;
  save(bdSeq: number): void;
}

export interface EdgeSessionOptions extends NodeDefinition {
  /** Opens the session's own connection; it carries the NDEATH as its will. */
  readonly openBus: OpenBus;
  /** Stamps payloads. */
  readonly now: () => EpochMs;
  readonly bdSeqStore: BdSeqStore;
}

/** A value that a host wrote to a metric of the node (`device: null`) or of a device. */
export interface EdgeCommand {
  readonly device: string | null;
  readonly name: string;
  readonly value: MetricValue | null;
}

export interface EdgeSession {
  /**
   * Publishes new values of a device in one DDATA; what is worth publishing is the caller's choice. `at` is the time of
   * the values; ones older than the last are marked historical. A device that had died is born again instead.
   * Resolves with false when there is no connection: then the next birth carries the values.
   */
  update(device: string, values: readonly MetricUpdate[], at: EpochMs): Promise<boolean>;
  /** The same for the metrics of the node itself. */
  updateNode(values: readonly MetricUpdate[], at: EpochMs): Promise<boolean>;
  /** DDEATH: the device does not answer. False when it was dead already or there is no connection. */
  deviceDied(device: string): Promise<boolean>;
  onCommand(listener: (command: EdgeCommand) => void): void;
  /** PAYLOAD_MALFORMED for a command that was dropped, BROKER_REFUSED for a refused subscription. */
  onProblem(listener: (fault: Fault) => void): void;
  /** NDEATH, then DISCONNECT. */
  close(): Promise<void>;
}

/**
 * One Sparkplug B edge node with its devices. It does not wait for the broker: births go out on every connect, with
 * bdSeq one higher than on the last. All devices count as alive at first; their metrics are null until updated.
 * @throws Fault CONFIG_INVALID for ids or metric names that Sparkplug forbids
 */
export async function openEdgeSession(options: EdgeSessionOptions): Promise<EdgeSession> {
  const problem = definitionProblem(options);
  if (problem !== null)
    throw new Fault('CONFIG_INVALID', `Sparkplug node ${options.group}/${options.node}: ${problem}`);
  const session = new Session(options);
  await session.open();
  return session;
}

interface Device {
  readonly id: string;
  readonly metrics: EdgeMetrics;
  alive: boolean;
}

class Session implements EdgeSession {
  readonly #options: EdgeSessionOptions;
  readonly #encoder = new PayloadEncoder();
  readonly #nodeMetrics: EdgeMetrics;
  readonly #devices = new Map<string, Device>();
  readonly #commandListeners: ((command: EdgeCommand) => void)[] = [];
  readonly #problemListeners: ((fault: Fault) => void)[] = [];
  #bus: DeviceBus | null = null;
  #bdSeq = 0;
  #seq = 0;
  /** True from NBIRTH to the loss of the connection. */
  #born = false;
  #closing = false;

  constructor(options: EdgeSessionOptions) {
    const { nodeMetrics = [], devices } = options;
    this.#options = options;
    this.#nodeMetrics = new EdgeMetrics(nodeMetrics, 1);
    let alias = 1 + nodeMetrics.length;
    for (const { id, metrics } of devices) {
      this.#devices.set(id, { id, metrics: new EdgeMetrics(metrics, alias), alive: true });
      alias += metrics.length;
    }
  }

  async open(): Promise<void> {
    const { openBus, group, node } = this.#options;
    const bus = await openBus(() => this.#nextWill());
    this.#bus = bus;
    const subscribed = Promise.all([
      bus.subscribe(nodeTopic(group, 'NCMD', node), 1, (message) => this.#command(message)),
      bus.subscribe(deviceTopic(group, 'DCMD', node, '+'), 1, (message) => this.#command(message)),
    ]);
    subscribed.then(
      () => bus.onConnection((connected) => this.#connection(connected)),
      (error: unknown) => this.#notSubscribed(error),
    );
  }

  update(device: string, values: readonly MetricUpdate[], at: EpochMs): Promise<boolean> {
    const target = this.#device(device);
    const metrics = target.metrics.update(values, at);
    if (!target.alive) return this.#revive(target);
    const { group, node } = this.#options;
    return this.#say(deviceTopic(group, 'DDATA', node, device), metrics);
  }

  updateNode(values: readonly MetricUpdate[], at: EpochMs): Promise<boolean> {
    const { group, node } = this.#options;
    return this.#say(nodeTopic(group, 'NDATA', node), this.#nodeMetrics.update(values, at));
  }

  async deviceDied(device: string): Promise<boolean> {
    const target = this.#device(device);
    if (!target.alive) return false;
    target.alive = false;
    const { group, node } = this.#options;
    return this.#say(deviceTopic(group, 'DDEATH', node, device), []);
  }

  onCommand(listener: (command: EdgeCommand) => void): void {
    this.#commandListeners.push(listener);
  }

  onProblem(listener: (fault: Fault) => void): void {
    this.#problemListeners.push(listener);
  }

  async close(): Promise<void> {
    if (this.#closing) return;
    this.#closing = true;
    const { group, node } = this.#options;
    if (this.#born) {
      this.#born = false;
      await this.#bus?.publish(nodeTopic(group, 'NDEATH', node), this.#death(), { qos: 1 }).catch(onlyFaults);
    }
    await this.#bus?.close();
  }

  #nextWill(): BusWill {
    const { bdSeqStore, group, node } = this.#options;
    const last = bdSeqStore.load();
    this.#bdSeq = last === null ? 0 : nextModulo256(last);
    bdSeqStore.save(this.#bdSeq);
    return { topic: nodeTopic(group, 'NDEATH', node), payload: this.#death(), qos: 1, retain: false };
  }

  #connection(connected: boolean): void {
    this.#born = false;
    if (connected && !this.#closing) this.#births();
    // A death that waits for its acknowledgement would be said to the next connection.
    if (!connected && this.#closing) void this.#bus?.close();
  }

  /** NBIRTH with seq 0, then every living device, before any DATA: nothing is awaited in between. */
  #births(): void {
    const { now, group, node } = this.#options;
    const at = now();
    this.#seq = 0;
    this.#born = true;
    const control: OutgoingMetric = { name: REBIRTH, timestamp: at, type: 'Boolean', withType: true, value: false };
    const metrics = [...this.#nodeMetrics.birth(at), this.#bdSeqMetric(at), control];
    void this.#say(nodeTopic(group, 'NBIRTH', node), metrics);
    for (const device of this.#devices.values()) if (device.alive) void this.#revive(device);
  }

  #revive(device: Device): Promise<boolean> {
    device.alive = true;
    const { now, group, node } = this.#options;
    return this.#say(deviceTopic(group, 'DBIRTH', node, device.id), device.metrics.birth(now()));
  }

  /** One message of the node's sequence; without a connection nothing is said and no number used. */
  #say(topic: string, metrics: readonly OutgoingMetric[]): Promise<boolean> {
    if (!this.#born || this.#bus === null) return Promise.resolve(false);
    const payload = this.#encoder.encode({ timestamp: this.#options.now(), seq: this.#seq, metrics });
    this.#seq = nextModulo256(this.#seq);
    return this.#bus.publish(topic, payload, { qos: 0 }).then(() => true, onlyFaults);
  }

  #death(): Uint8Array {
    const timestamp = this.#options.now();
    return this.#encoder.encode({ timestamp, metrics: [this.#bdSeqMetric(timestamp)] });
  }

  #bdSeqMetric(timestamp: number): OutgoingMetric {
    return { name: BD_SEQ, timestamp, type: 'Int64', withType: true, value: this.#bdSeq };
  }

  #device(id: string): Device {
    const device = this.#devices.get(id);
    assert(device !== undefined, `the device ${id} is not defined`);
    return device;
  }

  /** A command that the broker had retained is from another time and is not obeyed. */
  #command({ topic, payload, retain }: BusMessage): void {
    const parsed = parseTopic(topic);
    if (retain || this.#closing || parsed === null || parsed.kind === 'state') return;
    const device = parsed.kind === 'device' ? parsed.device : null;
    const known = device === null ? this.#nodeMetrics : this.#devices.get(device)?.metrics;
    const problem = known === undefined ? `there is no device ${device}` : this.#obey(device, known, payload);
    if (problem !== null) this.#report(new Fault('PAYLOAD_MALFORMED', `${topic}: ${problem}`));
  }

  /** What is wrong with the first metric that is not obeyed, or `null`. */
  #obey(device: string | null, known: EdgeMetrics, payload: Uint8Array): string | null {
    const decoded = decodePayload(payload, (name, alias) => known.find(name, alias)?.type ?? null);
    if (!decoded.ok) return decoded.problem;
    const { metrics } = decoded.payload;
    const rebirth = metrics.some(({ name, value }) => device === null && name === REBIRTH && value === true);
    if (rebirth && this.#born) this.#births();
    for (const metric of metrics.filter(({ name }) => name !== REBIRTH)) {
      const problem = this.#write(device, known, metric);
      if (problem !== null) return problem;
    }
    return null;
  }

  #write(device: string | null, known: EdgeMetrics, { name, alias, value }: IncomingMetric): string | null {
    const metric = known.find(name, alias);
    if (metric === null) return `there is no metric ${name ?? `of alias ${alias}`}`;
    if (value !== null && !fits(metric.type, value)) return `${metric.name} cannot be ${value}`;
    for (const listener of this.#commandListeners) listener({ device, name: metric.name, value });
    return null;
  }

  #notSubscribed(error: unknown): void {
    if (!isFault(error)) throw error;
    if (!this.#closing) this.#report(error);
  }

  #report(fault: Fault): void {
    for (const listener of this.#problemListeners) listener(fault);
  }
}

/** A message that the connection lost is told again by the next birth; anything else is a bug. */
function onlyFaults(error: unknown): false {
  if (!isFault(error)) throw error;
  return false;
}
