import type { OrderType, Side } from '../market/order.ts';
import { MAX_ORDER_WH, type Wh, wh } from '../units/energy.ts';
import { ceilToTick, floorToTick, type PricePerKwh } from '../units/price.ts';
import type { PriceBand } from '../units/tariff.ts';

/** What an agent wants to put on the market for one product. */
export interface PlannedOrder {
  readonly side: Side;
  readonly type: OrderType;
  readonly limit: PricePerKwh;
  readonly energy: Wh;
}

/** A member's own limits. Outside the band they move to its edge, or keep the member out of the market. */
export interface PricePreference {
  readonly sellAtLeast?: PricePerKwh;
  readonly buyAtMost?: PricePerKwh;
}

export interface Plan {
  /** What the home expects to export without a trade, and what its battery offers on top. */
  readonly surplus: Wh;
  readonly deficit: Wh;
}

/**
 * The rule agent: the whole forecast surplus at the export edge, the whole forecast deficit at the import
 * edge, or at the member's own limits. No order where there is nothing to trade.
 */
export function ruleOrders(plan: Plan, band: PriceBand, tick: number, preference: PricePreference): PlannedOrder[] {
  const orders: PlannedOrder[] = [];
  const sellAt = Math.max(band.lowest, ceilToTick(preference.sellAtLeast ?? band.lowest, tick));
  const buyAt = Math.min(band.highest, floorToTick(preference.buyAtMost ?? band.highest, tick));
  if (plan.surplus > 0 && sellAt <= band.highest) orders.push(order('sell', sellAt, plan.surplus));
  if (plan.deficit > 0 && buyAt >= band.lowest) orders.push(order('buy', buyAt, plan.deficit));
  return orders;
}

function order(side: Side, limit: number, energy: Wh): PlannedOrder {
  return { side, type: 'limit', limit: limit as PricePerKwh, energy: wh(Math.min(energy, MAX_ORDER_WH)) };
}
