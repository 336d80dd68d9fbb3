import type { WallTime } from '../../adapters/clock/system-clock.ts';
import type { DuePoint } from '../../domain/market/due-points.ts';
import type { EpochMs } from '../../domain/units/time.ts';
import type { Roll } from './market-loop.ts';
import type { MeterDesk } from './meter-desk.ts';

/** How long the market waits for whom. */
export interface Patience {
  /** For a gateway that is online, at a gate or boundary. Zero at a gate: it is firm. */
  readonly gateMs: number;
  readonly boundaryMs: number;
  /** At the start, for all to appear. */
  readonly startMs: number;
}

/** Under acceleration market time stands meanwhile; in real time a gate waits for nobody, a boundary for late readings. */
export const ACCELERATED: Patience = { gateMs: 3000, boundaryMs: 3000, startMs: 20_000 };
export const REAL_TIME: Patience = { gateMs: 0, boundaryMs: 20_000, startMs: 0 };

interface Caller {
  online: boolean;
  ready: EpochMs | null;
}

/** Who is there and who has done what was due. */
export class RollCall implements Roll {
  readonly #callers = new Map<string, Caller>();
  readonly #wall: WallTime;
  readonly #meters: MeterDesk;
  readonly #patience: Patience;
  /** Accelerated readings carry the boundary's own time; in real time the last one before it has to do. */
  readonly #exact: boolean;
  readonly #onLate: (names: readonly string[], point: DuePoint) => void;
  #listeners: (() => void)[] = [];
  #waitingFor: readonly string[] = [];

  constructor(
    names: readonly string[],
    parts: {
      wall: WallTime;
      meters: MeterDesk;
      patience: Patience;
      exact: boolean;
      /** Told of whom the market has waited for in vain. */
      onLate?: (names: readonly string[], point: DuePoint) => void;
    },
  ) {
    for (const name of names) this.#callers.set(name, { online: false, ready: null });
    this.#wall = parts.wall;
    this.#meters = parts.meters;
    this.#patience = parts.patience;
    this.#exact = parts.exact;
    this.#onLate = parts.onLate ?? (() => undefined);
  }

  setOnline(name: string, online: boolean): void {
    const caller = this.#callers.get(name);
    if (caller === undefined) return;
    caller.online = online;
    this.changed();
  }

  isOnline(name: string): boolean {
    return this.#callers.get(name)?.online ?? false;
  }

  setReady(name: string, at: EpochMs): void {
    const caller = this.#callers.get(name);
    if (caller === undefined) return;
    caller.ready = at;
    this.changed();
  }

  /** A reading arrived, or somebody came, went or finished. */
  changed(): void {
    for (const listener of [...this.#listeners]) listener();
  }

  /** For whom market time stands, named only once it has stood for a second. */
  get heldFor(): readonly string[] {
    return this.#waitingFor;
  }

  ready(point: DuePoint): Promise<void> {
    const starting = point.gateOf === null && !point.boundary;
    const patienceMs = starting
      ? this.#patience.startMs
      : point.boundary
        ? this.#patience.boundaryMs
        : this.#patience.gateMs;
    const late = () => [...this.#callers].filter(([name, caller]) => this.#isLate(name, caller, point, starting));
    if (late().length === 0 || patienceMs === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const done = () => {
        cancelTell();
        cancelWait();
        this.#waitingFor = [];
        this.#listeners = this.#listeners.filter((each) => each !== look);
        resolve();
      };
      const look = () => {
        if (late().length === 0) done();
        else if (this.#waitingFor.length > 0) this.#waitingFor = late().map(([name]) => name);
      };
      const cancelTell = this.#wall.setTimer(1000, () => {
        this.#waitingFor = late().map(([name]) => name);
      });
      const cancelWait = this.#wall.setTimer(patienceMs, () => {
        this.#onLate(
          late().map(([name]) => name),
          point,
        );
        done();
      });
      this.#listeners.push(look);
    });
  }

  #isLate(name: string, { online, ready }: Caller, { at, boundary }: DuePoint, starting: boolean): boolean {
    if (!online) return starting;
    if (this.#exact && (ready === null || ready < at)) return true;
    if (!boundary) return false;
    const reading = this.#meters.latest(name);
    return reading === null || reading.at < at;
  }
}
