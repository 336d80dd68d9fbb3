import type { SunSpecBattery } from '../../adapters/modbus/sunspec-battery.ts';
import { batterySetpoint } from '../../domain/dispatch/setpoint.ts';
import { type Wh, wh, ZERO_WH } from '../../domain/units/energy.ts';
import { type IntervalLengthMs, intervalAt, intervalEnd } from '../../domain/units/interval.ts';
import type { EpochMs } from '../../domain/units/time.ts';
import { isFault } from '../../errors/fault.ts';
import type { HomeReadings } from './home-watch.ts';

const DAY_MS = 86_400_000;

export interface BatteryTerms {
  readonly lengthMs: IntervalLengthMs;
  /** Null: it serves its home by its own rule, faster than any poll, and gets no set-points. */
  readonly sellAbovePermille: number | null;
}

/** The battery follows its home and delivers what was sold, measurement by measurement. */
export class BatteryDispatch {
  readonly #terms: BatteryTerms;
  readonly #device: SunSpecBattery;
  readonly #log: (line: string) => void;
  readonly #sold = new Map<EpochMs, Wh>();
  /** The running interval and the export register when it began. */
  #delivery: { readonly product: EpochMs; readonly exportedBefore: Wh } | null = null;

  constructor(terms: BatteryTerms, device: SunSpecBattery, log: (line: string) => void) {
    this.#terms = terms;
    this.#device = device;
    this.#log = log;
  }

  sold(product: EpochMs, energy: Wh): void {
    this.#sold.set(product, energy);
    for (const old of this.#sold.keys()) if (old < product - DAY_MS) this.#sold.delete(old);
  }

  async follow({ meter, battery }: HomeReadings, at: EpochMs): Promise<void> {
    const { lengthMs, sellAbovePermille } = this.#terms;
    if (meter === null || battery === null || sellAbovePermille === null) return;
    const interval = intervalAt(at, lengthMs);
    if (this.#delivery?.product !== interval.start) {
      this.#delivery = { product: interval.start, exportedBefore: meter.exportRegister };
    }
    const delivered = meter.exportRegister - this.#delivery.exportedBefore;
    const setpoint = batterySetpoint({
      pcc: meter.power,
      battery: battery.power,
      maxCharge: battery.maxCharge,
      maxDischarge: battery.maxDischarge,
      socPermille: battery.socPermille,
      sellAbovePermille,
      toDeliver: wh(Math.max(0, (this.#sold.get(interval.start) ?? ZERO_WH) - delivered)),
      remainingMs: intervalEnd(interval) - at,
    });
    if (setpoint !== battery.power)
      await this.#device.setPower(setpoint).catch((error: unknown) => this.#failed(error));
  }

  #failed(error: unknown): void {
    if (!isFault(error)) throw error;
    this.#log(`battery: ${error.message}`);
  }
}
