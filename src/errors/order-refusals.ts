import type { OrderRefusal } from '../domain/market/order.ts';

/** What a refusal tells the member and what the member can do about it, one sentence each. */
export interface RefusalNote {
  readonly meaning: string;
  readonly remedy: string;
}

/** Every refusal of an order. `docs/reference/errors.md` lists the same, in the order of the checks. */
export const ORDER_REFUSAL_NOTES: Readonly<Record<OrderRefusal, RefusalNote>> = {
  unknown_market: {
    meaning: 'This engine does not run that market.',
    remedy: 'Check the market in the configuration of the gateway.',
  },
  unknown_member: {
    meaning: 'The market has no member of that name.',
    remedy: 'Check the member in the configuration of the gateway, or have the operator admit it.',
  },
  unknown_product: {
    meaning: 'No product with that delivery start has been opened.',
    remedy: 'Name the start of a delivery interval between the look-ahead and the gate closure.',
  },
  mechanism_takes_no_orders: {
    meaning: 'The market shares energy by a rule after delivery; there is nothing to bid on.',
    remedy: 'Send no orders: the gateway only publishes its readings.',
  },
  tariff_inverted: {
    meaning:
      'In that interval the retail tariff is not above the feed-in tariff: nobody gains by trading, so no book is open.',
    remedy: 'Nothing: the interval is settled at the tariff. The operator checks that the two prices are not swapped.',
  },
  exists_with_different_side: {
    meaning: 'The member has already used this client order id for this product, on the other side.',
    remedy: 'Give a new order a new client order id; the first one stands.',
  },
  exists_with_different_type: {
    meaning: 'The member has already used this client order id for this product, with another order type.',
    remedy: 'Give a new order a new client order id; the first one stands.',
  },
  exists_with_different_limit: {
    meaning: 'The member has already used this client order id for this product, with another limit.',
    remedy: 'Give a new order a new client order id; the first one stands.',
  },
  exists_with_different_energy: {
    meaning: 'The member has already used this client order id for this product, with another energy.',
    remedy: 'Give a new order a new client order id; the first one stands.',
  },
  gate_closed: {
    meaning: 'The gate of the product closed before the order arrived.',
    remedy: 'Send it for the next product; check the link if it was sent in time.',
  },
  market_halted: {
    meaning: 'The operator has halted the market.',
    remedy: 'Wait for the operator; the home is supplied by the utility meanwhile.',
  },
  member_halted: {
    meaning: 'The operator has halted this member.',
    remedy: 'Ask the operator why; the home is supplied by the utility meanwhile.',
  },
  price_mismatch: {
    meaning: 'The clock of the member is more than 50 ms off (`PRICE_MISMATCH`).',
    remedy: 'Check that chrony or ntp runs on the gateway and has a source.',
  },
  order_type_not_in_call: {
    meaning: 'The call auction takes limit and market orders only.',
    remedy: 'Send a limit order.',
  },
  energy_not_positive: {
    meaning: 'The energy of the order is zero or negative.',
    remedy: 'Name a positive number of whole watt-hours; the side says in which direction.',
  },
  energy_too_large: {
    meaning: 'The order is larger than a single order may be (4,194,303 Wh).',
    remedy: 'Check the unit: orders are in watt-hours.',
  },
  tick_size: {
    meaning: 'The limit is not a multiple of the tick of the market.',
    remedy: 'Round the limit to the tick: a buyer down, a seller up.',
  },
  outside_band: {
    meaning: 'The limit lies outside the feed-in and the retail tariff of that interval.',
    remedy: 'Use the tariff that the engine publishes for the product.',
  },
  self_cross: {
    meaning: 'The order would trade with another order of the same member.',
    remedy: 'Withdraw the other order first.',
  },
  exceeds_capability: {
    meaning: 'With what the member has already offered, the order is more than its devices can deliver.',
    remedy: 'Offer less, or have the operator correct the capability of the devices.',
  },
};
