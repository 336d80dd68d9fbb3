import { type GridConditions, type GridMeasurement, gridConditions } from '../../domain/grid/conditions.ts';
import type { GridCode } from '../../domain/grid/grid-code.ts';
import type { GridReading } from '../../domain/safety/interlock-state.ts';
import type { EpochMs } from '../../domain/units/time.ts';
import type { Complaints } from './complaints.ts';
import { messageOf } from './contact-line.ts';

const SUBJECT = 'meter';

interface Sample {
  readonly at: number;
  readonly marketAt: EpochMs | null;
  readonly measured: GridMeasurement;
  /** null: no meter shows such values. */
  readonly conditions: GridConditions | null;
}

export interface GridWatchOptions {
  readonly readGrid: () => Promise<GridMeasurement>;
  readonly code: GridCode;
  readonly nominalMilliV: number;
  readonly monotonicNow: () => number;
  readonly marketNow: () => EpochMs | null;
  readonly complaints: Complaints;
}

/** The last reading of voltage and frequency, one request at a time. A failed one leaves the last to grow old. */
export class GridWatch {
  readonly #options: GridWatchOptions;
  #sample: Sample | null = null;
  #polling = false;

  constructor(options: GridWatchOptions) {
    this.#options = options;
  }

  get measured(): GridMeasurement | null {
    return this.#sample?.measured ?? null;
  }

  async poll(): Promise<void> {
    if (this.#polling) return;
    this.#polling = true;
    const { readGrid, monotonicNow, marketNow, complaints } = this.#options;
    const [at, marketAt] = [monotonicNow(), marketNow()];
    try {
      const measured = await readGrid();
      this.#sample = { at, marketAt, measured, conditions: this.#judge(measured) };
      if (this.#sample.conditions === null) complaints.raise(SUBJECT, `implausible: ${JSON.stringify(measured)}`);
      else complaints.clear(SUBJECT);
    } catch (error) {
      complaints.raise(SUBJECT, messageOf(error));
    } finally {
      this.#polling = false;
    }
  }

  reading(): GridReading | null {
    if (this.#sample === null) return null;
    const { at, marketAt, conditions } = this.#sample;
    const marketNow = this.#options.marketNow();
    return {
      good: conditions !== null,
      ageMs: Math.max(0, this.#options.monotonicNow() - at),
      marketAgeMs: marketNow === null || marketAt === null ? 0 : marketNow - marketAt,
      voltage: conditions?.voltage ?? UNKNOWN,
      frequency: conditions?.frequency ?? UNKNOWN,
    };
  }

  #judge(measured: GridMeasurement): GridConditions | null {
    const { voltageMilliV, frequencyMilliHz } = measured;
    const plausible = isQuantity(voltageMilliV) && isQuantity(frequencyMilliHz);
    return plausible ? gridConditions(this.#options.code, this.#options.nominalMilliV, measured) : null;
  }
}

const UNKNOWN = { insideEnterService: false, mayOpenAfterMs: 0, mustOpenWithinMs: 0 };

/** A million volts, a thousand hertz: far above whatever a meter of a home shows. */
const LARGEST = 1_000_000_000;

function isQuantity(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 0 && value <= LARGEST;
}
