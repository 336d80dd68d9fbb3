import type { Wh } from '../units/energy.ts';
import type { MemberId } from '../units/identity.ts';
import type { PricePerKwh } from '../units/price.ts';
import type { ClientOrderId, OrderFate } from './order.ts';

/** One match. Energy is positive; the buyer pays the seller price x energy. */
export interface Trade {
  readonly buyer: MemberId;
  readonly buyOrder: ClientOrderId;
  readonly seller: MemberId;
  readonly sellOrder: ClientOrderId;
  readonly energy: Wh;
  readonly price: PricePerKwh;
  /** Between zones with different prices: what the seller gets. Absent: the same. */
  readonly sellerPrice?: PricePerKwh;
}

/** What one order got: `filled` Wh of it, and why not more. */
export interface OrderFill {
  readonly member: MemberId;
  readonly clientOrderId: ClientOrderId;
  readonly filled: Wh;
  readonly fate: OrderFate;
}

/** One level of a demand or supply curve: the Wh at exactly this limit. */
export interface CurveStep {
  readonly price: PricePerKwh;
  readonly energy: Wh;
}

/** The outcome of a product. `price` is null where nothing traded. */
export interface Clearing {
  readonly price: PricePerKwh | null;
  /** By zone, where a market has several. */
  readonly zonePrices?: readonly (PricePerKwh | null)[];
  readonly traded: Wh;
  readonly trades: readonly Trade[];
  readonly fills: readonly OrderFill[];
  /** Buys from the dearest limit down, sells from the cheapest up. */
  readonly demand: readonly CurveStep[];
  readonly supply: readonly CurveStep[];
}
