import { assert } from '../units/assert.ts';
import { floorDivide, shareByLargestRemainder } from '../units/division.ts';
import { excessWh, minWh, type Wh, type WhTotal, wh, ZERO_WH } from '../units/energy.ts';
import type { MemberId } from '../units/identity.ts';
import { amountOf, type Nano, type NanoTotal, negate, ZERO_NANO } from '../units/money.ts';
import { type PricePerKwh, pricePerKwh } from '../units/price.ts';
import type { CorrectingEntry } from './correcting-entry.ts';
import type { MemberPosition, SettlementPrices } from './interval-settlement.ts';
import { addExactly, gridFeeOf, memberAmount, penaltyOf, tradeAmountsOf } from './member-amount.ts';

/**
 * Why energy is on a statement. Trades; what was never traded (`unmatched`); what was traded and not delivered
 * (`imbalance`): sold and not exported (`shortfall`), bought and not taken (`overbought`); the grid fee on what was
 * bought and taken; the penalty on what was sold and missing. Of running totals also: corrections of intervals whose
 * reading was missing, and the member's share of the community account.
 */
export const STATEMENT_REASONS = [
  'bought',
  'sold',
  'unmatched_import',
  'unmatched_export',
  'imbalance_shortfall',
  'imbalance_overbought',
  'grid_fee',
  'penalty',
  'correction',
  'community_share',
] as const;

export type StatementReason = (typeof STATEMENT_REASONS)[number];

/**
 * trade: at the local price, or at prices of their own. street: balanced among neighbours at an imbalance price. utility:
 * at the tariff. contract: the home's own supply contract, shown and not charged. grid, community: paid to them.
 */
export type StatementParty = 'trade' | 'street' | 'utility' | 'contract' | 'grid' | 'community';

/**
 * Energy is positive; amount is positive where the member receives it. Of trades at prices of their own `price` is their
 * mean, floored to the micro-currency, and the amount is exact.
 */
export interface StatementLine {
  readonly reason: StatementReason;
  readonly party: StatementParty;
  readonly energy: Wh;
  readonly price: PricePerKwh;
  readonly amount: Nano;
}

/** The lines of one member and interval, those with energy only. They sum to the member's amount. */
export function statementLines(position: MemberPosition, prices: SettlementPrices): StatementLine[] {
  const deviations = prices.supply === 'allocated' ? restLines(position) : singleSupplyLines(position, prices);
  const lines = [...tradeLines(position, prices), ...deviations, ...chargeLines(position, prices)];
  const shown = lines.filter(({ energy }) => energy > 0);
  assertSum(shown, memberAmount(position, prices));
  return shown;
}

function tradeLines(position: MemberPosition, prices: SettlementPrices): StatementLine[] {
  const { bought, sold } = position;
  const amounts = tradeAmountsOf(position, prices);
  return [
    {
      ...{ reason: 'bought', party: 'trade' },
      energy: bought,
      price: meanPrice(negate(amounts.bought), bought),
      amount: amounts.bought,
    },
    { ...{ reason: 'sold', party: 'trade' }, energy: sold, price: meanPrice(amounts.sold, sold), amount: amounts.sold },
  ];
}

function singleSupplyLines(position: MemberPosition, prices: SettlementPrices): StatementLine[] {
  const { bought, sold, imported, exported, balancedLong, balancedShort } = position;
  const { importPrice, exportPrice } = prices.tariff;
  const shortSide: Deviation[] = [
    { reason: 'unmatched_import', energy: excessWh(imported, bought) },
    { reason: 'imbalance_shortfall', energy: excessWh(sold, exported) },
  ];
  const longSide: Deviation[] = [
    { reason: 'unmatched_export', energy: excessWh(exported, sold) },
    { reason: 'imbalance_overbought', energy: excessWh(bought, imported) },
  ];
  return [
    ...deviationLines(shortSide, balancedShort, { street: prices.short, utility: importPrice }, 'pays'),
    ...deviationLines(longSide, balancedLong, { street: prices.long, utility: exportPrice }, 'receives'),
  ];
}

/** What is not allocated belongs to the home's own supply contract. */
function restLines({ bought, sold, imported, exported }: MemberPosition): StatementLine[] {
  const shown = { party: 'contract', price: pricePerKwh(0), amount: ZERO_NANO } as const;
  return [
    { ...shown, reason: 'unmatched_import', energy: excessWh(imported, bought) },
    { ...shown, reason: 'unmatched_export', energy: excessWh(exported, sold) },
  ];
}

