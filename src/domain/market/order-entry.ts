import { assert } from '../units/assert.ts';
import { type Wh, wh } from '../units/energy.ts';
import type { MemberId } from '../units/identity.ts';
import { type PricePerKwh, pricePerKwh } from '../units/price.ts';
import type { Book, BookTrade, OrderState } from './book.ts';
import type { MemberDirectory } from './member-directory.ts';
import { type CancelVerdict, ORDER_FATES, ORDER_TYPES, type Order, type OrderVerdict, SIDES } from './order.ts';
import type { Clearing, CurveStep, OrderFill, Trade } from './trade.ts';
import { VERDICTS, type VerdictCode, type VerdictName, verdictCode } from './verdict.ts';

const ACCEPTED = verdictCode('accepted');
const EXISTS = verdictCode('exists');
const NOT_REPLACING = -1;

/** An order by names. `sequence`: its place in the journal, higher than that of any command before. */
export interface OrderEntry {
  readonly order: Omit<Order, 'market' | 'product'>;
  readonly sequence: number;
  readonly clockOffMs: number;
}

/** Decides an order in the book of its product, by names instead of numbers. The member has been admitted. */
export function submitOrder(book: Book, members: MemberDirectory, { order, sequence, clockOffMs }: OrderEntry) {
  const { member, clientOrderId, side, type, limit, energy, replaces = NOT_REPLACING } = order;
  const number = members.numberOf(member);
  assert(number !== undefined, `member ${member} was never admitted`);
  const [sideCode, typeCode] = [SIDES.indexOf(side), ORDER_TYPES.indexOf(type)];
  const code = book.place(number, clientOrderId, sideCode, typeCode, limit, energy, replaces, clockOffMs, sequence);
  return orderVerdict(book, code, { member: number, clientOrderId }, sequence);
}

/** The answer behind the number that `place` gave; a repeated order is told the sequence of the first. */
export function orderVerdict(
  book: Book,
  code: VerdictCode,
  key: { readonly member: number; readonly clientOrderId: number },
  sequence: number,
): OrderVerdict {
  if (code === ACCEPTED) return { ok: true, code: 'accepted', sequence };
  if (code !== EXISTS) return { ok: false, code: nameOf(code) } as OrderVerdict;
  return { ok: true, code: 'exists', sequence: book.find(key.member, key.clientOrderId)?.sequence ?? sequence };
}

/** Withdraws an order by its member's name; of a member that nobody admitted there is none. */
export function cancelOrder(
  book: Book,
  members: MemberDirectory,
  { member, clientOrderId }: Pick<Order, 'member' | 'clientOrderId'>,
  sequence: number,
): CancelVerdict {
  const number = members.numberOf(member);
  if (number === undefined) return { ok: false, code: 'unknown_order' };
  const code = book.cancel(number, clientOrderId, sequence);
  if (code === verdictCode('cancelled')) return { ok: true, code: 'cancelled', sequence };
  if (code !== EXISTS) return { ok: false, code: nameOf(code) } as CancelVerdict;
  return { ok: true, code: 'exists', sequence: book.find(number, clientOrderId)?.endedAt ?? sequence };
}

/** The trades that a book has made since it had `before` of them. */
export function tradesSince(book: Book, before: number, members: MemberDirectory): Trade[] {
  return Array.from({ length: book.tradeCount - before }, (_, at) => namedTrade(book.tradeAt(before + at), members));
}

/** The outcome of a closed book by names. Of a continuous one the price is the mean of its trades, weighted by energy. */
export function clearingOf(book: Book, members: MemberDirectory): Clearing {
  assert(book.isClosed, 'the gate is open');
  const accepted = acceptedOrders(book);
  const trades = tradesSince(book, 0, members);
  const standing = accepted.filter(isStanding);
  return {
    price: priceOf(book, trades),
    traded: wh(trades.reduce((sum, { energy }) => sum + energy, 0)),
    trades,
    fills: accepted.map((order) => fillOf(order, members)),
    demand: curveOf(standing, BUY).reverse(),
    supply: curveOf(standing, SELL),
    ...zonePrices(book),
  };
}

const CANCELLED = ORDER_FATES.indexOf('cancelled');
const REPLACED = ORDER_FATES.indexOf('replaced');
const BUY = SIDES.indexOf('buy');
const SELL = SIDES.indexOf('sell');

/** Accepted and neither withdrawn nor replaced, in the order of arrival; before the gate of a call these are sealed. */
export function standingOrders(book: Book): OrderState[] {
  return acceptedOrders(book).filter(isStanding);
}

function acceptedOrders(book: Book): OrderState[] {
  const orders = Array.from({ length: book.orderCount }, (_, position) => book.orderAt(position));
  return orders.filter(({ answer }) => answer === ACCEPTED);
}

function isStanding({ fate }: OrderState): boolean {
  return fate !== CANCELLED && fate !== REPLACED;
}

function namedTrade(trade: BookTrade, members: MemberDirectory): Trade {
  const { buyer, buyOrder, seller, sellOrder, energy, price, sellerPrice } = trade;
  const named = { buyer: memberAt(members, buyer), buyOrder, seller: memberAt(members, seller), sellOrder };
  const priced = { ...named, energy: wh(energy), price: pricePerKwh(price) };
  return price === sellerPrice ? priced : { ...priced, sellerPrice: pricePerKwh(sellerPrice) };
}

function fillOf({ member, clientOrderId, filled, fate }: OrderState, members: MemberDirectory): OrderFill {
  return {
    member: memberAt(members, member),
    clientOrderId,
    filled: wh(filled),
    fate: ORDER_FATES[fate] ?? 'no_trade',
  };
}

function priceOf(book: Book, trades: readonly Trade[]): PricePerKwh | null {
  const [first, ...others] = book.clearingPrices();
  if (book.rules.mechanism === 'call' && others.every((price) => price === first)) {
    return first === undefined || first === null ? null : pricePerKwh(first);
  }
  return meanPrice(trades, book.rules.tick);
}

/** Floored to the tick: it anchors imbalance prices and is shown; no trade is paid at it. */
function meanPrice(trades: readonly Trade[], tick: number): PricePerKwh | null {
  let [money, energy] = [0n, 0n];
  for (const trade of trades) {
    money += BigInt(trade.price) * BigInt(trade.energy);
    energy += BigInt(trade.energy);
  }
  if (energy === 0n) return null;
  const step = energy * BigInt(tick);
  const ticks = money / step - (money % step < 0n ? 1n : 0n);
  return pricePerKwh(Number(ticks) * tick);
}

function zonePrices(book: Book): Pick<Clearing, 'zonePrices'> {
  const prices = book.clearingPrices();
  return prices.length <= 1 ? {} : { zonePrices: prices.map((price) => (price === null ? null : pricePerKwh(price))) };
}

/** The Wh at each limit, the cheapest first. */
function curveOf(orders: readonly OrderState[], side: number): CurveStep[] {
  const byLimit = new Map<number, number>();
  for (const { limit, energy } of orders.filter((order) => order.side === side)) {
    byLimit.set(limit, (byLimit.get(limit) ?? 0) + energy);
  }
  const steps = [...byLimit].sort(([a], [b]) => a - b);
  return steps.map(([price, energy]) => ({ price: pricePerKwh(price), energy: energy as Wh }));
}

function nameOf(code: VerdictCode): VerdictName {
  const name = VERDICTS[code];
  assert(name !== undefined, `there is no answer ${code}`);
  return name;
}

function memberAt(members: MemberDirectory, number: number): MemberId {
  const id = members.idOf(number);
  assert(id !== undefined, `there is no member ${number}`);
  return id;
}
