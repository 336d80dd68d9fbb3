import { ByteReader } from './byte-reader.ts';
import { ByteWriter } from './byte-writer.ts';
import { assertFits, type DataType, dataTypeOfCode, datatypeOf, fits, type MetricValue } from './datatype.ts';

/**
 * The Sparkplug B payload of Eclipse Tahu's proto2 schema, as far as this product uses it: single values and the
 * property `Quality`. Data sets, templates, metadata and other properties are passed over when they arrive.
 */

/** A metric to be sent. `value: null` is sent as is_null. */
export interface OutgoingMetric {
  readonly name?: string;
  readonly alias?: number;
  /** Epoch ms, UTC. */
  readonly timestamp?: number;
  readonly type: DataType;
  /** True in births; false in DATA, where the receiver knows the type (tck-id-payloads-metric-datatype-not-req). */
  readonly withType: boolean;
  readonly isHistorical?: boolean;
  readonly isTransient?: boolean;
  readonly value: MetricValue | null;
  /** 192 good, 500 stale, 0 bad. */
  readonly quality?: number;
}

export interface OutgoingPayload {
  readonly timestamp: number;
  /** 0-255; absent in NDEATH and commands. */
  readonly seq?: number;
  readonly metrics: readonly OutgoingMetric[];
}

export interface IncomingMetric {
  readonly name: string | null;
  readonly alias: number | null;
  readonly timestamp: number | null;
  /** From the message, else from the birth; `null` when neither knows it or it is no single value. */
  readonly type: DataType | null;
  readonly isHistorical: boolean;
  readonly isTransient: boolean;
  /** `null` when is_null is set or no value of a kind known here came. Untyped integers are read as the wire says. */
  readonly value: MetricValue | null;
  readonly quality: number | null;
}

export interface IncomingPayload {
  readonly timestamp: number | null;
  readonly seq: number | null;
  readonly metrics: readonly IncomingMetric[];
}

export type DecodedPayload =
  | { readonly ok: true; readonly payload: IncomingPayload }
  | { readonly ok: false; readonly problem: string };

/** What the birth said about a metric that now comes without its datatype. */
export type TypeLookup = (name: string | null, alias: number | null) => DataType | null;

/** Larger messages are refused unread: small bytes can unfold into large objects. */
export const MAX_PAYLOAD_BYTES = 1 << 20;

/** Encodes payloads into one buffer that it keeps. */
export class PayloadEncoder {
  readonly #out = new ByteWriter();

  encode(payload: OutgoingPayload): Uint8Array {
    const out = this.#out;
    out.reset();
    out.uint32(0x08);
    out.int64(payload.timestamp);
    for (const metric of payload.metrics) this.#metric(metric);
    if (payload.seq !== undefined) {
      out.uint32(0x18);
      out.uint32(payload.seq);
    }
    return out.finish();
  }

  #metric(metric: OutgoingMetric): void {
    const out = this.#out;
    out.uint32(0x12);
    const start = out.open();
    if (metric.name !== undefined) {
      out.uint32(0x0a);
      out.string(metric.name);
    }
    this.#number(0x10, metric.alias);
    this.#number(0x18, metric.timestamp);
    if (metric.withType) this.#number(0x20, datatypeOf(metric.type).code);
    if (metric.isHistorical === true) this.#number(0x28, 1);
    if (metric.isTransient === true) this.#number(0x30, 1);
    if (metric.value === null) this.#number(0x38, 1);
    if (metric.quality !== undefined) this.#quality(metric.quality);
    if (metric.value !== null) this.#value(metric.type, metric.value, metric.name ?? `alias ${metric.alias}`);
    out.close(start);
  }

  #number(key: number, value: number | undefined): void {
    if (value === undefined) return;
    this.#out.uint32(key);
    this.#out.int64(value);
  }

  /** Property set {keys: ['Quality'], values: [{type: Int32, int_value}]}. */
  #quality(quality: number): void {
    const out = this.#out;
    out.uint32(0x4a);
    const set = out.open();
    out.uint32(0x0a);
    out.string('Quality');
    out.uint32(0x12);
    const value = out.open();
    this.#number(0x08, datatypeOf('Int32').code);
    out.uint32(0x18);
    out.uint32(quality);
    out.close(value);
    out.close(set);
  }

  #value(type: DataType, value: MetricValue, name: string): void {
    assertFits(type, value, name);
    const out = this.#out;
    const { field } = datatypeOf(type);
    if (typeof value === 'string') {
      out.uint32(0x7a);
      out.string(value);
    } else if (typeof value === 'boolean') this.#number(0x70, value ? 1 : 0);
    else if (field === 'int') {
      out.uint32(0x50);
      out.uint32(value);
    } else if (field === 'long') this.#number(0x58, value);
    else if (field === 'float') {
      out.uint32(0x65);
      out.float(value);
    } else {
      out.uint32(0x69);
      out.double(value);
    }
  }
}

/** Never throws, whatever the bytes are. `typeOf` gives the types of the birth. */
export function decodePayload(bytes: Uint8Array, typeOf: TypeLookup = () => null): DecodedPayload {
  if (bytes.length > MAX_PAYLOAD_BYTES) return { ok: false, problem: `${bytes.length} bytes are too many` };
  const reader = new ByteReader(bytes);
  const metrics: IncomingMetric[] = [];
  let timestamp: number | null = null;
  let seq: number | null = null;
  while (reader.more()) {
    const key = reader.varint();
    if (key === 0x08) timestamp = reader.uint64('a timestamp');
    else if (key === 0x12) metrics.push(readMetric(reader, typeOf));
    else if (key === 0x18) seq = reader.uint64('a seq');
    else reader.skip(key);
  }
  if (reader.problem !== null) return { ok: false, problem: reader.problem };
  return { ok: true, payload: { timestamp, seq, metrics } };
}

