import { assert } from '../units/assert.ts';
import type { WhTotal } from '../units/energy.ts';
import type { MemberId } from '../units/identity.ts';
import { type NanoTotal, sumNano, ZERO_TOTAL } from '../units/money.ts';
import type { MemberShare } from './community-share.ts';
import type { CorrectingEntry } from './correcting-entry.ts';
import type { Amount, IntervalSettlement } from './interval-settlement.ts';
import { utilityByFeeder } from './utility-by-feeder.ts';

/**
 * The five accounts of a community, running totals. Money in nano-currency, positive is received; energy in Wh.
 * `utility` is computed from the feeder meter alone; `utilityInBooks` is the counterpart of the members' tariff legs.
 */
export interface Accounts {
  readonly intervals: number;
  readonly members: ReadonlyMap<MemberId, NanoTotal>;
  readonly utility: NanoTotal;
  readonly utilityInBooks: NanoTotal;
  /** Grid fees. */
  readonly grid: NanoTotal;
  /** Spreads, penalties and zone rent, less what was paid out. */
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
    grid: plus(accounts.grid, amounts.grid ?? 0),
    community: plus(accounts.community, amounts.community),
    losses: (accounts.losses + BigInt(lossesOf(settlement))) as WhTotal,
  };
}

/** The accounts after a correcting entry: it is added to them, and no interval is counted again. */
export function addEntryToAccounts(accounts: Accounts, entry: CorrectingEntry): Accounts {
  const members = new Map(accounts.members);
  for (const { member, amount } of entry.amounts) members.set(member, plus(members.get(member) ?? ZERO_TOTAL, amount));
  const net = BigInt(entry.imported - entry.exported);
  return {
    ...accounts,
    members,
    utility: plus(accounts.utility, entry.utilityByFeeder),
    utilityInBooks: plus(accounts.utilityInBooks, entry.utility),
    grid: plus(accounts.grid, entry.grid),
    community: plus(accounts.community, entry.community),
    losses: (entry.member === null ? accounts.losses + net : accounts.losses - net) as WhTotal,
  };
}

/** The accounts after a pay-out: what members get, the community account gives. It must hold as much. */
export function payOut(accounts: Accounts, shares: readonly MemberShare[]): Accounts {
  const paid = sumNano(shares.map(({ amount }) => amount));
  assert(paid <= accounts.community || paid === 0n, `${paid} are paid out of ${accounts.community}`);
  const members = new Map(accounts.members);
  for (const { member, amount } of shares) members.set(member, plus(members.get(member) ?? ZERO_TOTAL, amount));
  return { ...accounts, members, community: plus(accounts.community, -paid as NanoTotal) };
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

function lossesOf({ positions, feeder }: IntervalSettlement): number {
  const members = positions.reduce((sum, { imported, exported }) => sum + imported - exported, 0);
  return feeder.imported - feeder.exported - members;
}

function plus(sum: NanoTotal, amount: Amount | 0): NanoTotal {
  return (sum + BigInt(amount)) as NanoTotal;
}
