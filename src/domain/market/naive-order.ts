import { assert } from '../units/assert.ts';
import type { BookTrade, MemberNumber, OrderState, Placement } from './book.ts';
import type { StandingOrder } from './naive-area-call.ts';
import { ORDER_TYPES, type OrderFate, type OrderRefusal, SIDES } from './order.ts';
import { fateCode, verdictCode } from './verdict.ts';

/** An order with all its history. `open` and `filled` in Wh. */
export interface NaiveOrder {
  readonly placement: Placement;
  readonly refusal: OrderRefusal | null;
  readonly sequence: number;
  /** Its place in the queue of its price: its sequence, or that of the order whose place it took. */
  readonly rank: number;
  readonly bookPrice: number;
  readonly zone: number;
  /** What it holds reserved, nano-currency per Wh. */
  readonly reservedPerWh: bigint;
  open: number;
  filled: number;
  endedAt: number;
  fate: OrderFate;
}

export function isSell(side: number): boolean {
  return SIDES[side] === 'sell';
}

export function isTaking(type: number): boolean {
  return ORDER_TYPES[type] === 'ioc' || ORDER_TYPES[type] === 'fok';
}

export function isOf(order: NaiveOrder, member: MemberNumber): boolean {
  return order.placement.member === member;
}

export function differing(first: Placement, again: Placement): OrderRefusal | null {
  const fields = ['side', 'type', 'limit', 'energy', 'replaces'] as const;
  const field = fields.find((name) => first[name] !== again[name]);
  return field === undefined ? null : `exists_with_different_${field}`;
}

export function sumOf(orders: readonly NaiveOrder[], of: (order: NaiveOrder) => bigint): bigint {
  return orders.reduce((sum, order) => sum + of(order), 0n);
}

export const openEnergy = (order: NaiveOrder): bigint => BigInt(order.open);
export const heldEnergy = (order: NaiveOrder): bigint => BigInt(order.open + order.filled);
export const openMoney = (order: NaiveOrder): bigint => openEnergy(order) * order.reservedPerWh;
export const heldMoney = (order: NaiveOrder): bigint => heldEnergy(order) * order.reservedPerWh;

export function fill(order: NaiveOrder, energy: number): void {
  assert(energy > 0 && energy <= order.open, `a fill of ${energy} Wh where ${order.open} are open`);
  order.open -= energy;
  order.filled += energy;
}

export function end(order: NaiveOrder, fate: OrderFate): void {
  order.open = 0;
  order.fate = fate;
}

export function partiesOf(
  { placement: buy }: NaiveOrder,
  { placement: sell }: NaiveOrder,
): Omit<BookTrade, 'energy' | 'price' | 'sellerPrice'> {
  return { buyer: buy.member, buyOrder: buy.clientOrderId, seller: sell.member, sellOrder: sell.clientOrderId };
}

export function stateOf(order: NaiveOrder): OrderState {
  const { placement, refusal, sequence, endedAt, filled, open, fate } = order;
  return {
    ...placement,
    answer: verdictCode(refusal ?? 'accepted'),
    sequence,
    endedAt,
    filled,
    open,
    fate: fateCode(fate),
  };
}

export function standingOrder(order: NaiveOrder, memberId: string): StandingOrder {
  const { placement, sequence, bookPrice, open, zone } = order;
  const { clientOrderId, side } = placement;
  return { memberId, clientOrderId, sequence, isBuy: !isSell(side), price: bookPrice, energy: open, zone };
}
