import type { BatteryReading, SunSpecBattery } from '../../adapters/modbus/sunspec-battery.ts';
import type { InverterReading, SunSpecInverter } from '../../adapters/modbus/sunspec-inverter.ts';
import type { MeterRegisters, SunSpecMeter } from '../../adapters/modbus/sunspec-meter.ts';
import { isFault } from '../../errors/fault.ts';

/** What stands behind one gateway. The feeder's has a meter alone. */
export interface HomeDevices {
  readonly meter: SunSpecMeter;
  readonly inverter: SunSpecInverter | null;
  readonly battery: SunSpecBattery | null;
}

/** One round of readings; null where a device is absent or did not answer. */
export interface HomeReadings {
  readonly meter: MeterRegisters | null;
  readonly inverter: InverterReading | null;
  readonly battery: BatteryReading | null;
}

/** Reads every device once, side by side; one that fails does not keep the others from being heard. */
export async function readDevices(
  devices: HomeDevices,
  onFault: (device: string, fault: Error) => void,
): Promise<HomeReadings> {
  const [meter, inverter, battery] = await Promise.all([
    readOne('meter', devices.meter, onFault),
    readOne('inverter', devices.inverter, onFault),
    readOne('battery', devices.battery, onFault),
  ]);
  return { meter, inverter, battery };
}

async function readOne<Reading>(
  name: string,
  device: { read(): Promise<Reading> } | null,
  onFault: (device: string, fault: Error) => void,
): Promise<Reading | null> {
  if (device === null) return null;
  try {
    return await device.read();
  } catch (error) {
    if (!isFault(error)) throw error;
    onFault(name, error);
    return null;
  }
}

export async function closeDevices({ meter, inverter, battery }: HomeDevices): Promise<void> {
  await Promise.all([meter.close(), inverter?.close(), battery?.close()]);
}
