import { rowOf } from '../interval-cycle.ts';
import { MECHANISMS } from '../market/mechanism.ts';
import type { OrderRefusal } from '../market/order.ts';
import { cancelOrder, tradesSince } from '../market/order-entry.ts';
import { ProductBook } from '../market/product-book.ts';
import { openingOf } from '../market/products.ts';
import { assert } from '../units/assert.ts';
import { energyOf } from '../units/power.ts';
import { priceBand, type Tariff } from '../units/tariff.ts';
import type { EpochMs } from '../units/time.ts';
import type { CancelCommand, HaltCommand, MarketTerms, MemberTerms, OrderCommand } from './command.ts';
import type { EngineEvent } from './event.ts';
import { productRules, takesOrders } from './product-rules.ts';
import { type EngineState, type Product, termsOf } from './state.ts';

const { step: acceptOrder } = rowOf('accept order');
const { step: matchAndClear } = rowOf('match and clear');

/**
 * The terms change what members may do from here on; products that are open keep their rules. A member keeps the zone
 * that it was admitted in: homes do not move.
 */
export function changeTerms(state: EngineState, terms: MarketTerms): EngineEvent[] {
  state.terms = terms;
  for (const { id } of terms.zones ?? []) if (!state.zones.includes(id)) state.zones.push(id);
  state.current.clear();
  const leaders = new Map<string, number>();
  for (const member of terms.members) state.current.add(admit(state, terms, member, leaders));
  return [{ type: 'terms_changed' }];
}

/** `leaders`: of each owner the first member. */
function admit(state: EngineState, terms: MarketTerms, member: MemberTerms, leaders: Map<string, number>): number {
  const { id, owner, zone, exportCapability, collateral = null } = member;
  const known = state.members.numberOf(id);
  const place = known === undefined ? placeOf(state, zone) : state.members.table.zone(known);
  const leader = owner === undefined ? undefined : leaders.get(owner);
  const rules = { capability: energyOf(exportCapability, terms.lengthMs), collateral, zone: place };
  const number = state.members.admit(id, leader === undefined ? rules : { ...rules, group: leader });
  if (owner !== undefined && leader === undefined) leaders.set(owner, number);
  return number;
}

function placeOf({ zones }: EngineState, zone: string | undefined): number {
  return zone === undefined ? 0 : Math.max(0, zones.indexOf(zone));
}

export function openProduct(state: EngineState, start: EpochMs, tariff: Tariff): EngineEvent[] {
  const terms = termsOf(state);
  assert(!state.products.has(start), `product ${start} was opened before`);
  assert(openingOf(start, terms) <= state.now, `product ${start} opens too early`);
  const band = priceBand(tariff, terms.tick);
  const rules = band === 'tariff_inverted' ? null : productRules(state, terms, { start, tariff, band });
  const book = rules === null ? null : new ProductBook(rules, state.members.table);
  state.products.set(start, { start, mechanism: terms.mechanism, tariff, band, book, clearing: null });
  state.lastOpened = start;
  return [{ type: 'opened', product: start, tariff, band }];
}

export function answerOrder(state: EngineState, command: OrderCommand): EngineEvent[] {
  const { product, member, clientOrderId } = command;
  const answered = { type: 'answered', kind: 'order', product, member, clientOrderId } as const;
  const refusal = refusalBeforeBook(state, product, state.members.numberOf(member));
  if (refusal !== null) return [{ ...answered, verdict: { ok: false, code: refusal } }];
  const book = state.products.get(product)?.book;
  assert(book !== undefined && book !== null, 'there is a book, or it would have been refused');
  const { side, orderType: type, limit, energy, replaces, clockOffMs } = command;
  const order = { member, clientOrderId, side, type, limit, energy, ...(replaces === undefined ? {} : { replaces }) };
  const before = book.tradeCount;
  const entry = { order, sequence: state.sequence, clockOffMs, members: state.members };
  const { outputs: verdict } = acceptOrder(book, entry);
  const trades = book.isClosed ? [] : tradesSince(book, before, state.members);
  const answer: EngineEvent = { ...answered, verdict };
  return trades.length === 0 ? [answer] : [answer, { type: 'traded', product, trades }];
}

/** Why an order does not reach a book. The key is not taken. A zone that is newer than a product has no part in it. */
export function refusalBeforeBook(
  state: EngineState,
  product: EpochMs,
  member: number | undefined,
): OrderRefusal | null {
  if (member === undefined || !state.current.has(member)) return 'unknown_member';
  const open = state.products.get(product);
  if (open === undefined) return 'unknown_product';
  if (open.book === null) return noBookOf(open, termsOf(state));
  return state.members.table.zone(member) < open.book.rules.fees.length ? null : 'unknown_product';
}

function noBookOf({ band }: Product, { mechanism }: MarketTerms): OrderRefusal {
  return takesOrders(mechanism) && band === 'tariff_inverted' ? 'tariff_inverted' : 'mechanism_takes_no_orders';
}

export function answerCancel(state: EngineState, command: CancelCommand): EngineEvent[] {
  const { product, member, clientOrderId } = command;
  const answered = { type: 'answered', kind: 'cancel', product, member, clientOrderId } as const;
  const book = state.products.get(product)?.book;
  if (book === undefined || book === null) return [{ ...answered, verdict: { ok: false, code: 'unknown_order' } }];
  return [{ ...answered, verdict: cancelOrder(book, state.members, command, state.sequence) }];
}

export function halt({ members }: EngineState, { type, member }: HaltCommand): EngineEvent[] {
  const halted = type === 'halt';
  if (member === null) members.table.haltMarket(halted);
  else {
    const number = members.numberOf(member);
    if (number !== undefined) members.table.halt(number, halted);
  }
  return [{ type: 'halted', member, halted }];
}

export function closeGate(state: EngineState, start: EpochMs): EngineEvent[] {
  const product = state.products.get(start);
  assert(product !== undefined, `no product ${start} to close`);
  if (product.book === null) return [];
  const input = { mechanism: MECHANISMS[product.mechanism], members: state.members };
  const { outputs: clearing } = matchAndClear(product.book, input);
  if (clearing === null) return [];
  product.clearing = clearing;
  return [{ type: 'cleared', product: start, clearing }];
}
