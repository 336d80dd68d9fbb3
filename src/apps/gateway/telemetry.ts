import type { BatteryReading } from '../../adapters/modbus/sunspec-battery.ts';
import type { InverterReading } from '../../adapters/modbus/sunspec-inverter.ts';
import type { MeterRegisters } from '../../adapters/modbus/sunspec-meter.ts';
import type { DeviceDefinition, MetricDefinition } from '../../adapters/sparkplug/edge-metrics.ts';
import type { EdgeSession } from '../../adapters/sparkplug/edge-session.ts';
import { rowOf } from '../../domain/interval-cycle.ts';
import type { MeterReading, ReadingQuality } from '../../domain/metering/meter-reading.ts';
import type { EpochMs } from '../../domain/units/time.ts';
import type { HomeDevices } from './home-devices.ts';

const { step: publish } = rowOf('publish');

/** The metrics of a home, as every host of the mesh knows them. Integers in the unit of the name. */
export const NODE_METRICS: readonly MetricDefinition[] = [
  { name: 'Safety/Relay', type: 'Boolean' },
  { name: 'Safety/FaultCode', type: 'Int32' },
  { name: 'Node/ClockOffsetMs', type: 'Int32' },
];

const METER: DeviceDefinition = {
  id: 'meter',
  metrics: [
    { name: 'Meter/ImportWh', type: 'Int64' },
    { name: 'Meter/ExportWh', type: 'Int64' },
    { name: 'Meter/PowerW', type: 'Int32' },
    { name: 'Grid/Voltage', type: 'Int32' },
    { name: 'Grid/Frequency', type: 'Int32' },
  ],
};
const INVERTER: DeviceDefinition = { id: 'inverter', metrics: [{ name: 'Inverter/PowerW', type: 'Int32' }] };
const BATTERY: DeviceDefinition = {
  id: 'battery',
  metrics: [
    { name: 'Battery/SocPermille', type: 'Int32' },
    { name: 'Battery/PowerW', type: 'Int32' },
  ],
};

export function deviceDefinitions({ inverter, battery }: HomeDevices): DeviceDefinition[] {
  return [METER, ...(inverter === null ? [] : [INVERTER]), ...(battery === null ? [] : [BATTERY])];
}

/** What is repeated after so long of wall time is heard within twice that, or its sender is gone. */
const KEEP_ALIVE_MS = 2500;

interface Values {
  readonly values: Readonly<Record<string, number>>;
  readonly quality: ReadingQuality;
  readonly at: EpochMs;
}

interface Said extends Values {
  readonly wall: number;
}

/** Report by exception: what is unchanged is repeated to stay alive, and at the end of an interval. */
export class TelemetryPublisher {
  readonly #edge: EdgeSession;
  readonly #said = new Map<string, Said>();
  #meter: MeterReading | null = null;

  constructor(edge: EdgeSession) {
    this.#edge = edge;
  }

  /** `endsInterval`: published even if nothing changed. */
  async meter(reading: MeterReading, registers: MeterRegisters, wall: number, endsInterval: boolean): Promise<void> {
    const due = endsInterval || this.#isQuiet('meter', wall);
    const { state, outputs } = publish(this.#meter, { reading, due });
    this.#meter = state;
    for (const { importRegister, exportRegister, power, quality, at } of outputs) {
      const values = {
        'Meter/ImportWh': importRegister,
        'Meter/ExportWh': exportRegister,
        'Meter/PowerW': power,
        'Grid/Voltage': registers.voltageMilliV,
        'Grid/Frequency': registers.frequencyMilliHz,
      };
      await this.#say('meter', { values, quality, at, wall });
    }
  }

  async inverter({ power }: InverterReading, quality: ReadingQuality, at: EpochMs, wall: number): Promise<void> {
    await this.#sayNews('inverter', { values: { 'Inverter/PowerW': power }, quality, at, wall });
  }

  async battery(reading: BatteryReading, quality: ReadingQuality, at: EpochMs, wall: number): Promise<void> {
    const values = { 'Battery/SocPermille': reading.socPermille, 'Battery/PowerW': reading.power };
    await this.#sayNews('battery', { values, quality, at, wall });
  }

  /** The last values of a silent device are not to be believed any more. */
  async stale(device: string, at: EpochMs): Promise<void> {
    const last = this.#said.get(device);
    if (last !== undefined) await this.#say(device, { ...last, quality: 'stale', at });
    this.#forget(device);
  }

  async died(device: string): Promise<void> {
    this.#forget(device);
    await this.#edge.deviceDied(device);
  }

  /** Whatever it says next is news. */
  #forget(device: string): void {
    this.#said.delete(device);
    if (device === 'meter') this.#meter = null;
  }

  async #sayNews(device: string, said: Said): Promise<void> {
    const last = this.#said.get(device);
    const isSame = JSON.stringify([last?.values, last?.quality]) === JSON.stringify([said.values, said.quality]);
    if (!isSame || this.#isQuiet(device, said.wall)) await this.#say(device, said);
  }

  #isQuiet(device: string, wall: number): boolean {
    return wall - (this.#said.get(device)?.wall ?? Number.NEGATIVE_INFINITY) >= KEEP_ALIVE_MS;
  }

  async #say(device: string, said: Said): Promise<void> {
    this.#said.set(device, said);
    const { values, quality, at } = said;
    const metrics = Object.entries(values).map(([name, value]) => ({ name, value, quality }));
    await this.#edge.update(device, metrics, at);
  }
}
