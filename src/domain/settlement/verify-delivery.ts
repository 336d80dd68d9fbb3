import { excessWh, minWh, type Wh } from '../units/energy.ts';
import type { MemberPosition } from './interval-settlement.ts';

/** One side of a member's trades against its meter. `delivered + missing = traded`. */
export interface SideDelivery {
  readonly traded: Wh;
  readonly delivered: Wh;
  readonly missing: Wh;
}

export interface Delivery {
  /** Sold, against the export register. */
  readonly sale: SideDelivery;
  /** Bought, against the import register. */
  readonly purchase: SideDelivery;
  /** `DELIVERY_FAILURE`: more than max(100 Wh, 10 %) of what was traded on a side is missing. */
  readonly code: 'DELIVERED' | 'DELIVERY_FAILURE';
}

const TOLERATED_WH = 100;
const TOLERATED_PERCENT = 10;

type Metered = Pick<MemberPosition, 'bought' | 'sold' | 'imported' | 'exported'>;

/** Compares what a member traded for an interval with what its two registers show. */
export function verifyDelivery({ bought, sold, imported, exported }: Metered): Delivery {
  const sale = compare(sold, exported);
  const purchase = compare(bought, imported);
  return { sale, purchase, code: failed(sale) || failed(purchase) ? 'DELIVERY_FAILURE' : 'DELIVERED' };
}

function compare(traded: Wh, metered: Wh): SideDelivery {
  return { traded, delivered: minWh(traded, metered), missing: excessWh(traded, metered) };
}

function failed({ traded, missing }: SideDelivery): boolean {
  return missing > TOLERATED_WH && missing * 100 > traded * TOLERATED_PERCENT;
}
