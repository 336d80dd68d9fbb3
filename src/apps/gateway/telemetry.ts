import type { DeviceDefinition, MetricDefinition } from '../../adapters/sparkplug/edge-metrics.ts';
import type { EdgeSession } from '../../adapters/sparkplug/edge-session.ts';
import type { EpochMs } from '../../domain/units/time.ts';
import type { HomeDevices, HomeReadings } from './home-devices.ts';

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

/** Report by exception: unchanged readings are repeated only when asked (a boundary) or after a minute of wall time. */
export class TelemetryPublisher {
  readonly #edge: EdgeSession;
  readonly #keepAliveMs: number;
  readonly #last = new Map<string, { readonly text: string; readonly wall: number }>();

  constructor(edge: EdgeSession, keepAliveMs = 60_000) {
    this.#edge = edge;
    this.#keepAliveMs = keepAliveMs;
  }

  /** `always`: this reading ends an interval and is published even if nothing changed. */
  async publish(readings: HomeReadings, at: EpochMs, wall: number, always: boolean): Promise<void> {
    const { meter, inverter, battery } = readings;
    const updates: [string, Record<string, number>][] = [];
    if (meter !== null) {
      updates.push([
        'meter',
        {
          'Meter/ImportWh': meter.importRegister,
          'Meter/ExportWh': meter.exportRegister,
          'Meter/PowerW': meter.power,
          'Grid/Voltage': meter.voltageMilliV,
          'Grid/Frequency': meter.frequencyMilliHz,
        },
      ]);
    }
    if (inverter !== null) updates.push(['inverter', { 'Inverter/PowerW': inverter.power }]);
    if (battery !== null) {
      updates.push(['battery', { 'Battery/SocPermille': battery.socPermille, 'Battery/PowerW': battery.power }]);
    }
    for (const [device, values] of updates) {
      if (this.#isDue(device, JSON.stringify(values), wall) || (always && device === 'meter')) {
        await this.#edge.update(
          device,
          Object.entries(values).map(([name, value]) => ({ name, value })),
          at,
        );
      }
    }
  }

  #isDue(device: string, text: string, wall: number): boolean {
    const last = this.#last.get(device);
    if (last !== undefined && last.text === text && wall - last.wall < this.#keepAliveMs) return false;
    this.#last.set(device, { text, wall });
    return true;
  }
}
