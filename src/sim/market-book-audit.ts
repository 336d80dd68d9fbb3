import type { EngineState, Product } from '../domain/engine/state.ts';
import type { Book, OrderState } from '../domain/market/book.ts';
import { fateCode, verdictCode } from '../domain/market/verdict.ts';
import { conservation } from '../domain/settlement/accounts.ts';

const ACCEPTED = verdictCode('accepted');
const OPEN = fateCode('open');
const BUY = 0;

/**
 * What is wrong with the books of a state, or null: everything that can be added up from the orders is added up anew.
 * Members keep their capability, and whether collateral is asked of them, as long as their orders are known.
 */
export function bookProblem(state: EngineState): string | null {
  for (const product of state.products.values()) {
    const problem = product.book === null ? null : productProblem(state, product, product.book);
    if (problem !== null) return `product ${product.start}: ${problem}`;
  }
  return reservationProblem(state) ?? conservationProblem(state);
}

function conservationProblem({ accounts }: EngineState): string | null {
  const { energyWh, money } = conservation(accounts);
  return energyWh === 0n && money === 0n ? null : `conservation is ${energyWh} Wh and ${money} nano`;
}

function productProblem(state: EngineState, product: Product, book: Book): string | null {
  const orders = ordersOf(book);
  return (
    orderProblem(orders) ??
    tradeProblem(book, orders) ??
    capabilityProblem(state, orders) ??
    crossingProblem(state, book, orders) ??
    (book.isClosed === (product.clearing !== null) ? null : 'the gate is closed and nothing was cleared')
  );
}

function ordersOf(book: Book): OrderState[] {
  return Array.from({ length: book.orderCount }, (_, position) => book.orderAt(position));
}

function orderProblem(orders: readonly OrderState[]): string | null {
  const names = new Set<string>();
  const sequences = new Set<number>();
  for (const order of orders) {
    const { answer, energy, open, filled, fate, sequence } = order;
    const name = nameOf(order.member, order.clientOrderId);
    if (names.has(name)) return `order ${name} is there twice`;
    if (sequences.has(sequence)) return `two orders have the sequence ${sequence}`;
    names.add(name);
    sequences.add(sequence);
    if (open < 0 || filled < 0 || (answer === ACCEPTED && open + filled > energy))
      return `order ${name} of ${energy} Wh has ${open} Wh open and ${filled} filled`;
    if (answer !== ACCEPTED && open + filled > 0) return `order ${name} was refused and lives`;
    if (open > 0 !== (answer === ACCEPTED && fate === OPEN))
      return `order ${name} has ${open} Wh open and fate ${fate}`;
  }
  return null;
}

function tradeProblem(book: Book, orders: readonly OrderState[]): string | null {
  const traded = new Map<string, number>();
  const add = (name: string, energy: number) => traded.set(name, (traded.get(name) ?? 0) + energy);
  for (let position = 0; position < book.tradeCount; position += 1) {
    const { buyer, buyOrder, seller, sellOrder, energy } = book.tradeAt(position);
    if (energy <= 0 || buyer === seller) return `trade ${position} of ${energy} Wh between ${buyer} and ${seller}`;
    add(nameOf(buyer, buyOrder), energy);
    add(nameOf(seller, sellOrder), energy);
  }
  const filled = [0, 0];
  for (const order of orders) {
    const name = nameOf(order.member, order.clientOrderId);
    if (order.filled !== (traded.get(name) ?? 0)) return `order ${name} is filled beside its trades`;
    traded.delete(name);
    filled[order.side] = (filled[order.side] ?? 0) + order.filled;
  }
  if (traded.size > 0) return `there are trades of orders that are not there: ${[...traded.keys()]}`;
  return filled[0] === filled[1] ? null : `${filled[0]} Wh were bought and ${filled[1]} sold`;
}

function capabilityProblem({ members }: EngineState, orders: readonly OrderState[]): string | null {
  const sold = new Map<number, number>();
  for (const { side, member, open, filled } of orders) {
    if (side !== BUY) sold.set(member, (sold.get(member) ?? 0) + open + filled);
  }
  for (const [member, energy] of sold) {
    if (energy > members.table.capability(member)) return `member ${member} sells ${energy} Wh, beyond its capability`;
  }
  return null;
}

/** A buyer's price is its limit without its grid fee, on the tick. */
function crossingProblem({ members }: EngineState, { rules }: Book, orders: readonly OrderState[]): string | null {
  if (rules.mechanism !== 'continuous') return null;
  let [bid, ask] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (const { side, member, limit } of orders.filter(({ open }) => open > 0)) {
    const fee = rules.fees[members.table.zone(member)] ?? 0;
    if (side === BUY) bid = Math.max(bid, Math.floor((limit - fee) / rules.tick) * rules.tick);
    else ask = Math.min(ask, limit);
  }
  return bid < ask ? null : `the book is crossed: a buy at ${bid} stands beside a sell at ${ask}`;
}

/** Orders hold what they may cost until their interval is settled. */
function reservationProblem({ products, members, completedUntil, terms }: EngineState): string | null {
  const held = members.ids.map(() => 0);
  for (const { start, book } of products.values()) {
    if (book === null || (completedUntil !== null && start < completedUntil)) continue;
    for (const { member, side, limit, open, filled } of ordersOf(book)) {
      const { importPrice, penalty } = book.rules;
      const perWh = side === BUY ? Math.max(0, limit) : Math.max(0, importPrice - limit) + penalty;
      held[member] = (held[member] ?? 0) + (open + filled) * perWh;
    }
  }
  for (const { id, collateral } of terms?.members ?? []) {
    const number = members.numberOf(id) ?? 0;
    const [reserved, expected] = [members.table.reserved(number), collateral === undefined ? 0 : held[number]];
    if (reserved !== expected) return `${id} has ${reserved} reserved, and its orders come to ${expected}`;
    if (collateral !== undefined && reserved > collateral) return `${id} has more reserved than its collateral`;
  }
  return null;
}

function nameOf(member: number, clientOrderId: number): string {
  return `${member}/${clientOrderId}`;
}
