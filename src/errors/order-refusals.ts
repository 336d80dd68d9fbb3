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
  exists_with_different_replaces: {
    meaning: 'The member has already used this client order id for this product, to replace another order or none.',
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
    meaning: 'The call auction takes limit and market orders only, and nothing that replaces another order.',
    remedy: 'Send a limit order; withdraw the old one first where it shall be another.',
  },
  energy_not_positive: {
    meaning: 'The energy of the order is zero or negative.',
    remedy: 'Name a positive number of whole watt-hours; the side says in which direction.',
  },
  energy_too_large: {
    meaning: 'The order is larger than one may be (4,194,303 Wh), or than what its side of the product has room for.',
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
  replaced_unknown: {
    meaning: 'The order that it shall replace was never accepted.',
    remedy: 'Send it without `replaces`.',
  },
  replaced_not_open: {
    meaning: 'The order that it shall replace is filled, withdrawn or replaced already.',
    remedy: 'Ask what became of the first order, then send what is still wanted as a new one.',
  },
  replaced_other_side: {
    meaning: 'The order that it shall replace stands on the other side.',
    remedy: 'Withdraw the other order, then send this one without `replaces`.',
  },
  self_cross: {
    meaning: 'The order would trade with another order of the same member, or of a member with the same owner.',
    remedy: 'Withdraw the other order first.',
  },
  exceeds_capability: {
    meaning: 'With what the member has already offered, the order is more than its devices can deliver.',
    remedy: 'Offer less, or have the operator correct the capability of the devices.',
  },
  exceeds_collateral: {
    meaning: 'With what its other orders hold reserved, the order could cost the member more than its collateral.',
    remedy: 'Trade less, wait until delivered intervals are settled, or deposit more.',
  },
};

/** What the doors say before an order is decided. Nothing of it is remembered: the key is not taken. */
export const DOOR_REFUSAL_NOTES: Readonly<Record<string, RefusalNote>> = {
  rate_limited: {
    meaning: 'The member has sent more than its share; its signature was not looked at.',
    remedy: 'Send it again after the pause that the answer names; gather orders in a batch.',
  },
  queue_full: {
    meaning: 'As many orders wait for their answer as may, of this member or of all.',
    remedy: 'Send it again after the pause that the answer names.',
  },
  bad_signature: {
    meaning: 'The signature is not that of the member for exactly this content. Nobody is told whether the key exists.',
    remedy: 'Check the key of the gateway, the chain id and the market that it signs for.',
  },
  disk_full: {
    meaning: 'The order was verified and could not be journaled: the disk of the engine is full (`DISK_FULL`).',
    remedy: 'Send it again later; the operator frees space. Withdrawals are still taken.',
  },
};