/** The fields of a metric as they came; the value is understood at its end, when the type is known. */
interface RawMetric {
  name: string | null;
  alias: number | null;
  timestamp: number | null;
  code: number | null;
  isHistorical: boolean;
  isTransient: boolean;
  isNull: boolean;
  quality: number | null;
  value: MetricValue | null;
  /** Whether `value` and `high` are the halves of an int_value or long_value. */
  integer: 'int' | 'long' | null;
  high: number;
}

function readMetric(reader: ByteReader, typeOf: TypeLookup): IncomingMetric {
  const raw: RawMetric = {
    name: null,
    alias: null,
    timestamp: null,
    code: null,
    isHistorical: false,
    isTransient: false,
    isNull: false,
    quality: null,
    value: null,
    integer: null,
    high: 0,
  };
  const outer = reader.enter();
  while (reader.more()) readMetricField(reader, raw);
  reader.leave(outer);
  const { name, alias, timestamp, isHistorical, isTransient, quality } = raw;
  const type = raw.code === null ? typeOf(name, alias) : dataTypeOfCode(raw.code);
  const value = raw.isNull ? null : understand(reader, raw, type);
  return { name, alias, timestamp, type, isHistorical, isTransient, value, quality };
}

function readMetricField(reader: ByteReader, raw: RawMetric): void {
  const key = reader.varint();
  if (key === 0x0a) raw.name = reader.string();
  else if (key === 0x10) raw.alias = reader.uint64('an alias');
  else if (key === 0x18) raw.timestamp = reader.uint64('a metric timestamp');
  else if (key === 0x20) raw.code = reader.varint();
  else if (key === 0x28) raw.isHistorical = reader.varint() !== 0;
  else if (key === 0x30) raw.isTransient = reader.varint() !== 0;
  else if (key === 0x38) raw.isNull = reader.varint() !== 0;
  else if (key === 0x4a) raw.quality = readQuality(reader) ?? raw.quality;
  else if (!readValue(reader, raw, key)) reader.skip(key);
}

function readValue(reader: ByteReader, raw: RawMetric, key: number): boolean {
  raw.integer = key === 0x50 ? 'int' : key === 0x58 ? 'long' : raw.integer;
  if (key === 0x50 || key === 0x58) {
    raw.value = reader.varint();
    raw.high = reader.high;
    return true;
  }
  if (key === 0x65) raw.value = reader.float();
  else if (key === 0x69) raw.value = reader.double();
  else if (key === 0x70) raw.value = reader.varint() !== 0;
  else if (key === 0x7a) raw.value = reader.string();
  else return false;
  raw.integer = null;
  return true;
}

/** The integer of the property `Quality`, or `null`. Keys and values are two lists in step. */
function readQuality(reader: ByteReader): number | null {
  const keys: string[] = [];
  const values: (number | null)[] = [];
  const outer = reader.enter();
  while (reader.more()) {
    const key = reader.varint();
    if (key === 0x0a) keys.push(reader.string());
    else if (key === 0x12) values.push(readPropertyInteger(reader));
    else reader.skip(key);
  }
  reader.leave(outer);
  const index = keys.indexOf('Quality');
  return index < 0 ? null : (values[index] ?? null);
}

function readPropertyInteger(reader: ByteReader): number | null {
  let value: number | null = null;
  const outer = reader.enter();
  while (reader.more()) {
    const key = reader.varint();
    if (key === 0x18 || key === 0x20) value = reader.varint() | 0;
    else reader.skip(key);
  }
  reader.leave(outer);
  return value;
}

/** The value under its type. One that does not fit the type, or is an integer beyond 2^53, makes the bytes malformed. */
function understand(reader: ByteReader, raw: RawMetric, type: DataType | null): MetricValue | null {
  if (reader.problem !== null || raw.value === null || (type === null && raw.code !== null)) return null;
  const value = raw.integer === null ? raw.value : integerOf(raw, type);
  if (value !== null && (type === null || fits(type, value))) return value;
  reader.fail(`${raw.name ?? `alias ${raw.alias}`} has a value that ${type ?? 'a double'} does not hold exactly`);
  return null;
}

function integerOf(raw: RawMetric, type: DataType | null): number | null {
  const low = raw.value as number;
  const signed = type === 'Int8' || type === 'Int16' || type === 'Int32' || type === 'Int64';
  if (raw.integer === 'int') return signed ? signExtend(low, type) : low;
  const unsignedValue = raw.high * 2 ** 32 + low;
  if (!signed && (type !== null || Number.isSafeInteger(unsignedValue))) return exact(unsignedValue);
  return exact((raw.high | 0) * 2 ** 32 + low);
}

/** Narrow integers come in 32 bits; some senders fill only their own width. */
function signExtend(low: number, type: DataType): number {
  if (type === 'Int8' && low <= 0xff) return (low << 24) >> 24;
  if (type === 'Int16' && low <= 0xffff) return (low << 16) >> 16;
  return low | 0;
}

function exact(value: number): number | null {
  return Number.isSafeInteger(value) ? value : null;
}
