import { floorDivide } from '../../domain/units/division.ts';
import { wh } from '../../domain/units/energy.ts';
import { MINUTE_MS } from '../../domain/units/interval.ts';
import { type Watt, watt } from '../../domain/units/power.ts';
import { type EpochMs, epochMs } from '../../domain/units/time.ts';
import type { HomeWorld, MeterImage } from './home-world.ts';

/** Everything that a restart needs besides the homes' own states; plain data. */
export interface FeederState {
  readonly shown: MeterImage;
}

/**
 * The street behind one feeder meter. It advances its homes in step, one market minute at a time.
 *
 * The feeder is lossless and its meter has the members' resolution: in each minute its registers move by the sum of the
 * members' whole-Wh nets (planted errors apart), up on import or up on export. So at every instant
 * import - export of the feeder = sum of import - export of the homes, to the watt-hour. Counting the exact flow of the
 * wire instead would drift against the members' floors by up to one Wh each, which no conservation check can tell from
 * a meter that is wrong by one.
 */
export class FeederWorld {
  readonly homes: readonly HomeWorld[];
  #shown: MeterImage;

  constructor(homes: readonly HomeWorld[], saved?: FeederState) {
    this.homes = homes;
    this.#shown = saved?.shown ?? { importRegister: wh(0), exportRegister: wh(0) };
  }

  get meter(): MeterImage {
    return this.#shown;
  }

  /** The net of the street, import positive. */
  get power(): Watt {
    return watt(this.homes.reduce((sum, home) => sum + home.flows.net, 0));
  }

  get voltageMilliV(): number {
    const [first] = this.homes;
    return first?.voltageMilliV ?? 0;
  }

  get frequencyMilliHz(): number {
    const [first] = this.homes;
    return first?.frequencyMilliHz ?? 0;
  }

  /** Integrates every home and the feeder up to `now`. Homes behind the others catch up first. */
  advanceTo(now: EpochMs): void {
    let at = this.homes.reduce((earliest, home) => Math.min(earliest, home.at), now as number);
    while (at < now) {
      at = Math.min(now, (floorDivide(at, MINUTE_MS) + 1) * MINUTE_MS);
      for (const home of this.homes) home.advanceTo(epochMs(at));
      this.#takeNet();
    }
  }

  save(): FeederState {
    return { shown: this.#shown };
  }

  #takeNet(): void {
    const { importRegister, exportRegister } = this.#shown;
    const net = this.homes.reduce((sum, { trueMeter }) => sum + trueMeter.importRegister - trueMeter.exportRegister, 0);
    const moved = net - (importRegister - exportRegister);
    this.#shown = {
      importRegister: wh(importRegister + Math.max(moved, 0)),
      exportRegister: wh(exportRegister + Math.max(-moved, 0)),
    };
  }
}
