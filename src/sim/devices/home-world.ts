import { assert } from '../../domain/units/assert.ts';
import { floorDivide, mulDivFloor } from '../../domain/units/division.ts';
import { type Wh, wh } from '../../domain/units/energy.ts';
import { MINUTE_MS } from '../../domain/units/interval.ts';
import { type Watt, watt } from '../../domain/units/power.ts';
import { type EpochMs, epochMs } from '../../domain/units/time.ts';
import { createHomeProfile, type HomeProfile } from '../homes/home-profile.ts';
import { between } from '../homes/prng.ts';
import type { HomePlan } from '../homes/street-plan.ts';
import { aimedPower, FULL_RATE, type StorageControl, storedPower, sustainableMs } from './battery-physics.ts';
import { count, EMPTY_COUNTER, type EnergyCounter, WATT_MS_PER_WH } from './energy-counter.ts';

/** The flows of a home at one moment, whole watts. `net` = load - pv + battery, import positive. */
export interface HomeFlows {
  readonly load: Watt;
  /** After curtailment. */
  readonly pv: Watt;
  /** Charging positive. */
  readonly battery: Watt;
  readonly net: Watt;
}

/** Both registers of a meter at a whole market minute. */
export interface MeterImage {
  readonly importRegister: Wh;
  readonly exportRegister: Wh;
}

/** Everything that a restart needs; plain data. */
export interface HomeState {
  readonly at: EpochMs;
  readonly imported: EnergyCounter;
  readonly exported: EnergyCounter;
  readonly generated: EnergyCounter;
  /** The registers as the meter shows them since the last whole minute. */
  readonly shown: MeterImage;
  /** Charge of the battery in watt-milliseconds. */
  readonly stored: number;
  readonly storage: StorageControl;
  /** What the relay was last told. */
  readonly closed: boolean;
}

/** Planted in the meter: it shows that much more import than flowed, in every reading after `after`. */
export interface MeterError {
  readonly energy: Wh;
  readonly after: EpochMs;
}

export interface HomeWorldOptions {
  readonly plan: HomePlan;
  /** Where a new home begins; with a saved state that state holds. */
  readonly start: EpochMs;
  readonly saved?: HomeState;
  readonly meterError?: MeterError;
}

const NOMINAL_MILLIVOLT = 230_000;
const NOMINAL_MILLIHERTZ = 50_000;

/**
 * The physics of one home over market time. Between two commands nothing depends on how often it is advanced: powers
 * are constant within a market minute, energies are exact integers, and a battery that fills or empties does so on its
 * millisecond. The meter shows its energy registers as they were at the last whole minute, so that all meters of a
 * street that are read within one minute show the same instant.
 */
export class HomeWorld {
  readonly plan: HomePlan;
  readonly #profile: HomeProfile;
  readonly #meterError: MeterError | null;
  #state: HomeState;
  #flows: HomeFlows;
  #stuck: 'open' | 'closed' | null = null;
  #voltage: number | null = null;
  #frequency: number | null = null;

  constructor({ plan, start, saved, meterError }: HomeWorldOptions) {
    this.plan = plan;
    this.#profile = createHomeProfile(plan);
    this.#meterError = meterError ?? null;
    this.#state = saved ?? initialState(plan, start);
    this.#flows = this.#flowsNow();
  }

  /** Market time up to which everything is integrated. */
  get at(): EpochMs {
    return this.#state.at;
  }

  get flows(): HomeFlows {
    return this.#flows;
  }

  /** What flowed, as the meter's registers would show it without any planted error. */
  get trueMeter(): MeterImage {
    return this.#state.shown;
  }

  /** What the meter shows. */
  get meter(): MeterImage {
    const { shown, at } = this.#state;
    const error = this.#meterError;
    if (error === null || floorDivide(at, MINUTE_MS) * MINUTE_MS <= error.after) return shown;
    return { ...shown, importRegister: wh(shown.importRegister + error.energy) };
  }

  get generated(): Wh {
    return this.#state.generated.energy;
  }

