import type { SunSpecBattery } from '../../adapters/modbus/sunspec-battery.ts';
import type { SunSpecInverter } from '../../adapters/modbus/sunspec-inverter.ts';
import type { SunSpecMeter } from '../../adapters/modbus/sunspec-meter.ts';

/** What stands behind one gateway. The feeder's has a meter alone. */
export interface HomeDevices {
  readonly meter: SunSpecMeter;
  readonly inverter: SunSpecInverter | null;
  readonly battery: SunSpecBattery | null;
}

export async function closeDevices({ meter, inverter, battery }: HomeDevices): Promise<void> {
  await Promise.all([meter.close(), inverter?.close(), battery?.close()]);
}
