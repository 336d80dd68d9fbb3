import type { Wh } from '../../domain/units/energy.ts';
import type { FeederWorld } from './feeder-world.ts';
import type { HomeWorld, MeterImage } from './home-world.ts';
import { applyStorageWrite } from './storage-registers.ts';
import { addressOf, commonModel, ModelImage, SUNSPEC_BASE, sunSpecMap } from './sunspec-layout.ts';

export type RegisterRefusal = 'illegal_function' | 'illegal_address' | 'illegal_value' | 'no_unit';

/** What a Modbus server shows for a simulated device. Each call answers whole or refuses whole. */
export interface RegisterImage {
  readHolding(unit: number, address: number, count: number): readonly number[] | RegisterRefusal;
  readCoils(unit: number, address: number, count: number): readonly boolean[] | RegisterRefusal;
  readDiscreteInputs(unit: number, address: number, count: number): readonly boolean[] | RegisterRefusal;
  writeHolding(unit: number, address: number, registers: readonly number[]): 'ok' | RegisterRefusal;
  writeCoils(unit: number, address: number, bits: readonly boolean[]): 'ok' | RegisterRefusal;
}

/** Unit ids of a home; the feeder meter is unit 1 of its own address. */
export const UNITS = { meter: 1, inverter: 2, battery: 3, relay: 4 } as const;

/**
 * The devices of one home: unit 1 meter (models 1, 203), 2 inverter (1, 103) where there is PV, 3 battery (1, 802, 124)
 * where there is one, 4 the relay of the export path (coil 0 commands, discrete input 0 is its contact). Registers are
 * made from the world as it stands, in one go for each read; only `advanceTo` and writes change it.
 */
export function homeRegisters(world: HomeWorld): RegisterImage {
  return {
    readHolding: (unit, address, count) => {
      const models = homeModels(world, unit);
      if (models === null) return unit === UNITS.relay ? 'illegal_address' : 'no_unit';
      return slice(sunSpecMap(models), SUNSPEC_BASE, address, count);
    },
    readCoils: (unit, address, count) => relayBit(unit, address, count, world.relayCommand),
    readDiscreteInputs: (unit, address, count) => relayBit(unit, address, count, world.contactClosed),
    writeHolding: (unit, address, registers) => {
      const models = homeModels(world, unit);
      if (models === null) return unit === UNITS.relay ? 'illegal_address' : 'no_unit';
      if (unit !== UNITS.battery) return 'illegal_address';
      return applyStorageWrite(world, address - addressOf(models, 124), registers);
    },
    writeCoils: (unit, address, bits) => {
      const [closed] = bits;
      if (unit !== UNITS.relay) return 'illegal_function';
      if (address !== 0 || bits.length !== 1 || closed === undefined) return 'illegal_address';
      world.commandRelay(closed);
      return 'ok';
    },
  };
}

/** The feeder meter: unit 1 with models 1 and 203. */
export function feederRegisters(world: FeederWorld): RegisterImage {
  return {
    readHolding: (unit, address, count) => {
      if (unit !== UNITS.meter) return 'no_unit';
      const models = [commonModel('Simulated feeder meter', 'feeder'), meterModel(world)];
      return slice(sunSpecMap(models), SUNSPEC_BASE, address, count);
    },
    readCoils: () => 'illegal_function',
    readDiscreteInputs: () => 'illegal_function',
    writeHolding: (unit) => (unit === UNITS.meter ? 'illegal_address' : 'no_unit'),
    writeCoils: () => 'illegal_function',
  };
}

function homeModels(world: HomeWorld, unit: number): ModelImage[] | null {
  const { id, pv, battery } = world.plan;
  if (unit === UNITS.meter) {
    const { meter, voltageMilliV, frequencyMilliHz } = world;
    const shown = { meter, voltageMilliV, frequencyMilliHz, power: world.flows.net };
    return [commonModel('Simulated meter', `${id}-meter`), meterModel(shown)];
  }
  if (unit === UNITS.inverter && pv !== null) {
    return [commonModel('Simulated inverter', `${id}-inverter`), inverterModel(world)];
  }
  if (unit === UNITS.battery && battery !== null) {
    const { capacity, power } = battery;
    const common = commonModel('Simulated battery', `${id}-battery`);
    return [common, batteryModel(world, capacity, power), storageModel(world, power)];
  }
  return null;
}

