import { assert } from '../../domain/units/assert.ts';
import { type Wh, wh } from '../../domain/units/energy.ts';
import { type Watt, watt } from '../../domain/units/power.ts';
import { Fault } from '../../errors/fault.ts';
import type { LinkCounters } from './modbus-client.ts';
import { type ModelReading, SunSpecDevice, type SunSpecOptions } from './sunspec-device.ts';

/** What a PV inverter gives at one moment. */
export interface InverterReading {
  /** AC power out of the inverter, positive. */
  readonly power: Watt;
  /** Cumulative AC energy; `null` where the inverter does not count. */
  readonly generated: Wh | null;
  readonly voltageMilliV: number;
  readonly frequencyMilliHz: number;
}

export interface SunSpecInverter {
  /** @throws Fault MODBUS_*, SUNSPEC_* */
  read(): Promise<InverterReading>;
  /**
   * Caps the output at that share of the rated power (model 123 WMaxLimPct); `null` lifts the cap.
   * @throws Fault SUNSPEC_MODEL_MISSING where the inverter takes no cap, MODBUS_*
   */
  limitOutput(permille: number | null): Promise<void>;
  readonly counters: LinkCounters;
  close(): Promise<void>;
}

const MEASUREMENTS = [701, 103, 102, 101] as const;
const CONTROLS = 123;

/** An inverter with SunSpec model 701 or 101 to 103. It connects at the first use. */
export function openSunSpecInverter(options: SunSpecOptions): SunSpecInverter {
  const device = new SunSpecDevice(options);
  return {
    read: async () => decodeInverter(await device.read(...MEASUREMENTS)),
    limitOutput: (permille) => limitOutput(device, permille),
    get counters() {
      return device.counters;
    },
    close: () => device.close(),
  };
}

function decodeInverter(model: ModelReading): InverterReading {
  const isDer = model.model === 701;
  const generated = model.integer(isDer ? 'TotWhInj' : 'WH');
  return {
    power: watt(model.required('W')),
    generated: generated === null ? null : wh(generated),
    voltageMilliV: isDer ? (model.integer('LNV', 3) ?? model.required('VL1', 3)) : model.required('PhVphA', 3),
    frequencyMilliHz: model.required('Hz', 3),
  };
}

async function limitOutput(device: SunSpecDevice, permille: number | null): Promise<void> {
  if (permille === null) {
    await device.write(CONTROLS, [['WMaxLim_Ena', 0]]);
    return;
  }
  assert(Number.isInteger(permille) && permille >= 0 && permille <= 1000, `${permille} per mille of the rated power`);
  const controls = await device.read(CONTROLS);
  const exponent = Number(controls.raw('WMaxLimPct_SF') ?? Number.NaN);
  if (!(exponent >= -2 && exponent <= 1)) {
    throw new Fault('SUNSPEC_POINT_MISSING', `${device.where}: no usable WMaxLimPct_SF in model ${CONTROLS}`);
  }
  await device.write(CONTROLS, [['WMaxLimPct', Math.floor(permille / 10 ** (exponent + 1))]]);
  await device.write(CONTROLS, [['WMaxLim_Ena', 1]]);
}
