import { assert } from '../units/assert.ts';
import type { NanoTotal } from '../units/money.ts';
import { STATEMENT_REASONS, type Statement, type StatementReason } from './statement.ts';

/** A member's bill in its parts, nano-currency: positive is received, the parts sum to `total`. */
export interface Bill {
  readonly trades: NanoTotal;
  /** Unmatched and imbalance, and what was corrected of it. */
  readonly deviation: NanoTotal;
  readonly gridFee: NanoTotal;
  readonly penalties: NanoTotal;
  readonly communityShare: NanoTotal;
  readonly total: NanoTotal;
}

const PART_OF: Readonly<Record<StatementReason, Exclude<keyof Bill, 'total'>>> = {
  bought: 'trades',
  sold: 'trades',
  unmatched_import: 'deviation',
  unmatched_export: 'deviation',
  imbalance_shortfall: 'deviation',
  imbalance_overbought: 'deviation',
  grid_fee: 'gridFee',
  penalty: 'penalties',
  correction: 'deviation',
  community_share: 'communityShare',
};

/** bill = trades + deviation + grid fee + penalties + community share. */
export function billOf({ totals, balance }: Statement): Bill {
  const parts = { trades: 0n, deviation: 0n, gridFee: 0n, penalties: 0n, communityShare: 0n };
  for (const reason of STATEMENT_REASONS) {
    for (const [key, { amount }] of totals) if (key.startsWith(`${reason}/`)) parts[PART_OF[reason]] += amount;
  }
  const sum = Object.values(parts).reduce((a, b) => a + b, 0n);
  assert(sum === balance, `the parts of a bill sum to ${sum}, its balance is ${balance}`);
  return { ...parts, total: balance } as Bill;
}
