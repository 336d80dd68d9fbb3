import { assert } from '../../domain/units/assert.ts';
import { Fault, isFault } from '../../errors/fault.ts';
import { type LinkCounters, ModbusClient, type ModbusClientOptions } from './modbus-client.ts';
import { MAX_READ_REGISTERS } from './modbus-pdu.ts';
import { discoverSunSpec, type SunSpecChain, type SunSpecModelEntry } from './sunspec-discovery.ts';
import { SUNSPEC_MODELS, type SunSpecPoint } from './sunspec-models.ts';
import { decodePoint, encodeWord, type RawValue, scaleToInteger } from './sunspec-points.ts';

/** A device on its own connection, or on one that it shares with the other units behind the same address. */
export interface SunSpecOptions extends ModbusClientOptions {
  readonly unit: number;
  /** Closed by its owner, not by the device. */
  readonly shared?: ModbusClient;
}

/** The registers of one model, read with their scale factors in one go. */
export class ModelReading {
  readonly #entry: SunSpecModelEntry;
  readonly #registers: readonly number[];
  readonly #where: string;

  constructor(entry: SunSpecModelEntry, registers: readonly number[], where: string) {
    this.#entry = entry;
    this.#registers = registers;
    this.#where = where;
  }

  get model(): number {
    return this.#entry.id;
  }

  /** The point in 10^-places of its unit, floored; `null` where the device does not implement it. */
  integer(name: string, places = 0): number | null {
    const raw = this.raw(name);
    const exponent = this.#exponentOf(name);
    if (raw === null || exponent === null) return null;
    assert(typeof raw !== 'string', `${name} is a text`);
    return scaleToInteger(raw, exponent, places);
  }

  /** As `integer`. @throws Fault SUNSPEC_POINT_MISSING where there is no value */
  required(name: string, places = 0): number {
    return this.integer(name, places) ?? this.#missing(name);
  }

  /** An accumulator that the role needs: its 0 is a count, not a gap. @throws Fault SUNSPEC_POINT_MISSING */
  counted(name: string): number {
    const exponent = this.#exponentOf(name);
    if (exponent === null) return this.#missing(name);
    const raw = this.raw(name) ?? 0n;
    assert(typeof raw !== 'string', `${name} is a text`);
    return scaleToInteger(raw, exponent, 0) ?? this.#missing(name);
  }

  text(name: string): string | null {
    const raw = this.raw(name);
    return typeof raw === 'string' ? raw : null;
  }

  /** A shorter model than the definition lacks its last points: `null`. */
  raw(name: string): RawValue {
    const { type, offset, registers } = pointOf(this.#entry.id, name);
    if (offset + registers > this.#registers.length) return null;
    return decodePoint(type, this.#registers.slice(offset, offset + registers));
  }

  #exponentOf(name: string): number | null {
    const { scale } = pointOf(this.#entry.id, name);
    if (scale === null) return 0;
    const exponent = this.raw(scale);
    return typeof exponent === 'bigint' && exponent >= -10n && exponent <= 10n ? Number(exponent) : null;
  }

  #missing(name: string): never {
    throw new Fault('SUNSPEC_POINT_MISSING', `${this.#where}: no ${name} in model ${this.#entry.id}`);
  }
}

/** One SunSpec device. It is discovered at the first use, and again when its model list has changed. */
export class SunSpecDevice {
  readonly #client: ModbusClient;
  readonly #ownsClient: boolean;
  readonly #unit: number;
  #chain: SunSpecChain | null = null;

  constructor(options: SunSpecOptions) {
    const { unit, shared, ...link } = options;
    this.#unit = unit;
    this.#ownsClient = shared === undefined;
    this.#client = shared ?? new ModbusClient(link);
  }

  get where(): string {
    return `${this.#client.peer} unit ${this.#unit}`;
  }

  get counters(): LinkCounters {
    return this.#client.counters;
  }

  /** @throws Fault SUNSPEC_*, MODBUS_* */
  async models(): Promise<SunSpecChain> {
    this.#chain ??= await discoverSunSpec(this.#client, this.#unit);
    return this.#chain;
  }

  /** Reads the first of these models that the device has. @throws Fault SUNSPEC_MODEL_MISSING, SUNSPEC_*, MODBUS_* */
  async read(...candidates: readonly number[]): Promise<ModelReading> {
    const entry = await this.#find(candidates);
    const registers = await this.#readBlocks(entry);
    if (registers[0] !== entry.id || registers[1] !== entry.length) {
      this.#chain = null;
      throw new Fault('SUNSPEC_CHAIN_BROKEN', `${this.where}: model ${entry.id} is no longer at ${entry.address}`);
    }
    return new ModelReading(entry, registers, this.where);
  }

  /**
   * Writes set-points that stand side by side, in one request; each value is the raw register before scaling.
   * @throws Fault SUNSPEC_MODEL_MISSING, SUNSPEC_POINT_MISSING, MODBUS_*
   */
  async write(model: number, points: readonly (readonly [name: string, value: number])[]): Promise<void> {
    const entry = await this.#find([model]);
    const [first] = points;
    assert(first !== undefined, 'nothing to write');
    const start = pointOf(model, first[0]).offset;
    const registers = points.map(([name, value], index) => {
      const point = pointOf(model, name);
      assert(point.offset === start + index, `${name} does not stand beside ${first[0]}`);
      return wordOf(point, value);
    });
    if (start + registers.length > entry.length + 2) {
      throw new Fault('SUNSPEC_POINT_MISSING', `${this.where}: model ${model} ends before ${first[0]}`);
    }
    await this.#client.writeRegisters(this.#unit, entry.address + start, registers);
  }

  async close(): Promise<void> {
    if (this.#ownsClient) await this.#client.close();
  }

  async #find(candidates: readonly number[]): Promise<SunSpecModelEntry> {
    const chain = await this.models();
    for (const id of candidates) {
      const entry = chain.find((model) => model.id === id);
      if (entry !== undefined) return entry;
    }
    this.#chain = null;
    const has = chain.map(({ id }) => id).join(', ');
    throw new Fault('SUNSPEC_MODEL_MISSING', `${this.where} has no model ${candidates.join(' or ')}, only ${has}`);
  }

  async #readBlocks({ address, length }: SunSpecModelEntry): Promise<number[]> {
    const registers: number[] = [];
    const size = length + 2;
    try {
      while (registers.length < size) {
        const count = Math.min(MAX_READ_REGISTERS, size - registers.length);
        registers.push(...(await this.#client.readRegisters(this.#unit, 'holding', address + registers.length, count)));
      }
    } catch (error) {
      if (isFault(error, 'MODBUS_EXCEPTION')) this.#chain = null;
      throw error;
    }
    return registers;
  }
}

function pointOf(model: number, name: string): SunSpecPoint {
  const point = SUNSPEC_MODELS.get(model)?.get(name);
  assert(point !== undefined, `model ${model} has no point ${name} in the table`);
  return point;
}

function wordOf({ name, type }: SunSpecPoint, value: number): number {
  assert(
    type === 'int16' || type === 'uint16' || type === 'enum16' || type === 'bitfield16',
    `${name} has no one word`,
  );
  const word = encodeWord(type, value);
  assert(word !== null, `${value} does not fit ${name}`);
  return word;
}
