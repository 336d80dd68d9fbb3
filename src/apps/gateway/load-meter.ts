import type { Load } from '../../domain/forecast/load.ts';
import { wh } from '../../domain/units/energy.ts';
import type { EpochMs } from '../../domain/units/time.ts';
import type { HomeReadings } from './home-devices.ts';

interface Mark {
  readonly at: EpochMs;
  readonly imported: number;
  readonly exported: number;
  readonly generated: number;
  /** Into the battery since the start, W x ms; out of it is negative. */
  readonly charged: number;
}

const MS_PER_HOUR = 3_600_000;

/** What the home itself used and made between two boundaries: the meters' registers, less what its battery moved. */
export class LoadMeter {
  #charged = 0;
  #lastBattery: { readonly at: EpochMs; readonly power: number } | null = null;
  #latest: Mark | null = null;
  #boundary: Mark | null = null;

  /** Every round of readings; the battery's power is taken as constant until the next. */
  observe({ meter, inverter, battery }: HomeReadings, at: EpochMs): void {
    if (this.#lastBattery !== null) this.#charged += this.#lastBattery.power * (at - this.#lastBattery.at);
    if (battery !== null) this.#lastBattery = { at, power: battery.power };
    if (meter === null) return;
    const generated = inverter?.generated ?? this.#latest?.generated ?? 0;
    const { importRegister: imported, exportRegister: exported } = meter;
    this.#latest = { at, imported, exported, generated, charged: this.#charged };
  }

  /** At the end of an interval: its load, or null where its beginning was not measured. */
  closeInterval(lengthMs: number): { readonly start: EpochMs; readonly load: Load } | null {
    const [from, to] = [this.#boundary, this.#latest];
    this.#boundary = to;
    if (from === null || to === null || to.at - from.at < lengthMs / 2 || to.at - from.at > lengthMs * 1.5) return null;
    const generation = Math.max(0, to.generated - from.generated);
    const charged = Math.round((to.charged - from.charged) / MS_PER_HOUR);
    const used = to.imported - from.imported - (to.exported - from.exported) + generation - charged;
    return { start: from.at, load: { consumption: wh(Math.max(0, used)), generation: wh(generation) } };
  }
}
