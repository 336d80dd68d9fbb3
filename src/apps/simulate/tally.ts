import type { HomeFlow } from '../../domain/dispatch/home-dispatch.ts';
import { NO_LOAD } from '../../domain/forecast/load.ts';
import { type Accounts, NEW_ACCOUNTS } from '../../domain/settlement/accounts.ts';
import { assert } from '../../domain/units/assert.ts';
import type { MemberId } from '../../domain/units/identity.ts';
import type { DeliveryInterval } from '../../domain/units/interval.ts';
import { meanPower } from '../../domain/units/power.ts';
import type { BatchState, BatchTerms, IntervalOutcome } from '../../sim/batch-driver.ts';

/** What one run of a street came to. Wh are exact; money is nano-currency; positive is received. */
export interface Tally {
  readonly intervals: number;
  readonly consumptionWh: number;
  readonly generationWh: number;
  /** At the members' meters. */
  readonly drawnWh: number;
  readonly fedInWh: number;
  /** At the feeder meter. */
  readonly importWh: number;
  readonly exportWh: number;
  readonly peakImportW: number;
  readonly tradedWh: number;
  readonly balancedWh: number;
  readonly storedDeltaWh: number;
  readonly price: PriceTally;
  /** In the order of member ids. */
  readonly members: readonly MemberTally[];
  readonly accounts: Accounts;
}

/** Micro-currency per kWh, over the intervals with trade. */
export interface PriceTally {
  /** Price x Wh. */
  readonly weighted: bigint;
  readonly min: number | null;
  readonly max: number | null;
}

export interface MemberTally {
  readonly id: MemberId;
  readonly boughtWh: number;
  readonly soldWh: number;
  readonly shortfallWh: number;
}

export function newTally({ homes }: BatchTerms): Tally {
  return {
    intervals: 0,
    consumptionWh: 0,
    generationWh: 0,
    drawnWh: 0,
    fedInWh: 0,
    importWh: 0,
    exportWh: 0,
    peakImportW: 0,
    tradedWh: 0,
    balancedWh: 0,
    storedDeltaWh: 0,
    price: { weighted: 0n, min: null, max: null },
    members: homes.map(({ member }) => ({ id: member, boughtWh: 0, soldWh: 0, shortfallWh: 0 })),
    accounts: NEW_ACCOUNTS,
  };
}

interface IntervalResult {
  readonly state: BatchState;
  readonly outcome: IntervalOutcome;
}

export function addOutcome(tally: Tally, terms: BatchTerms, interval: DeliveryInterval, result: IntervalResult): Tally {
  const { flows, settlement, price } = result.outcome;
  const loads = terms.homes.map(({ load }) => load(interval.start) ?? NO_LOAD);
  const traded = sum(settlement.positions.map(({ sold }) => sold));
  return {
    intervals: tally.intervals + 1,
    consumptionWh: tally.consumptionWh + sum(loads.map(({ consumption }) => consumption)),
    generationWh: tally.generationWh + sum(loads.map(({ generation }) => generation)),
    drawnWh: tally.drawnWh + sum(flows.map(({ imported }) => imported)),
    fedInWh: tally.fedInWh + sum(flows.map(({ exported }) => exported)),
    importWh: tally.importWh + settlement.feeder.imported,
    exportWh: tally.exportWh + settlement.feeder.exported,
    peakImportW: Math.max(tally.peakImportW, meanPower(settlement.feeder.imported, interval.lengthMs)),
    tradedWh: tally.tradedWh + traded,
    balancedWh: tally.balancedWh + sum(settlement.positions.map(({ balancedLong }) => balancedLong)),
    storedDeltaWh: storedDelta(terms, flows),
    price: traded === 0 || price === null ? tally.price : addPrice(tally.price, price, traded),
    members: tally.members.map((member, index) => addMember(member, result.outcome, index)),
    accounts: result.state.books.accounts,
  };
}

function storedDelta({ homes }: BatchTerms, flows: readonly HomeFlow[]): number {
  return sum(flows.map(({ stored }) => stored)) - sum(homes.map(({ devices }) => devices.stored));
}

function addPrice({ weighted, min, max }: PriceTally, price: number, traded: number): PriceTally {
  return {
    weighted: weighted + BigInt(price) * BigInt(traded),
    min: min === null ? price : Math.min(min, price),
    max: max === null ? price : Math.max(max, price),
  };
}

/** Homes and positions are both in the order of member ids. */
function addMember(member: MemberTally, { verified, settlement }: IntervalOutcome, index: number): MemberTally {
  const position = settlement.positions[index];
  assert(position?.member === member.id, `position ${index} is not that of ${member.id}`);
  return {
    id: member.id,
    boughtWh: member.boughtWh + position.bought,
    soldWh: member.soldWh + position.sold,
    shortfallWh: member.shortfallWh + (verified[index]?.delivery.sale.missing ?? 0),
  };
}

function sum(values: readonly number[]): number {
  let total = 0;
  for (const value of values) total += value;
  return total;
}
