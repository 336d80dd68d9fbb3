import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { watt } from '../../domain/units/power.ts';
import { isFault } from '../../errors/fault.ts';
import { ModbusClient } from './modbus-client.ts';
import { startModbusServer } from './modbus-server.ts';
import { openSunSpecBattery } from './sunspec-battery.ts';
import { SunSpecDevice } from './sunspec-device.ts';
import { discoverSunSpec } from './sunspec-discovery.ts';
import { openSunSpecInverter } from './sunspec-inverter.ts';
import { openSunSpecMeter } from './sunspec-meter.ts';

const open: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of open.splice(0).reverse()) await close();
});

/** Registers at a base that a test may change at any time; reads and writes of unit 1 reach them. */
interface Memory {
  readonly base: number;
  registers: number[];
  reads: number;
}

async function serve(registers: number[], base = 40_000): Promise<Memory & { port: number }> {
  const memory = { base, registers, reads: 0, port: 0 };
  const inside = (address: number, count: number) =>
    address >= memory.base && address + count <= memory.base + memory.registers.length;
  const server = await startModbusServer({
    host: '127.0.0.1',
    port: 0,
    image: {
      readHolding: (_, address, count) => {
        memory.reads += 1;
        const from = address - memory.base;
        return inside(address, count) ? memory.registers.slice(from, from + count) : 'illegal_address';
      },
      writeHolding: (_, address, values) => {
        if (!inside(address, values.length)) return 'illegal_address';
        memory.registers.splice(address - memory.base, values.length, ...values);
        return 'ok';
      },
    },
  });
  open.push(() => server.close());
  memory.port = server.port;
  return memory;
}

const SUNS = [0x5375, 0x6e53];
const END = [0xffff, 0];

function model(id: number, length: number, points: Readonly<Record<number, number>> = {}): number[] {
  const registers = new Array<number>(length + 2).fill(0x8000);
  registers[0] = id;
  registers[1] = length;
  for (const [offset, value] of Object.entries(points)) registers[Number(offset)] = value & 0xffff;
  return registers;
}

const COMMON = model(1, 66);

function linkTo(port: number): ModbusClient {
  const client = new ModbusClient({ host: '127.0.0.1', port });
  open.push(() => client.close());
  return client;
}

async function codeOf(promise: Promise<unknown>): Promise<string> {
  return promise.then(
    () => 'success',
    (error: unknown) => (isFault(error) ? error.code : String(error)),
  );
}

describe('discovery', () => {
  test.each([40_000, 0, 50_000])('finds the marker at %i and walks by announced lengths', async (base) => {
    const { port } = await serve([...SUNS, ...model(1, 65), ...model(203, 105), ...model(64_999, 3), ...END], base);
    expect(await discoverSunSpec(linkTo(port), 1)).toEqual([
      { id: 1, length: 65, address: base + 2 },
      { id: 203, length: 105, address: base + 69 },
      { id: 64_999, length: 3, address: base + 176 },
    ]);
  });

  test('takes an end marker that stands alone at the end of the map', async () => {
    const { port } = await serve([...SUNS, ...COMMON, 0xffff]);
    expect(await discoverSunSpec(linkTo(port), 1)).toHaveLength(1);
  });

  test.each([
    ['no marker', [1, 2, ...COMMON, ...END], 'SUNSPEC_ABSENT'],
    ['no common model first', [...SUNS, ...model(203, 105), ...END], 'SUNSPEC_CHAIN_BROKEN'],
    ['a common model of another length', [...SUNS, ...model(1, 64), ...END], 'SUNSPEC_CHAIN_BROKEN'],
    ['no end', [...SUNS, ...COMMON, ...model(203, 105)], 'SUNSPEC_CHAIN_BROKEN'],
    ['a length out of the map', [...SUNS, ...COMMON, 203, 60_000, ...END], 'SUNSPEC_CHAIN_BROKEN'],
  ])('refuses %s', async (_, registers, code) => {
    const { port } = await serve(registers);
    expect(await codeOf(discoverSunSpec(linkTo(port), 1))).toBe(code);
  });

  test('ends although a device lists models without end', async () => {
    const memory = await serve([
      ...SUNS,
      ...COMMON,
      ...new Array<number>(20_000).fill(7).map((id, i) => (i % 2 ? 0 : id)),
    ]);
    expect(await codeOf(discoverSunSpec(linkTo(memory.port), 1))).toBe('SUNSPEC_CHAIN_BROKEN');
    expect(memory.reads).toBeLessThan(80);
  });
});