  get socPermille(): number {
    const { battery } = this.plan;
    return battery === null ? 0 : mulDivFloor(this.#state.stored, 1000, battery.capacity * WATT_MS_PER_WH);
  }

  get storage(): StorageControl {
    return this.#state.storage;
  }

  /** What the relay was told. */
  get relayCommand(): boolean {
    return this.#state.closed;
  }

  /** Where the contact is, whatever the relay was told. Open: nothing is exported; the home stays supplied. */
  get contactClosed(): boolean {
    return this.#stuck === null ? this.#state.closed : this.#stuck === 'closed';
  }

  get voltageMilliV(): number {
    const minute = floorDivide(this.at, MINUTE_MS);
    return this.#voltage ?? NOMINAL_MILLIVOLT + between(-12, 12, this.plan.seed, 31, minute) * 100;
  }

  get frequencyMilliHz(): number {
    const minute = floorDivide(this.at, MINUTE_MS);
    return this.#frequency ?? NOMINAL_MILLIHERTZ + between(-2, 2, this.plan.streetSeed, 32, minute) * 10;
  }

  /** Pins the grid at the home to these values; `null` frees it again. For faults. */
  setGrid(grid: { readonly voltageMilliV?: number | null; readonly frequencyMilliHz?: number | null }): void {
    if (grid.voltageMilliV !== undefined) this.#voltage = grid.voltageMilliV;
    if (grid.frequencyMilliHz !== undefined) this.#frequency = grid.frequencyMilliHz;
  }

  /** Welds or breaks the contact; `null` repairs it. For faults. */
  setStuckContact(stuck: 'open' | 'closed' | null): void {
    this.#stuck = stuck;
    this.#flows = this.#flowsNow();
  }

  commandRelay(closed: boolean): void {
    this.#state = { ...this.#state, closed };
    this.#flows = this.#flowsNow();
  }

  /** Takes set-points of model 124; every one restarts the revert timer. */
  controlStorage(points: Partial<Omit<StorageControl, 'writtenAt'>>): void {
    this.#state = { ...this.#state, storage: { ...this.#state.storage, ...points, writtenAt: this.at } };
    this.#flows = this.#flowsNow();
  }

  /** Integrates up to `now`. An earlier `now` changes nothing: market time never goes back. */
  advanceTo(now: EpochMs): void {
    while (this.at < now) {
      this.#flows = this.#flowsNow();
      const until = Math.min(now, nextMinute(this.at), this.at + this.#steadyMs(), this.#revertAt());
      this.#integrate(epochMs(until));
    }
    this.#flows = this.#flowsNow();
  }

  save(): HomeState {
    return this.#state;
  }

  /** The battery holds its power at least one millisecond, or it would have been given none. */
  #steadyMs(): number {
    const { battery } = this.plan;
    if (battery === null) return Number.POSITIVE_INFINITY;
    return sustainableMs(battery, this.#state.stored, this.#flows.battery);
  }

  #revertAt(): number {
    const { mode, revertSeconds, writtenAt } = this.#state.storage;
    const at = writtenAt + revertSeconds * 1000;
    return mode !== 0 && revertSeconds > 0 ? at : Number.POSITIVE_INFINITY;
  }

  #integrate(until: EpochMs): void {
    const before = this.#state;
    const { net, pv, battery } = this.#flows;
    const duration = until - before.at;
    assert(duration > 0, 'time passes in every step');
    const imported = count(before.imported, Math.max(net, 0), duration);
    const exported = count(before.exported, Math.max(-net, 0), duration);
    const wholeMinute = until % MINUTE_MS === 0;
    const shown = wholeMinute ? { importRegister: imported.energy, exportRegister: exported.energy } : before.shown;
    const stored = this.plan.battery === null ? 0 : before.stored + storedPower(this.plan.battery, battery) * duration;
    const generated = count(before.generated, pv, duration);
    this.#state = { ...before, at: until, imported, exported, generated, shown, stored };
    if (until >= this.#revertAt()) this.#state = { ...this.#state, storage: { ...before.storage, mode: 0 } };
  }

  #flowsNow(): HomeFlows {
    const load = this.#profile.loadAt(this.at);
    const sun = this.#profile.generationAt(this.at);
    const battery = this.#limitToExportPath(this.#batteryPower(sun - load), load);
    const use = load + battery;
    const pv = this.contactClosed ? sun : Math.min(sun, Math.max(use, 0));
    return { load, pv: watt(pv), battery: watt(battery), net: watt(use - pv) };
  }

  #batteryPower(surplus: number): number {
    const { battery } = this.plan;
    if (battery === null) return 0;
    const aimed = aimedPower(battery, this.#state.storage, surplus);
    return sustainableMs(battery, this.#state.stored, aimed) >= 1 ? aimed : 0;
  }

  /** With the export path open the battery gives at most what the home uses. */
  #limitToExportPath(battery: number, load: number): number {
    return this.contactClosed ? battery : Math.max(battery, -load);
  }
}

function nextMinute(at: EpochMs): number {
  return (floorDivide(at, MINUTE_MS) + 1) * MINUTE_MS;
}

function initialState(plan: HomePlan, start: EpochMs): HomeState {
  const { battery } = plan;
  return {
    at: start,
    imported: EMPTY_COUNTER,
    exported: EMPTY_COUNTER,
    generated: EMPTY_COUNTER,
    shown: { importRegister: wh(0), exportRegister: wh(0) },
    stored: battery === null ? 0 : mulDivFloor(battery.capacity * WATT_MS_PER_WH, battery.initialSocPpm, 1_000_000),
    storage: { mode: 0, outRate: FULL_RATE, inRate: FULL_RATE, revertSeconds: 0, writtenAt: start },
    closed: false,
  };
}
