import type { PricePerKwh } from '../units/price.ts';
import type { PriceBand } from '../units/tariff.ts';
import type { Book } from './book.ts';
import { clearFixedPrice, middleOf } from './fixed-price.ts';
import type { MemberDirectory } from './member-directory.ts';
import { clearMidMarket, type MeteredPosition, type PoolClearing } from './mid-market.ts';
import { clearingOf } from './order-entry.ts';
import type { Clearing } from './trade.ts';

export type MechanismName = 'call' | 'continuous' | 'mid-market' | 'fixed' | 'feed-in';

/** How a community shares energy: before delivery by orders, or after it by what was metered; one of the two is null. */
export interface Mechanism {
  readonly name: MechanismName;
  readonly atGate: ((book: Book, members: MemberDirectory) => Clearing) | null;
  readonly afterDelivery: ((metered: readonly MeteredPosition[], band: PriceBand, tick: number) => PoolClearing) | null;
  /** Whether deviations meet each other inside the street. */
  readonly balancing: boolean;
}

export const MECHANISMS: Readonly<Record<MechanismName, Mechanism>> = {
  call: { name: 'call', atGate: closeAndClear, afterDelivery: null, balancing: true },
  continuous: { name: 'continuous', atGate: closeAndClear, afterDelivery: null, balancing: true },
  'mid-market': { name: 'mid-market', atGate: null, afterDelivery: clearMidMarket, balancing: true },
  fixed: { name: 'fixed', atGate: null, afterDelivery: clearAtTheMiddle, balancing: true },
  'feed-in': { name: 'feed-in', atGate: null, afterDelivery: null, balancing: false },
};

/** A call clears here; a continuous book has traded before, and only what still stands expires. */
function closeAndClear(book: Book, members: MemberDirectory): Clearing {
  book.closeGate();
  return clearingOf(book, members);
}

/** The mechanism as a community's terms have it. `fixedPrice`: only of `fixed`, micro-currency per kWh. */
export function mechanismOf(terms: {
  readonly mechanism: MechanismName;
  readonly fixedPrice?: PricePerKwh;
}): Mechanism {
  const { mechanism, fixedPrice } = terms;
  if (mechanism !== 'fixed' || fixedPrice === undefined) return MECHANISMS[mechanism];
  return {
    ...MECHANISMS.fixed,
    afterDelivery: (metered, band, tick) => clearFixedPrice(metered, band, tick, fixedPrice),
  };
}

/** Where no price is fixed. */
function clearAtTheMiddle(metered: readonly MeteredPosition[], band: PriceBand, tick: number): PoolClearing {
  return clearFixedPrice(metered, band, tick, middleOf(band, tick));
}