function meterModel(meter: {
  readonly meter: MeterImage;
  readonly power: number;
  readonly voltageMilliV: number;
  readonly frequencyMilliHz: number;
}): ModelImage {
  const volts = Math.round(meter.voltageMilliV / 100);
  const scale = meter.power >= -32_000 && meter.power <= 32_000 ? 0 : 2;
  const watts = Math.round(meter.power / 10 ** scale);
  const deciAmps = Math.round((Math.abs(meter.power) * 10_000) / Math.max(meter.voltageMilliV, 1));
  const amps = Math.min(deciAmps, 32_000);
  const model = new ModelImage(203);
  model
    .word(2, amps)
    .word(3, Math.round(amps / 3))
    .word(4, Math.round(amps / 3))
    .word(5, Math.round(amps / 3))
    .word(6, -1);
  model.word(7, volts).word(8, volts).word(9, volts).word(10, volts).word(15, -1);
  model.word(16, Math.round(meter.frequencyMilliHz / 10)).word(17, -2);
  model.word(18, watts).word(22, scale);
  model.double(38, meter.meter.exportRegister).double(46, meter.meter.importRegister).word(54, 0);
  return model.double(105, 0);
}

function inverterModel(world: HomeWorld): ModelImage {
  const { pv } = world.flows;
  const volts = Math.round(world.voltageMilliV / 100);
  const amps = Math.round((pv * 10_000) / Math.max(world.voltageMilliV, 1));
  const state = pv === 0 ? INVERTER_SLEEPING : INVERTER_MPPT;
  const model = new ModelImage(103);
  model
    .word(2, amps)
    .word(3, Math.round(amps / 3))
    .word(4, Math.round(amps / 3))
    .word(5, Math.round(amps / 3))
    .word(6, -1);
  model.word(10, volts).word(11, volts).word(12, volts).word(13, -1);
  model.word(14, pv).word(15, 0);
  model.word(16, Math.round(world.frequencyMilliHz / 10)).word(17, -2);
  model.double(24, world.generated).word(26, 0);
  model.word(33, 35).word(37, 0).word(38, state);
  return model.double(40, 0).double(42, 0);
}

function batteryModel(world: HomeWorld, capacity: Wh, power: number): ModelImage {
  const model = new ModelImage(802);
  model.word(2, Math.round(capacity / 48)).word(52, 0);
  model.word(3, capacity).word(53, 0);
  model.word(4, power).word(5, power).word(54, 0);
  model.word(11, world.socPermille).word(56, -1);
  model.word(16, chargeStatus(world)).word(17, REMOTE).word(20, 0).word(21, LITHIUM_ION).word(22, CONNECTED);
  model.double(26, 0).double(28, 0).double(30, 0).double(32, 0);
  model.word(34, 480).word(59, -1);
  model.word(44, Math.round(-world.flows.battery / 4.8)).word(61, -1);
  return model.word(47, -world.flows.battery).word(63, 0);
}

function storageModel(world: HomeWorld, power: number): ModelImage {
  const { mode, outRate, inRate, revertSeconds } = world.storage;
  const model = new ModelImage(124);
  model.word(2, power).word(18, 0);
  model.word(3, 100).word(4, 100).word(19, 0);
  model.word(5, mode);
  model.word(8, world.socPermille).word(22, -1);
  model.word(11, chargeStatus(world));
  model.word(12, outRate).word(13, inRate).word(25, -2);
  return model.word(15, revertSeconds);
}

const INVERTER_SLEEPING = 2;
const INVERTER_MPPT = 4;
const REMOTE = 0;
const LITHIUM_ION = 4;
const CONNECTED = 3;
const STATUS = { empty: 2, discharging: 3, charging: 4, full: 5, holding: 6 } as const;

function chargeStatus({ flows, socPermille }: HomeWorld): number {
  if (flows.battery > 0) return STATUS.charging;
  if (flows.battery < 0) return STATUS.discharging;
  if (socPermille === 0) return STATUS.empty;
  return socPermille >= 999 ? STATUS.full : STATUS.holding;
}

function relayBit(unit: number, address: number, count: number, bit: boolean): readonly boolean[] | RegisterRefusal {
  if (unit !== UNITS.relay) return 'illegal_function';
  return address === 0 && count === 1 ? [bit] : 'illegal_address';
}

function slice(
  map: readonly number[],
  base: number,
  address: number,
  count: number,
): readonly number[] | 'illegal_address' {
  const from = address - base;
  return from < 0 || from + count > map.length ? 'illegal_address' : map.slice(from, from + count);
}
