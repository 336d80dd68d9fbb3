import type { EnergyOrigin } from '../metering/meter-reading.ts';
import { excessWh, minWh, type Wh, ZERO_WH } from '../units/energy.ts';
import type { MemberPosition, ShortfallCause } from './interval-settlement.ts';

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

const NO_FAILURE = {};
const TOLERATED_WH = 100;
const TOLERATED_PERCENT = 10;

type Metered = Pick<MemberPosition, 'bought' | 'sold' | 'imported' | 'exported' | 'contracted'>;

/** Compares what a member traded for an interval, before any allocation, with what its two registers show. */
export function verifyDelivery({ bought, sold, imported, exported, contracted }: Metered): Delivery {
  const sale = compare(contracted?.sold ?? sold, exported);
  const purchase = compare(contracted?.bought ?? bought, imported);
  return { sale, purchase, code: failed(sale) || failed(purchase) ? 'DELIVERY_FAILURE' : 'DELIVERED' };
}

/**
 * What a failed delivery means for the position: its cause and, of a sale, the Wh that carry a penalty, which is all that
 * is missing. A missing reading proves nothing: whatever else is said, there is no penalty before the registers show
 * what was delivered, and then the correction of that interval carries it.
 */
export function failureOf(
  position: Metered,
  origin: EnergyOrigin,
  stated: ShortfallCause = 'member',
): Pick<MemberPosition, 'cause' | 'penalised'> {
  const { sale, code } = verifyDelivery(position);
  if (code === 'DELIVERED') return NO_FAILURE;
  const cause = origin === 'substituted' && stated === 'member' ? 'reading_missing' : stated;
  const penalised = cause === 'member' && failed(sale) ? sale.missing : ZERO_WH;
  return penalised > 0 ? { cause, penalised } : { cause };
}

function compare(traded: Wh, metered: Wh): SideDelivery {
  return { traded, delivered: minWh(traded, metered), missing: excessWh(traded, metered) };
}

function failed({ traded, missing }: SideDelivery): boolean {
  return missing > TOLERATED_WH && missing * 100 > traded * TOLERATED_PERCENT;
}
