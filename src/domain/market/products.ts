import { assert } from '../units/assert.ts';
import { type DeliveryInterval, type IntervalLengthMs, intervalAt, MINUTE_MS } from '../units/interval.ts';
import { type EpochMs, epochMs, plusMs } from '../units/time.ts';

/** When the products of a market open and close, in ms before their delivery starts. */
export interface ProductSchedule {
  readonly lengthMs: IntervalLengthMs;
  /** How long before delivery a product opens. */
  readonly lookAheadMs: number;
  /** How long before delivery its gate closes; less than the look-ahead. */
  readonly gateLeadMs: number;
}

export const DEFAULT_LOOK_AHEAD_MS = 240 * MINUTE_MS;
export const DEFAULT_GATE_LEAD_MS = 5 * MINUTE_MS;

/** The first instant at which the product takes orders: delivery start minus look-ahead. */
export function openingOf(product: EpochMs, schedule: ProductSchedule): EpochMs {
  return plusMs(product, -schedule.lookAheadMs);
}

/** The first instant at which the product takes no more orders. A product is named by its delivery start. */
export function gateClosureOf(product: EpochMs, schedule: ProductSchedule): EpochMs {
  return plusMs(product, -schedule.gateLeadMs);
}

/** Open in [delivery - look-ahead, delivery - gate lead). */
export function isProductOpen(product: EpochMs, now: EpochMs, schedule: ProductSchedule): boolean {
  return openingOf(product, schedule) <= now && now < gateClosureOf(product, schedule);
}

/** Every product that takes orders at `now`, the next to be delivered first. */
export function openProducts(now: EpochMs, schedule: ProductSchedule): DeliveryInterval[] {
  const { lengthMs, lookAheadMs, gateLeadMs } = schedule;
  assert(gateLeadMs >= 0 && lookAheadMs > gateLeadMs, 'a product must open before its gate closes');
  const products: DeliveryInterval[] = [];
  let start = intervalAt(plusMs(now, gateLeadMs), lengthMs).start + lengthMs;
  for (; start <= now + lookAheadMs; start += lengthMs) products.push({ start: epochMs(start), lengthMs });
  return products;
}

/**
 * What has to be opened at `now`, given the last product that was (`null`: none yet). After a pause, products whose
 * gate would have closed meanwhile are left out: nobody could have sent them an order.
 */
export function productsToOpen(
  now: EpochMs,
  schedule: ProductSchedule,
  lastOpened: EpochMs | null,
): DeliveryInterval[] {
  return openProducts(now, schedule).filter(({ start }) => lastOpened === null || start > lastOpened);
}
