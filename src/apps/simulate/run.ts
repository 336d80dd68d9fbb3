import type { Community, CommunityMember } from '../../adapters/config/community.ts';
import type { Load } from '../../domain/forecast/load.ts';
import type { ForecastMethod } from '../../domain/interval-cycle.ts';
import { type MechanismName, mechanismOf } from '../../domain/market/mechanism.ts';
import { DEFAULT_GATE_LEAD_MS } from '../../domain/market/products.ts';
import { wh } from '../../domain/units/energy.ts';
import { compareIds, type MarketId } from '../../domain/units/identity.ts';
import type { PricePerKwh } from '../../domain/units/price.ts';
import { type EpochMs, epochMs } from '../../domain/units/time.ts';
import { type BatchHome, type BatchTerms, runInterval, startBatch } from '../../sim/batch-driver.ts';
import { addOutcome, newTally, type Tally } from './tally.ts';

export interface SimulateOptions {
  readonly mechanism: MechanismName;
  /** Of `fixed`; absent: the middle of the band. */
  readonly fixedPrice?: PricePerKwh;
  readonly forecast: ForecastMethod;
  readonly batteries: boolean;
  /** Half-open, on interval boundaries of the profiles. */
  readonly from: EpochMs;
  readonly to: EpochMs;
}

/** Three runs over the same days: what was asked for, its baseline, and its twin with a perfect forecast. */
export interface Simulation {
  readonly intervals: number;
  readonly baseline: Tally;
  readonly community: Tally;
  /** The same object as `community` where the forecast was perfect. */
  readonly perfect: Tally;
}

/** 0.01 ct/kWh. */
const TICK = 100;

/** Runs a community over time. `onProgress` gets the share that is done, from 0 to 1. */
export function simulate(
  community: Community,
  options: SimulateOptions,
  onProgress: (done: number) => void,
): Simulation {
  const foresight = options.forecast === 'perfect';
  const runs = foresight ? 2 : 3;
  const run = (nth: number, changed: Partial<SimulateOptions>) =>
    runOnce(community, { ...options, ...changed }, (done) => onProgress((nth + done) / runs));
  const baseline = run(0, { mechanism: 'feed-in' });
  const asked = run(1, {});
  const perfect = foresight ? asked : run(2, { forecast: 'perfect' });
  return { intervals: asked.intervals, baseline, community: asked, perfect };
}

const PROGRESS_EVERY = 256;

function runOnce(community: Community, options: SimulateOptions, onProgress: (done: number) => void): Tally {
  const terms = termsOf(community, options);
  const { lengthMs } = community;
  const count = (options.to - options.from) / lengthMs;
  const firstRow = (options.from - community.start) / lengthMs;
  let state = startBatch(terms, options.from);
  let tally = newTally(terms);
  for (let n = 0; n < count; n += 1) {
    const interval = { start: epochMs(options.from + n * lengthMs), lengthMs };
    const result = runInterval(terms, state, interval, community.tariffAt(firstRow + n));
    state = result.state;
    tally = addOutcome(tally, terms, interval, result);
    if (n % PROGRESS_EVERY === 0) onProgress(n / count);
  }
  return tally;
}

function termsOf(community: Community, options: SimulateOptions): BatchTerms {
  const { lengthMs, timezone } = community;
  const inIdOrder = community.members.toSorted((a, b) => compareIds(a.id, b.id));
  return {
    market: 'simulation' as MarketId,
    lengthMs,
    timezone,
    tick: TICK,
    gateLeadMs: DEFAULT_GATE_LEAD_MS,
    mechanism: mechanismOf(options),
    forecast: options.forecast,
    homes: inIdOrder.map((member) => homeOf(member, options.batteries)),
  };
}

function homeOf({ id, profile, battery, initialStored, preference }: CommunityMember, batteries: boolean): BatchHome {
  const { consumption, generation, start: first, lengthMs } = profile;
  const load = (start: EpochMs): Load | null => {
    const row = (start - first) / lengthMs;
    const [used, made] = [consumption[row], generation[row]];
    return used === undefined || made === undefined ? null : { consumption: wh(used), generation: wh(made) };
  };
  const devices = batteries && battery !== null ? { battery, stored: initialStored } : { battery: null, stored: wh(0) };
  return { member: id, devices, load, preference };
}
