import type { PriceBand } from '../units/tariff.ts';
import { clearMidMarket, type MeteredPosition, type PoolClearing } from './mid-market.ts';
import type { Rationing } from './order.ts';
import type { OrderBook } from './order-book.ts';
import type { Clearing } from './trade.ts';

export type MechanismName = 'call' | 'mid-market' | 'feed-in';

/** How a community shares energy: before delivery by orders, or after it by what was metered; one of the two is null. */
export interface Mechanism {
  readonly name: MechanismName;
  readonly atGate: ((book: OrderBook) => Clearing) | null;
  readonly afterDelivery: ((metered: readonly MeteredPosition[], band: PriceBand, tick: number) => PoolClearing) | null;
  /** Whether deviations meet each other inside the street. */
  readonly balancing: boolean;
}

/** Each with the rationing that communities have unless they choose another. */
export const MECHANISMS: Readonly<Record<MechanismName, Mechanism>> = {
  call: { name: 'call', atGate: (book) => book.closeGate('pro-rata'), afterDelivery: null, balancing: true },
  'mid-market': { name: 'mid-market', atGate: null, afterDelivery: clearMidMarket, balancing: true },
  'feed-in': { name: 'feed-in', atGate: null, afterDelivery: null, balancing: false },
};

/** The mechanism as a market's terms have it. Without a gate there is nothing to ration. */
export function mechanismOf({ mechanism, rationing }: { mechanism: MechanismName; rationing: Rationing }): Mechanism {
  const chosen = MECHANISMS[mechanism];
  return chosen.atGate === null ? chosen : { ...chosen, atGate: (book) => book.closeGate(rationing) };
}
