import type { CorrectedInterval } from '../metering/substitute-reading.ts';
import { assert } from '../units/assert.ts';
import { excessWh, type Wh, wh } from '../units/energy.ts';
import type { MemberId } from '../units/identity.ts';
import type { DeliveryInterval } from '../units/interval.ts';
import { amountOf, type NanoTotal, negate, sumNano, ZERO_TOTAL } from '../units/money.ts';
import { type PricePerKwh, pricePerKwh } from '../units/price.ts';
import type { EpochMs } from '../units/time.ts';
import type { FeederEnergy, IntervalSettlement } from './interval-settlement.ts';
import { resettle, type SettlementRules } from './resettle.ts';
import { utilityByFeeder } from './utility-by-feeder.ts';

/**
 * What the books get when a substitute turns out to be wrong. It is added and changes nothing that was entered before.
 * Energy in Wh and money in nano-currency are differences: positive is more than was booked.
 */
export interface CorrectingEntry {
  /** The interval that it corrects, at whose prices. */
  readonly interval: DeliveryInterval;
  /** All intervals of the gap, by their starts: several where the registers show only their total. */
  readonly gap: readonly EpochMs[];
  /** Whose reading was missing. `null`: the feeder meter's. */
  readonly member: MemberId | null;
  readonly imported: Wh;
  readonly exported: Wh;
  /** What members receive: of `supply: allocated` everybody whom the allocation touches. */
  readonly amounts: readonly { readonly member: MemberId; readonly amount: NanoTotal }[];
  readonly grid: NanoTotal;
  readonly community: NanoTotal;
  readonly utility: NanoTotal;
  /** The same, computed from the feeder meter. */
  readonly utilityByFeeder: NanoTotal;
}

export interface CorrectableInterval {
  /** As it was entered. */
  readonly booked: IntervalSettlement;
  /** With every reading that is known by now: `booked`, or the `standing` of the last correction of this interval. */
  readonly standing: IntervalSettlement;
  readonly rules: SettlementRules;
}

export interface Correction {
  readonly entry: CorrectingEntry;
  /** To be kept until nobody's reading of this interval is missing. */
  readonly standing: IntervalSettlement;
}

/**
 * Corrects the intervals of one gap of one member's meter; `intervals` in the order of `gap`.
 *
 * A gap of one interval: the member gets what the interval would have come to for it with the true reading, less what
 * was booked. A longer gap: nobody knows in which interval the energy flowed, so every Wh of the difference has the
 * least favourable tariff of the gap, and no penalty. Neighbours keep what they have; what their side of it comes to is
 * the community's. Only an allocation is done again for everybody, and in a longer gap not at all.
 */
export function correctGap(
  member: MemberId,
  gap: readonly CorrectedInterval[],
  intervals: readonly CorrectableInterval[],
): Correction[] {
  const settled = gap.map((_, index) => at(intervals, index));
  const edges = leastFavourable(settled.map(({ booked }) => booked));
  const starts = gap.map(({ booked }) => booked.interval.start);
  return gap.map((corrected, index) => {
    const { booked, standing, rules } = at(settled, index);
    const truth = resettle(standing, new Map([[member, corrected.energy]]), rules);
    const before = { booked, standing };
    const own = gap.length === 1 ? null : estimatedAmount(corrected, edges);
    const entry = entryOf({ member, corrected, gap: starts }, before, truth, own);
    return { entry, standing: truth };
  });
}

interface Subject {
  readonly member: MemberId;
  readonly corrected: CorrectedInterval;
  readonly gap: readonly EpochMs[];
}

type Before = Pick<CorrectableInterval, 'booked' | 'standing'>;

