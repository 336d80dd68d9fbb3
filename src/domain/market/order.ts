import type { Wh } from '../units/energy.ts';
import type { MarketId, MemberId } from '../units/identity.ts';
import type { PricePerKwh } from '../units/price.ts';
import type { EpochMs } from '../units/time.ts';

/** Their places are their numbers, in the journal and in the signed content: append only. */
export const SIDES = ['buy', 'sell'] as const;
export type Side = (typeof SIDES)[number];

/**
 * `limit` rests until the gate. `market` accepts any price up to its limit, which is then the edge of the band, and never
 * rests in a continuous book. `ioc` (immediate or cancel) takes what is there; `fok` (fill or kill) takes all or nothing.
 */
export const ORDER_TYPES = ['limit', 'market', 'ioc', 'fok'] as const;
export type OrderType = (typeof ORDER_TYPES)[number];

/** A member's choice, unique per market, product and member: an unsigned 32-bit number. */
export type ClientOrderId = number;

/** Names one order for ever: the key under which its first answer is kept. A product is named by its delivery start. */
export interface OrderKey {
  readonly market: MarketId;
  readonly product: EpochMs;
  readonly member: MemberId;
  readonly clientOrderId: ClientOrderId;
}

/** A verified order. `limit` is all-in; a market order carries the band edge it accepts. `energy` > 0, whole Wh. */
export interface Order extends OrderKey {
  readonly side: Side;
  readonly type: OrderType;
  readonly limit: PricePerKwh;
  readonly energy: Wh;
  /** The open order of the same member and side that this one takes the place of; absent: none. Continuous books only. */
  readonly replaces?: ClientOrderId | undefined;
}

/** An accepted order and its place in the total order: the engine's journal sequence, never a client's clock. */
export interface RestingOrder extends Order {
  readonly sequence: number;
}

/** Why an order was not accepted, in the order in which the checks are made: the first that holds is the answer. */
export const ORDER_REFUSALS = [
  'unknown_market',
  'unknown_member',
  'unknown_product',
  'mechanism_takes_no_orders',
  'tariff_inverted',
  'exists_with_different_side',
  'exists_with_different_type',
  'exists_with_different_limit',
  'exists_with_different_energy',
  'exists_with_different_replaces',
  'gate_closed',
  'market_halted',
  'member_halted',
  'price_mismatch',
  'order_type_not_in_call',
  'energy_not_positive',
  'energy_too_large',
  'tick_size',
  'outside_band',
  'replaced_unknown',
  'replaced_not_open',
  'replaced_other_side',
  'self_cross',
  'exceeds_capability',
  'exceeds_collateral',
] as const;

export type OrderRefusal = (typeof ORDER_REFUSALS)[number];

/** The answer to an order. `exists` repeats the first answer to the same content: nothing happened a second time. */
export type OrderVerdict =
  | { readonly ok: true; readonly code: 'accepted' | 'exists'; readonly sequence: number }
  | { readonly ok: false; readonly code: OrderRefusal };

/**
 * What became of an order when its product was cleared, or before. Call: `filled`, `partly_filled`, `rationed_out`,
 * `price_not_reached`, `no_trade` (the curves do not meet). Continuous: `filled`; `expired` (the rest stood until the
 * gate), `lapsed` (the rest of a market or ioc order found no counterpart), `killed` (a fok order that could not be
 * filled whole), `replaced`. Both: `cancelled`.
 */
export const ORDER_FATES = [
  'open',
  'filled',
  'partly_filled',
  'rationed_out',
  'price_not_reached',
  'no_trade',
  'cancelled',
  'expired',
  'lapsed',
  'killed',
  'replaced',
] as const;

export type OrderFate = (typeof ORDER_FATES)[number];

/** The answer to a withdrawal. `exists`: it was withdrawn before. `not_open`: refused, filled, or otherwise ended. */
export type CancelVerdict =
  | { readonly ok: true; readonly code: 'cancelled' | 'exists'; readonly sequence: number }
  | { readonly ok: false; readonly code: 'unknown_order' | 'not_open' | 'gate_closed' };

/** How the partly filled limit level of the long side is shared. Time is the journal sequence. */
export type Rationing = 'pro-rata' | 'price-time';

/** A member whose clock is further off than this places no new orders. */
export const MAX_CLOCK_OFFSET_MS = 50;
