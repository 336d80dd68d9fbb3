import { assert } from '../units/assert.ts';
import { shareByLargestRemainder } from '../units/division.ts';
import { excessWh, type Wh, type WhTotal, wh } from '../units/energy.ts';
import { amountOf, type Nano, type NanoTotal, negate } from '../units/money.ts';
import type { PricePerKwh } from '../units/price.ts';
import type { MemberPosition, SettlementPrices } from './interval-settlement.ts';
import { memberAmount } from './single-supply.ts';

/**
 * Why energy is on a statement. Trades; what was never traded (`unmatched`); what was traded and not delivered
 * (`imbalance`): sold and not exported (`shortfall`), bought and not taken (`overbought`).
 */
export const STATEMENT_REASONS = [
  'bought',
  'sold',
  'unmatched_import',
  'unmatched_export',
  'imbalance_shortfall',
  'imbalance_overbought',
] as const;

export type StatementReason = (typeof STATEMENT_REASONS)[number];

/** trade: at the local price. street: balanced among neighbours at an imbalance price. utility: at the tariff. */
export type StatementParty = 'trade' | 'street' | 'utility';

/** Energy is positive; amount is positive where the member receives it. */
export interface StatementLine {
  readonly reason: StatementReason;
  readonly party: StatementParty;
  readonly energy: Wh;
  readonly price: PricePerKwh;
  readonly amount: Nano;
}

/** The lines of one member and interval, those with energy only. They sum to the member's amount. */
export function statementLines(position: MemberPosition, prices: SettlementPrices): StatementLine[] {
  const { bought, sold, imported, exported, balancedLong, balancedShort } = position;
  const { local, tariff } = prices;
  const shortSide: Deviation[] = [
    { reason: 'unmatched_import', energy: excessWh(imported, bought) },
    { reason: 'imbalance_shortfall', energy: excessWh(sold, exported) },
  ];
  const longSide: Deviation[] = [
    { reason: 'unmatched_export', energy: excessWh(exported, sold) },
    { reason: 'imbalance_overbought', energy: excessWh(bought, imported) },
  ];
  const lines = [
    line('bought', 'trade', bought, local, 'pays'),
    line('sold', 'trade', sold, local, 'receives'),
    ...deviationLines(shortSide, balancedShort, { street: prices.short, utility: tariff.importPrice }, 'pays'),
    ...deviationLines(longSide, balancedLong, { street: prices.long, utility: tariff.exportPrice }, 'receives'),
  ].filter(({ energy }) => energy > 0);
  assertSum(lines, memberAmount(position, prices));
  return lines;
}

/** Running totals of one member over intervals, by reason and party. */
export interface Statement {
  readonly intervals: number;
  /** Of them settled with a substitute, because the reading was missing. */
  readonly substituted: number;
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
  balance: 0n as NanoTotal,
  totals: new Map(),
};

/** The statement after one more interval of its member. */
export function addToStatement(statement: Statement, position: MemberPosition, prices: SettlementPrices): Statement {
  const totals = new Map(statement.totals);
  let balance: bigint = statement.balance;
  for (const { reason, party, energy, amount } of statementLines(position, prices)) {
    const key: StatementKey = `${reason}/${party}`;
    const before = totals.get(key);
    totals.set(key, {
      energy: ((before?.energy ?? 0n) + BigInt(energy)) as WhTotal,
      amount: ((before?.amount ?? 0n) + BigInt(amount)) as NanoTotal,
    });
    balance += BigInt(amount);
  }
  const substituted = statement.substituted + (position.origin === 'substituted' ? 1 : 0);
  return { intervals: statement.intervals + 1, substituted, balance: balance as NanoTotal, totals };
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

function assertSum(lines: readonly StatementLine[], amount: Nano): void {
  const sum = lines.reduce<number>((total, { amount: part }) => total + part, 0);
  assert(sum === amount, `statement lines sum to ${sum}, the member's amount is ${amount}`);
}