function chargeLines(position: MemberPosition, prices: SettlementPrices): StatementLine[] {
  const { bought, imported, gridFee = pricePerKwh(0), penalised = ZERO_WH } = position;
  const penalty = prices.penalty ?? pricePerKwh(0);
  const taken = gridFee === 0 ? ZERO_WH : minWh(bought, imported);
  const missing = penalty === 0 ? ZERO_WH : penalised;
  return [
    { reason: 'grid_fee', party: 'grid', energy: taken, price: gridFee, amount: negate(gridFeeOf(position)) },
    {
      reason: 'penalty',
      party: 'community',
      energy: missing,
      price: penalty,
      amount: negate(penaltyOf(position, prices)),
    },
  ];
}

/** Running totals of one member over intervals, by reason and party. */
export interface Statement {
  readonly intervals: number;
  /** Of them settled with a substitute, because the reading was missing. */
  readonly substituted: number;
  /** Correcting entries that touch the member. */
  readonly corrections: number;
  /** What the member received less what it paid, nano-currency. */
  readonly balance: NanoTotal;
  readonly totals: ReadonlyMap<StatementKey, StatementTotal>;
}

export type StatementKey = `${StatementReason}/${StatementParty}`;

export interface StatementTotal {
  readonly energy: WhTotal;
  readonly amount: NanoTotal;
}

export const EMPTY_STATEMENT: Statement = {
  intervals: 0,
  substituted: 0,
  corrections: 0,
  balance: 0n as NanoTotal,
  totals: new Map(),
};

/** The statement after one more interval of its member. */
export function addToStatement(statement: Statement, position: MemberPosition, prices: SettlementPrices): Statement {
  const totals = new Map(statement.totals);
  let balance: bigint = statement.balance;
  for (const { reason, party, energy, amount } of statementLines(position, prices)) {
    addTo(totals, `${reason}/${party}`, BigInt(energy), BigInt(amount));
    balance += BigInt(amount);
  }
  const substituted = statement.substituted + (position.origin === 'substituted' ? 1 : 0);
  return { ...statement, intervals: statement.intervals + 1, substituted, balance: balance as NanoTotal, totals };
}

/** The statement after a correcting entry, of which only this member's part is on it. Energy: more export, less import. */
export function addEntryToStatement(statement: Statement, member: MemberId, entry: CorrectingEntry): Statement {
  const parts = entry.amounts.filter((each) => each.member === member);
  if (parts.length === 0 && entry.member !== member) return statement;
  const totals = new Map(statement.totals);
  const amount = parts.reduce((sum, part) => sum + part.amount, 0n);
  const energy = entry.member === member ? BigInt(entry.exported - entry.imported) : 0n;
  addTo(totals, 'correction/utility', energy, amount);
  const balance = (statement.balance + amount) as NanoTotal;
  return { ...statement, corrections: statement.corrections + 1, balance, totals };
}

/** The statement after a pay-out of the community account. */
export function addShareToStatement(statement: Statement, amount: NanoTotal): Statement {
  const totals = new Map(statement.totals);
  addTo(totals, 'community_share/community', 0n, amount);
  return { ...statement, balance: (statement.balance + amount) as NanoTotal, totals };
}

function addTo(totals: Map<StatementKey, StatementTotal>, key: StatementKey, energy: bigint, amount: bigint): void {
  const before = totals.get(key);
  totals.set(key, {
    energy: ((before?.energy ?? 0n) + energy) as WhTotal,
    amount: ((before?.amount ?? 0n) + amount) as NanoTotal,
  });
}

interface Deviation {
  readonly reason: StatementReason;
  readonly energy: Wh;
}

/** Each deviation's part of what was balanced, pro-rata, ties to the first; the rest is the utility's. */
function deviationLines(
  deviations: readonly Deviation[],
  balanced: Wh,
  prices: Record<'street' | 'utility', PricePerKwh>,
  direction: 'pays' | 'receives',
): StatementLine[] {
  const shares = shareByLargestRemainder(
    balanced,
    deviations.map(({ energy }) => energy),
  );
  return deviations.flatMap(({ reason, energy }, index) => {
    const inStreet = wh(shares[index] ?? 0);
    return [
      line(reason, 'street', inStreet, prices.street, direction),
      line(reason, 'utility', excessWh(energy, inStreet), prices.utility, direction),
    ];
  });
}

function line(
  reason: StatementReason,
  party: StatementParty,
  energy: Wh,
  price: PricePerKwh,
  direction: 'pays' | 'receives',
): StatementLine {
  const amount = amountOf(price, energy);
  return { reason, party, energy, price, amount: direction === 'pays' ? negate(amount) : amount };
}

/** Floored to the micro-currency toward minus infinity; of nothing it is zero. */
function meanPrice(amount: Nano, energy: Wh): PricePerKwh {
  return pricePerKwh(energy === 0 ? 0 : floorDivide(amount, energy));
}

function assertSum(lines: readonly StatementLine[], amount: NanoTotal): void {
  const sum = addExactly(lines.map(({ amount: part }) => part));
  assert(sum === amount, `statement lines sum to ${sum}, the member's amount is ${amount}`);
}
