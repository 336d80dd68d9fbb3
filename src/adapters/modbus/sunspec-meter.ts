import { type Wh, wh } from '../../domain/units/energy.ts';
import { type Watt, watt } from '../../domain/units/power.ts';
import type { LinkCounters } from './modbus-client.ts';
import { type ModelReading, SunSpecDevice, type SunSpecOptions } from './sunspec-device.ts';

/** What a meter shows at one moment. */
export interface MeterRegisters {
  /** Cumulative, at the point of common coupling. */
  readonly importRegister: Wh;
  readonly exportRegister: Wh;
  /** Import positive, export negative. */
  readonly power: Watt;
  /** Line to neutral, the mean of the active phases. */
  readonly voltageMilliV: number;
  readonly frequencyMilliHz: number;
}

export interface SunSpecMeter {
  /** @throws Fault MODBUS_*, SUNSPEC_* */
  read(): Promise<MeterRegisters>;
  readonly counters: LinkCounters;
  close(): Promise<void>;
}

const MODELS = [203, 204, 202, 201] as const;

/** A meter with a SunSpec model 201 to 204. W counts import positive. It connects at the first read. */
export function openSunSpecMeter(options: SunSpecOptions): SunSpecMeter {
  const device = new SunSpecDevice(options);
  return {
    read: async () => decodeMeter(await device.read(...MODELS)),
    get counters() {
      return device.counters;
    },
    close: () => device.close(),
  };
}

function decodeMeter(model: ModelReading): MeterRegisters {
  return {
    importRegister: wh(model.counted('TotWhImp')),
    exportRegister: wh(model.counted('TotWhExp')),
    power: watt(model.required('W')),
    voltageMilliV: model.integer('PhV', 3) ?? model.required('PhVphA', 3),
    frequencyMilliHz: model.required('Hz', 3),
  };
}
