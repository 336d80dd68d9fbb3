import { excessWh, minWh, type Wh, type WhTotal, wh } from '../units/energy.ts';
import type { MemberId } from '../units/identity.ts';
import { amountOf, type NanoTotal, ZERO_TOTAL } from '../units/money.ts';
import type { IntervalSettlement } from './interval-settlement.ts';
import { longOf, shortOf } from './single-supply.ts';

/**
 * The five accounts of a community, running totals. Money in nano-currency, positive is received; energy in Wh.
 * `utility` is computed from the feeder meter alone; `utilityInBooks` is the counterpart of the members' tariff legs.
 */
export interface Accounts {
  readonly intervals: number;
  readonly members: ReadonlyMap<MemberId, NanoTotal>;
  readonly utility: NanoTotal;
  readonly utilityInBooks: NanoTotal;
  /** Grid fees: none are charged yet. */
  readonly grid: NanoTotal;
  readonly community: NanoTotal;
  /** Net import at the feeder meter minus net import of all members, Wh. */
  readonly losses: WhTotal;
}

export const NEW_ACCOUNTS: Accounts = {
  intervals: 0,
  members: new Map(),
  utility: ZERO_TOTAL,
  utilityInBooks: ZERO_TOTAL,
  grid: ZERO_TOTAL,
  community: ZERO_TOTAL,
  losses: 0n as WhTotal,
};

/** The accounts after one more interval. Nothing here knows whether it was added before: the caller settles once. */
export function addToAccounts(accounts: Accounts, settlement: IntervalSettlement): Accounts {
  const { amounts, positions } = settlement;
  const members = new Map(accounts.members);
  positions.forEach(({ member }, index) => {
    members.set(member, plus(members.get(member) ?? ZERO_TOTAL, amounts.members[index] ?? 0));
  });
  return {
    intervals: accounts.intervals + 1,
    members,
    utility: plus(accounts.utility, utilityByFeeder(settlement)),
    utilityInBooks: plus(accounts.utilityInBooks, amounts.utility),
    grid: accounts.grid,
    community: plus(accounts.community, amounts.community),
    losses: (accounts.losses + BigInt(lossesOf(settlement))) as WhTotal,
  };
}

/** Members' books against the feeder meter: both are zero where every meter tells the truth and nothing is lost. */
export interface Conservation {
  readonly energyWh: bigint;
  readonly money: bigint;
}

/**
 * `energyWh`: the feeder's net import minus the members'. `money`: what all five accounts sum to, the utility's taken
 * from the feeder meter. An error of 1 Wh in any meter shows in both.
 */
export function conservation(accounts: Accounts): Conservation {
  let money = accounts.utility + accounts.grid + accounts.community;
  for (const amount of accounts.members.values()) money += amount;
  return { energyWh: accounts.losses, money };
}

/** One interval's conservation. */
export function conservationOf(settlement: IntervalSettlement): Conservation {
  return conservation(addToAccounts(NEW_ACCOUNTS, settlement));
}

/**
 * What the utility receives for what the feeder meter saw. Where nothing is balanced inside the street (`feed-in`), it
 * also buys surplus from some members and sells it to others behind the feeder meter, and keeps the margin.
 */
function utilityByFeeder({ positions, feeder, prices: { tariff } }: IntervalSettlement): number {
  const restLong = total(positions.map((each) => excessWh(longOf(each), each.balancedLong)));
  const restShort = total(positions.map((each) => excessWh(shortOf(each), each.balancedShort)));
  const through = minWh(restLong, restShort);
  return (
    amountOf(tariff.importPrice, feeder.imported) -
    amountOf(tariff.exportPrice, feeder.exported) +
    amountOf(tariff.importPrice, through) -
    amountOf(tariff.exportPrice, through)
  );
}

function lossesOf({ positions, feeder }: IntervalSettlement): number {
  const members = positions.reduce((sum, { imported, exported }) => sum + imported - exported, 0);
  return feeder.imported - feeder.exported - members;
}

function total(terms: readonly Wh[]): Wh {
  return wh(terms.reduce((sum, term) => sum + term, 0));
}

function plus(sum: NanoTotal, amount: number): NanoTotal {
  return (sum + BigInt(amount)) as NanoTotal;
}
