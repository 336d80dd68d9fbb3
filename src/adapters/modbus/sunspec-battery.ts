import { assert } from '../../domain/units/assert.ts';
import { type Wh, wh } from '../../domain/units/energy.ts';
import { type Watt, watt } from '../../domain/units/power.ts';
import { Fault } from '../../errors/fault.ts';
import type { LinkCounters } from './modbus-client.ts';
import { type ModelReading, SunSpecDevice, type SunSpecOptions } from './sunspec-device.ts';

/** What a battery is and does at one moment. */
export interface BatteryReading {
  readonly socPermille: number;
  /** Charging positive (it draws like a load), discharging negative. */
  readonly power: Watt;
  readonly capacity: Wh;
  readonly maxCharge: Watt;
  readonly maxDischarge: Watt;
}

export interface SunSpecBattery {
  /** @throws Fault MODBUS_*, SUNSPEC_* */
  read(): Promise<BatteryReading>;
  /**
   * Holds the battery at that power: charging positive, discharging negative, 0 rests. More than it can is cut to what
   * it can. After `revertSeconds` without another set-point it goes back to its own rule; absent, never.
   * @throws Fault MODBUS_*, SUNSPEC_*
   */
  setPower(power: Watt, revertSeconds?: number): Promise<void>;
  /** Gives the battery back to its own rule. @throws Fault MODBUS_*, SUNSPEC_* */
  release(): Promise<void>;
  readonly counters: LinkCounters;
  close(): Promise<void>;
}

const STATE = 802;
const CONTROLS = 124;
const BOTH_LIMITS = 0b11;
const NO_LIMIT = 0;

/** A battery with SunSpec models 802 and 124. It connects at the first use. */
export function openSunSpecBattery(options: SunSpecOptions): SunSpecBattery {
  const device = new SunSpecDevice(options);
  return {
    read: async () => decodeBattery(await device.read(STATE)),
    setPower: (power, revertSeconds) => setPower(device, power, revertSeconds),
    release: () => device.write(CONTROLS, [['StorCtl_Mod', NO_LIMIT]]),
    get counters() {
      return device.counters;
    },
    close: () => device.close(),
  };
}

/** The standard leaves the sign of W in model 802 open; like our simulated battery, most count discharging positive. */
function decodeBattery(model: ModelReading): BatteryReading {
  return {
    socPermille: model.required('SoC', 1),
    power: watt(-model.required('W')),
    capacity: wh(model.required('WHRtg')),
    maxCharge: watt(model.required('WChaRteMax')),
    maxDischarge: watt(model.required('WDisChaRteMax')),
  };
}

/**
 * Model 124 sets no power but a window: with both bits of StorCtl_Mod the battery stays between -OutWRte (discharging)
 * and +InWRte (charging), in percent of WChaMax. A set-point p is the window of no width: InWRte = p, OutWRte = -p.
 * Both rates travel in one request, so that the battery never sees half a window.
 */
async function setPower(device: SunSpecDevice, power: Watt, revertSeconds: number | undefined): Promise<void> {
  const controls = await device.read(CONTROLS);
  const reference = controls.required('WChaMax');
  const exponent = Number(controls.raw('InOutWRte_SF') ?? Number.NaN);
  if (reference <= 0 || !(exponent >= -2 && exponent <= 0)) {
    throw new Fault('SUNSPEC_POINT_MISSING', `${device.where}: no usable WChaMax or InOutWRte_SF in model ${CONTROLS}`);
  }
  const full = 10 ** (2 - exponent);
  const rate = Math.max(-full, Math.min(full, Math.round((power * full) / reference)));
  if (revertSeconds !== undefined) {
    assert(Number.isInteger(revertSeconds) && revertSeconds > 0 && revertSeconds < 0xffff, `revert ${revertSeconds} s`);
    await device.write(CONTROLS, [['InOutWRte_RvrtTms', revertSeconds]]);
  }
  await device.write(CONTROLS, [
    ['OutWRte', rate === 0 ? 0 : -rate],
    ['InWRte', rate],
  ]);
  await device.write(CONTROLS, [['StorCtl_Mod', BOTH_LIMITS]]);
}
