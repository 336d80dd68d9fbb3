import type { BoundaryReading } from '../domain/engine/command.ts';
import { wh } from '../domain/units/energy.ts';
import type { EpochMs } from '../domain/units/time.ts';
import { between } from './homes/prng.ts';

interface Registers {
  imported: number;
  exported: number;
}

const MOST_WH = 300;

/** Meters that tell the truth and miss nothing, and a feeder meter that sees what they see. Their numbers are the seed's. */
export class MarketMeters {
  readonly #seed: number;
  readonly #members: readonly string[];
  readonly #feeder: string;
  readonly #start: EpochMs;
  readonly #lengthMs: number;

  constructor(seed: number, members: readonly string[], feeder: string, start: EpochMs, lengthMs: number) {
    this.#seed = seed;
    this.#members = members;
    this.#feeder = feeder;
    this.#start = start;
    this.#lengthMs = lengthMs;
  }

  /** The registers at a boundary, counted from the start. */
  at(meter: string, boundary: EpochMs): BoundaryReading | null {
    const intervals = Math.round((boundary - this.#start) / this.#lengthMs);
    const registers: Registers = { imported: 0, exported: 0 };
    for (let interval = 0; interval < intervals; interval += 1) {
      const { imported, exported } = meter === this.#feeder ? this.#street(interval) : this.#home(meter, interval);
      registers.imported += imported;
      registers.exported += exported;
    }
    return { at: boundary, importRegister: wh(registers.imported), exportRegister: wh(registers.exported) };
  }

  #home(member: string, interval: number): Registers {
    const place = this.#members.indexOf(member);
    const draw = (side: number) => between(0, MOST_WH, this.#seed, place, interval, side);
    return { imported: draw(0), exported: draw(1) };
  }

  #street(interval: number): Registers {
    const homes = this.#members.map((member) => this.#home(member, interval));
    const net = homes.reduce((sum, { imported, exported }) => sum + imported - exported, 0);
    return { imported: Math.max(0, net), exported: Math.max(0, -net) };
  }
}
