import type { WhTotal } from '../units/energy.ts';
import { amountOf, type NanoTotal } from '../units/money.ts';
import type { MemberPosition, SettlementPrices } from './interval-settlement.ts';
import { verifyDelivery } from './verify-delivery.ts';

/** What one member's intervals sum to since it joined. Wh. */
export interface MemberTotals {
  readonly bought: WhTotal;
  readonly sold: WhTotal;
  readonly imported: WhTotal;
  readonly exported: WhTotal;
  /** Sold and not delivered. */
  readonly shortfall: WhTotal;
  /** What the same readings would have cost at the utility's tariff alone, nano-currency; positive is paid. */
  readonly baseline: NanoTotal;
}

const NO_ENERGY = 0n as WhTotal;

export const NO_TOTALS: MemberTotals = {
  bought: NO_ENERGY,
  sold: NO_ENERGY,
  imported: NO_ENERGY,
  exported: NO_ENERGY,
  shortfall: NO_ENERGY,
  baseline: 0n as NanoTotal,
};

/** The totals after one more interval of the member. */
export function addToTotals(
  totals: MemberTotals,
  position: MemberPosition,
  { tariff }: SettlementPrices,
): MemberTotals {
  const { bought, sold, imported, exported } = position;
  const paid = BigInt(amountOf(tariff.importPrice, imported)) - BigInt(amountOf(tariff.exportPrice, exported));
  return {
    bought: plus(totals.bought, bought),
    sold: plus(totals.sold, sold),
    imported: plus(totals.imported, imported),
    exported: plus(totals.exported, exported),
    shortfall: plus(totals.shortfall, verifyDelivery(position).sale.missing),
    baseline: (totals.baseline + paid) as NanoTotal,
  };
}

function plus(sum: WhTotal, energy: number): WhTotal {
  return (sum + BigInt(energy)) as WhTotal;
}
