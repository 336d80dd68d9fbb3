import type { Load } from '../../domain/forecast/load.ts';
import { wh } from '../../domain/units/energy.ts';
import { type DeliveryInterval, intervalEnd } from '../../domain/units/interval.ts';
import type { EpochMs } from '../../domain/units/time.ts';
import type { HomeReadings } from './home-watch.ts';

interface Mark {
  readonly at: EpochMs;
  readonly imported: number;
  readonly exported: number;
  readonly generated: number;
  /** Into the battery since the start, W x ms; out of it is negative. */
  readonly charged: number;
}

const MS_PER_HOUR = 3_600_000;
/** A reading so far from a boundary, as a share of the interval, still stands for it. */
const NEAR = 0.1;

/** What the home itself used and made between two boundaries: the meters' registers, less what its battery moved. */
export class LoadMeter {
  #charged = 0;
  #lastBattery: { readonly at: EpochMs; readonly power: number } | null = null;
  #latest: Mark | null = null;
  #boundary: Mark | null = null;

  /** Every round of readings; the battery's power is taken as constant until the next. */
  observe({ meter, inverter, battery }: HomeReadings, at: EpochMs): void {
    if (this.#lastBattery !== null) this.#charged += this.#lastBattery.power * (at - this.#lastBattery.at);
    if (this.#lastBattery !== null) this.#lastBattery = { ...this.#lastBattery, at };
    if (battery !== null) this.#lastBattery = { at, power: battery.power };
    if (meter === null) return;
    const generated = inverter?.generated ?? this.#latest?.generated ?? 0;
    const { importRegister: imported, exportRegister: exported } = meter;
    this.#latest = { at, imported, exported, generated, charged: this.#charged };
  }

  /** At the end of an interval: its load, or null where its beginning or its end was not measured. */
  closeInterval(interval: DeliveryInterval): Load | null {
    const [from, to] = [this.#boundary, this.#latest];
    this.#boundary = to;
    const tolerated = interval.lengthMs * NEAR;
    if (from === null || Math.abs(from.at - interval.start) > tolerated) return null;
    if (to === null || Math.abs(to.at - intervalEnd(interval)) > tolerated) return null;
    const generation = Math.max(0, to.generated - from.generated);
    const charged = Math.round((to.charged - from.charged) / MS_PER_HOUR);
    const used = to.imported - from.imported - (to.exported - from.exported) + generation - charged;
    return { consumption: wh(Math.max(0, used)), generation: wh(generation) };
  }
}