const METER = { 7: 2301, 15: -1, 16: 5001, 17: -2, 18: -1500, 22: 0, 38: 0, 39: 7, 46: 1, 47: 2, 54: 0 };

describe('a meter', () => {
  async function meterOn(points: Readonly<Record<number, number>>) {
    const memory = await serve([...SUNS, ...COMMON, ...model(203, 105, points), ...END]);
    const meter = openSunSpecMeter({ host: '127.0.0.1', port: memory.port, unit: 1 });
    open.push(() => meter.close());
    return { memory, meter };
  }

  test('reads both registers, power, voltage and frequency', async () => {
    const { meter } = await meterOn(METER);
    expect(await meter.read()).toEqual({
      importRegister: 65538,
      exportRegister: 7,
      power: -1500,
      voltageMilliV: 230_100,
      frequencyMilliHz: 50_010,
    });
  });

  test('follows scale factors that change under load', async () => {
    const { memory, meter } = await meterOn(METER);
    await meter.read();
    memory.registers[70 + 18] = 150;
    memory.registers[70 + 22] = 2;
    expect(await meter.read()).toMatchObject({ power: 15_000, importRegister: 65538 });
  });

  test('reads a new meter that has counted nothing as zero', async () => {
    const { meter } = await meterOn({ ...METER, 39: 0, 46: 0, 47: 0 });
    expect(await meter.read()).toMatchObject({ importRegister: 0, exportRegister: 0 });
  });

  test('takes phase A where the mean voltage is not implemented', async () => {
    const { meter } = await meterOn({ ...METER, 7: 0x8000, 8: 2290 });
    expect(await meter.read()).toMatchObject({ voltageMilliV: 229_000 });
  });

  test.each([
    ['power', { ...METER, 18: 0x8000 }],
    ['the scale of energy', { ...METER, 54: 0x8000 }],
    ['a scale that a double can hold', { ...METER, 22: 11 }],
    ['frequency', { ...METER, 16: 0x8000 }],
  ])('without %s is a fault, never a guess', async (_, points) => {
    const { meter } = await meterOn(points);
    expect(await codeOf(meter.read())).toBe('SUNSPEC_POINT_MISSING');
  });

  test('is discovered anew when its model list has changed', async () => {
    const { memory, meter } = await meterOn(METER);
    await meter.read();
    memory.registers = [...SUNS, ...COMMON, ...model(120, 26), ...model(203, 105, METER), ...END];
    expect(await codeOf(meter.read())).toBe('SUNSPEC_CHAIN_BROKEN');
    expect(await meter.read()).toMatchObject({ importRegister: 65538 });
  });

  test('that is an inverter is a fault, and may be put right', async () => {
    const memory = await serve([...SUNS, ...COMMON, ...model(103, 50), ...END]);
    const meter = openSunSpecMeter({ host: '127.0.0.1', port: memory.port, unit: 1 });
    open.push(() => meter.close());
    expect(await codeOf(meter.read())).toBe('SUNSPEC_MODEL_MISSING');
    memory.registers = [...SUNS, ...COMMON, ...model(201, 105, METER), ...END];
    expect(await meter.read()).toMatchObject({ power: -1500 });
  });
});

describe('an inverter', () => {
  const DER = { 10: 480, 16: 2312, 17: 0, 18: 50_020, 19: 0, 20: 0, 21: 2, 22: 1, 114: -1, 115: -3, 116: 1, 120: 1 };
  const CONTROLS = model(123, 24, { 5: 1000, 9: 0, 23: -1 });

  async function inverterOn(models: number[]) {
    const memory = await serve([...SUNS, ...COMMON, ...models, ...END]);
    const inverter = openSunSpecInverter({ host: '127.0.0.1', port: memory.port, unit: 1 });
    open.push(() => inverter.close());
    return { memory, inverter };
  }

  test('with model 701 is read in two blocks', async () => {
    const { memory, inverter } = await inverterOn(model(701, 153, DER));
    const before = memory.reads;
    expect(await inverter.read()).toEqual({
      power: 4800,
      generated: 1_310_730,
      voltageMilliV: 231_200,
      frequencyMilliHz: 50_020,
    });
    expect(memory.reads - before).toBe(4 + 2);
  });

  test('with model 103 is read, its energy null where it does not count', async () => {
    const points = { 10: 2300, 13: -1, 14: 3200, 15: 0, 16: 4998, 17: -2, 24: 0, 25: 0, 26: 0 };
    const { inverter } = await inverterOn(model(103, 50, points));
    expect(await inverter.read()).toEqual({
      power: 3200,
      generated: null,
      voltageMilliV: 230_000,
      frequencyMilliHz: 49_980,
    });
  });

  test('is capped and freed through model 123', async () => {
    const { memory, inverter } = await inverterOn([...model(103, 50), ...CONTROLS]);
    const at = 2 + 68 + 52;
    await inverter.limitOutput(425);
    expect([memory.registers[at + 5], memory.registers[at + 9]]).toEqual([425, 1]);
    await inverter.limitOutput(null);
    expect(memory.registers[at + 9]).toBe(0);
  });

  test('that takes no cap says so', async () => {
    const { inverter } = await inverterOn(model(103, 50));
    expect(await codeOf(inverter.limitOutput(500))).toBe('SUNSPEC_MODEL_MISSING');
  });
});

