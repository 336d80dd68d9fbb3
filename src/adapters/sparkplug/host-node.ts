import type { ReadingQuality } from '../../domain/metering/meter-reading.ts';
import type { EpochMs } from '../../domain/units/time.ts';
import type { DataType, MetricValue } from './datatype.ts';
import { type DecodedPayload, decodePayload, type IncomingMetric, type IncomingPayload } from './payload.ts';
import type { DeviceVerb, NodeVerb } from './topics.ts';
import { BD_SEQ, nextModulo256, qualityOf, REBIRTH } from './vocabulary.ts';

/** A value that a node reported, or that became stale because its node or device died. */
export interface MetricEvent {
  readonly node: string;
  /** `null`: a metric of the node itself. */
  readonly device: string | null;
  readonly name: string;
  readonly value: MetricValue | null;
  readonly quality: ReadingQuality;
  /** The time of the value; of a stale one the time of the death. */
  readonly at: EpochMs;
  /** Not the current value: told late. */
  readonly historical: boolean;
}

/** What a node needs from its host. */
export interface NodeHooks {
  now(): EpochMs;
  metric(event: MetricEvent): void;
  node(online: boolean): void;
  device(device: string, online: boolean): void;
  /** The node's births are needed; the host limits how often it asks. */
  requestRebirth(): void;
  problem(what: string): void;
}

export interface NodeMessage {
  readonly verb: NodeVerb | DeviceVerb;
  /** `null` for messages of the node itself. */
  readonly device: string | null;
  readonly payload: Uint8Array;
}

interface KnownMetric {
  readonly device: string | null;
  readonly name: string;
  readonly alias: number | null;
  readonly type: DataType | null;
  value: MetricValue | null;
}

/** What a host knows of one edge node: its session, the types its births declared, and the order of its messages. */
export class HostNode {
  readonly #name: string;
  readonly #hooks: NodeHooks;
  readonly #reorderTimeoutMs: number;
  readonly #metrics = new Map<string, KnownMetric>();
  readonly #aliases = new Map<number, KnownMetric>();
  readonly #devices = new Set<string>();
  /** Devices that were alive before the last NBIRTH and have not been born again since. */
  #unborn = new Set<string>();
  /** Messages that came before their turn, by seq. */
  readonly #early = new Map<number, NodeMessage>();
  #reorder: NodeJS.Timeout | undefined;
  #online = false;
  /** A message is lost for good: nothing but a birth counts. */
  #broken = false;
  #bdSeq: number | null = null;
  #nextSeq = 0;

  constructor(name: string, hooks: NodeHooks, reorderTimeoutMs: number) {
    this.#name = name;
    this.#hooks = hooks;
    this.#reorderTimeoutMs = reorderTimeoutMs;
  }