/** `estimate`: what the member gets of a longer gap; null: the truth is known. */
function entryOf(
  subject: Subject,
  before: Before,
  truth: IntervalSettlement,
  estimate: NanoTotal | null,
): CorrectingEntry {
  const { member, corrected, gap } = subject;
  const amounts = amountsOf(member, before, truth, estimate);
  const isAllocated = truth.prices.supply === 'allocated';
  const isMoved = estimate === null || !isAllocated;
  const grid = estimate === null ? difference(truth.amounts.grid, before.standing.amounts.grid) : ZERO_TOTAL;
  const utility = isMoved ? difference(truth.amounts.utility, before.standing.amounts.utility) : ZERO_TOTAL;
  const community = -(sumNano(amounts.map(({ amount }) => amount)) + grid + utility) as NanoTotal;
  return {
    interval: corrected.booked.interval,
    gap,
    member,
    imported: wh(corrected.energy.imported - corrected.booked.imported),
    exported: wh(corrected.energy.exported - corrected.booked.exported),
    amounts,
    grid,
    community,
    utility,
    utilityByFeeder: difference(utilityByFeeder(truth), utilityByFeeder(before.standing)),
  };
}

function amountsOf(
  member: MemberId,
  { booked, standing }: Before,
  truth: IntervalSettlement,
  estimate: NanoTotal | null,
): CorrectingEntry['amounts'] {
  if (truth.prices.supply !== 'allocated') {
    return [{ member, amount: estimate ?? difference(amountIn(truth, member), amountIn(booked, member)) }];
  }
  if (estimate !== null) return [];
  return truth.positions
    .map((each) => ({
      member: each.member,
      amount: difference(amountIn(truth, each.member), amountIn(standing, each.member)),
    }))
    .filter(({ amount }) => amount !== 0n);
}

interface Edges {
  /** For a Wh that the member gets back, or delivered. */
  readonly credit: PricePerKwh;
  /** For a Wh that it took. */
  readonly charge: PricePerKwh;
}

function leastFavourable(settlements: readonly IntervalSettlement[]): Edges {
  const imports = settlements.map(({ prices }) => prices.tariff.importPrice);
  const exports = settlements.map(({ prices }) => prices.tariff.exportPrice);
  return { credit: pricePerKwh(Math.min(...imports, ...exports)), charge: pricePerKwh(Math.max(...imports)) };
}

function estimatedAmount({ booked, energy }: CorrectedInterval, { credit, charge }: Edges): NanoTotal {
  return sumNano([
    amountOf(credit, energy.exported),
    amountOf(credit, excessWh(booked.imported, energy.imported)),
    negate(amountOf(charge, excessWh(energy.imported, booked.imported))),
  ]);
}

/** Corrects an interval in which the feeder meter's reading was missing. No member's account changes. */
export function correctFeeder(
  gap: readonly EpochMs[],
  { booked, energy }: CorrectedInterval,
  standing: IntervalSettlement,
): Correction {
  const { imported, exported } = energy;
  const feeder: FeederEnergy = { imported: excessWh(imported, exported), exported: excessWh(exported, imported) };
  const truth = { ...standing, feeder };
  const entry: CorrectingEntry = {
    ...{ interval: booked.interval, gap, member: null, amounts: [] },
    imported: wh(feeder.imported - standing.feeder.imported),
    exported: wh(feeder.exported - standing.feeder.exported),
    ...{ grid: ZERO_TOTAL, community: ZERO_TOTAL, utility: ZERO_TOTAL },
    utilityByFeeder: difference(utilityByFeeder(truth), utilityByFeeder(standing)),
  };
  return { entry, standing: truth };
}

function amountIn({ positions, amounts }: IntervalSettlement, member: MemberId): NanoTotal {
  const index = positions.findIndex((position) => position.member === member);
  assert(index !== -1, `${member} has no position in the interval`);
  return BigInt(amounts.members[index] ?? 0) as NanoTotal;
}

function difference(after: number | bigint = 0, before: number | bigint = 0): NanoTotal {
  return (BigInt(after) - BigInt(before)) as NanoTotal;
}

function at(intervals: readonly CorrectableInterval[], index: number): CorrectableInterval {
  const interval = intervals[index];
  assert(interval !== undefined, `no settlement of interval ${index} of the gap`);
  return interval;
}