describe('a battery', () => {
  const STATE = { 3: 800, 53: 1, 4: 4000, 5: 3500, 54: 0, 11: 505, 56: -1, 47: 1200, 63: 0 };
  const CONTROLS = { 2: 4000, 18: 0, 5: 0, 12: 0, 13: 0, 15: 0, 25: -2 };
  const at = 2 + 68 + 64;

  async function batteryOn(controls: Readonly<Record<number, number>>) {
    const memory = await serve([...SUNS, ...COMMON, ...model(802, 62, STATE), ...model(124, 24, controls), ...END]);
    const battery = openSunSpecBattery({ host: '127.0.0.1', port: memory.port, unit: 1 });
    open.push(() => battery.close());
    return { memory, battery };
  }

  test('is read: charge, power with charging positive, ratings', async () => {
    const { battery } = await batteryOn(CONTROLS);
    expect(await battery.read()).toEqual({
      socPermille: 505,
      power: -1200,
      capacity: 8000,
      maxCharge: 4000,
      maxDischarge: 3500,
    });
  });

  test.each([
    [1000, 0x10000 - 2500, 2500],
    [-4000, 10_000, 0x10000 - 10_000],
    [9999, 0x10000 - 10_000, 10_000],
    [0, 0, 0],
  ])('at %i W gets the window OutWRte %i, InWRte %i', async (power, outRate, inRate) => {
    const { memory, battery } = await batteryOn(CONTROLS);
    await battery.setPower(watt(power), 90);
    expect([5, 12, 13, 15].map((offset) => memory.registers[at + offset])).toEqual([3, outRate, inRate, 90]);
    await battery.release();
    expect(memory.registers[at + 5]).toBe(0);
  });

  test('whose rated power is unknown is not commanded', async () => {
    const { memory, battery } = await batteryOn({ ...CONTROLS, 2: 0xffff });
    expect(await codeOf(battery.setPower(watt(100)))).toBe('SUNSPEC_POINT_MISSING');
    expect(memory.registers[at + 5]).toBe(0);
  });
});

test('two devices share one connection, which outlives each of them', async () => {
  const { port } = await serve([...SUNS, ...COMMON, ...model(203, 105, METER), ...END]);
  const shared = linkTo(port);
  const devices = [1, 2].map((unit) => new SunSpecDevice({ host: '127.0.0.1', port, unit, shared }));
  await Promise.all(devices.map((device) => device.read(203)));
  for (const device of devices) await device.close();
  expect(await shared.readRegisters(1, 'holding', 40_000, 2)).toEqual(SUNS);
  expect(shared.counters.connects).toBe(1);
});

test('whatever a device answers, a read ends in a reading or a fault', async () => {
  const memory = await serve([]);
  const meter = openSunSpecMeter({ host: '127.0.0.1', port: memory.port, unit: 1 });
  open.push(() => meter.close());
  const word = fc.integer({ min: 0, max: 0xffff });
  const property = fc.asyncProperty(
    fc.array(word, { maxLength: 110 }),
    word,
    fc.nat(140),
    async (noise, value, hole) => {
      memory.registers = [...SUNS, ...COMMON, ...model(203, 105, METER), ...END];
      memory.registers.splice(70 + 2, noise.length, ...noise);
      memory.registers[hole] = value;
      expect(await codeOf(meter.read())).toMatch(/^(success|SUNSPEC_[A-Z_]+)$/);
    },
  );
  await fc.assert(property, { numRuns: 100 });
});