  receive(message: NodeMessage): void {
    const { verb } = message;
    if (verb === 'NCMD' || verb === 'DCMD') return;
    const isNodeLife = verb === 'NBIRTH' || verb === 'NDEATH';
    if (!isNodeLife && (!this.#online || this.#broken)) {
      this.#hooks.requestRebirth();
      return;
    }
    const decoded = this.#decode(message);
    if (!decoded.ok) this.#problem(message, decoded.problem);
    else if (verb === 'NBIRTH') this.#nodeBirth(message, decoded.payload);
    else if (verb === 'NDEATH') this.#nodeDeath(decoded.payload);
    else this.#inOrder(message, decoded.payload);
  }

  /** The node is offline and all its metrics are stale. */
  die(at: EpochMs): void {
    this.#stopWaiting();
    if (!this.#online) return;
    this.#online = false;
    for (const device of [...this.#devices]) this.#deviceDied(device, at);
    this.#stale(null, at);
    this.#hooks.node(false);
  }

  /** Ends the timer, for a host that goes. */
  stop(): void {
    this.#stopWaiting();
  }

  #decode({ device, payload }: NodeMessage): DecodedPayload {
    return decodePayload(payload, (name, alias) => this.#known(device, name, alias)?.type ?? null);
  }

  /** A birth begins a new sequence. One with another bdSeq is of a new session whose predecessor's death was missed. */
  #nodeBirth(message: NodeMessage, payload: IncomingPayload): void {
    const bdSeq = payload.metrics.find(({ name }) => name === BD_SEQ)?.value;
    if (typeof bdSeq !== 'number' || payload.seq === null || payload.seq > 255) {
      this.#problem(message, 'a birth needs bdSeq and a seq from 0 to 255');
      return;
    }
    if (bdSeq !== this.#bdSeq) this.die(this.#hooks.now());
    this.#stopWaiting();
    this.#bdSeq = bdSeq;
    this.#nextSeq = nextModulo256(payload.seq);
    this.#broken = false;
    this.#aliases.clear();
    this.#forget(null);
    this.#unborn = new Set(this.#devices);
    if (!this.#online) this.#hooks.node(true);
    this.#online = true;
    this.#declare(message, payload);
  }

  /** Honoured only with the bdSeq of the birth: the will of an earlier session may arrive late. */
  #nodeDeath({ metrics }: IncomingPayload): void {
    const bdSeq = metrics.find(({ name }) => name === BD_SEQ)?.value;
    if (bdSeq === this.#bdSeq) this.die(this.#hooks.now());
  }

  #inOrder(message: NodeMessage, payload: IncomingPayload): void {
    const { seq } = payload;
    if (seq === null || seq > 255) this.#problem(message, 'there is no seq from 0 to 255');
    else if (seq !== this.#nextSeq) this.#wait(seq, message);
    else {
      this.#nextSeq = nextModulo256(seq);
      this.#take(message, payload);
      this.#takeEarly();
    }
  }

  #wait(seq: number, message: NodeMessage): void {
    this.#early.set(seq, message);
    this.#reorder ??= setTimeout(() => this.#breakOff(), this.#reorderTimeoutMs);
  }

  #takeEarly(): void {
    const next = this.#early.get(this.#nextSeq);
    if (next === undefined) return;
    this.#early.delete(this.#nextSeq);
    if (this.#early.size === 0) this.#stopWaiting();
    this.receive(next);
  }

  #stopWaiting(): void {
    clearTimeout(this.#reorder);
    this.#reorder = undefined;
    this.#early.clear();
  }

  #breakOff(): void {
    this.#stopWaiting();
    this.#broken = true;
    this.#hooks.requestRebirth();
  }

  #take(message: NodeMessage, payload: IncomingPayload): void {
    const { verb, device } = message;
    if (verb === 'DBIRTH' && device !== null) this.#deviceBirth(message, device, payload);
    else {
      for (const gone of this.#unborn) this.#deviceDied(gone, this.#hooks.now());
      if (device === null) this.#data(null, payload);
      else if (verb === 'DDEATH') this.#deviceDied(device, this.#at(payload.timestamp));
      else if (this.#devices.has(device)) this.#data(device, payload);
      else this.#breakOff();
    }
  }

  #deviceBirth(message: NodeMessage, device: string, payload: IncomingPayload): void {
    this.#forget(device);
    this.#unborn.delete(device);
    if (!this.#devices.has(device)) this.#hooks.device(device, true);
    this.#devices.add(device);
    this.#declare(message, payload);
  }

  #deviceDied(device: string, at: EpochMs): void {
    this.#unborn.delete(device);
    if (!this.#devices.delete(device)) return;
    this.#stale(device, at);
    this.#hooks.device(device, false);
  }

  #forget(device: string | null): void {
    for (const [key, metric] of this.#metrics) {
      if (metric.device !== device) continue;
      this.#metrics.delete(key);
      if (metric.alias !== null && this.#aliases.get(metric.alias) === metric) this.#aliases.delete(metric.alias);
    }
  }

  #declare(message: NodeMessage, payload: IncomingPayload): void {
    const { device } = message;
    for (const metric of payload.metrics) {
      const { name, alias, type } = metric;
      if (name === null) this.#problem(message, 'a metric has no name');
      else if (alias !== null && this.#aliases.has(alias)) this.#problem(message, `${name}: alias ${alias} is in use`);
      else if (name !== BD_SEQ && name !== REBIRTH) {
        const known: KnownMetric = { device, name, alias, type, value: null };
        this.#metrics.set(metricKey(device, name), known);
        if (alias !== null) this.#aliases.set(alias, known);
        this.#value(known, metric, payload.timestamp);
      }
    }
  }

  /** A metric that no birth declared: what this host knows of the node is not what the node means. */
  #data(device: string | null, payload: IncomingPayload): void {
    for (const metric of payload.metrics) {
      const known = this.#known(device, metric.name, metric.alias);
      if (known === null) {
        this.#breakOff();
        return;
      }
      this.#value(known, metric, payload.timestamp);
    }
  }

  #value(known: KnownMetric, metric: IncomingMetric, payloadTime: number | null): void {
    const { value, quality: code, isHistorical: historical } = metric;
    const { device, name } = known;
    if (!historical) known.value = value;
    const at = this.#at(metric.timestamp ?? payloadTime);
    this.#hooks.metric({
      ...{ node: this.#name, device, name, value, at, historical },
      quality: qualityOf(code, value !== null),
    });
  }

  #stale(device: string | null, at: EpochMs): void {
    for (const metric of this.#metrics.values()) {
      if (metric.device !== device) continue;
      const { name, value } = metric;
      this.#hooks.metric({ node: this.#name, device, name, value, quality: 'stale', at, historical: false });
    }
  }

  #known(device: string | null, name: string | null, alias: number | null): KnownMetric | null {
    const known = name === null ? this.#aliases.get(alias ?? -1) : this.#metrics.get(metricKey(device, name));
    return known?.device === device ? known : null;
  }

  #problem({ verb, device }: NodeMessage, what: string): void {
    this.#hooks.problem(`${verb}${device === null ? '' : ` of ${device}`}: ${what}`);
  }

  #at(timestamp: number | null): EpochMs {
    return timestamp === null ? this.#hooks.now() : (timestamp as EpochMs);
  }
}

function metricKey(device: string | null, name: string): string {
  return `${device ?? ''}/${name}`;
}
