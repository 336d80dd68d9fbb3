import type { WhyView } from '../../adapters/http/api-schema.ts';
import type { Product } from '../../domain/engine/state.ts';
import type { MemberNumber, OrderState } from '../../domain/market/book.ts';
import { ORDER_FATES, type OrderFate, type Rationing, SIDES } from '../../domain/market/order.ts';
import { standingOrders } from '../../domain/market/order-entry.ts';
import type { ProductBook } from '../../domain/market/product-book.ts';
import { VERDICTS, verdictCode } from '../../domain/market/verdict.ts';
import { formatPrice, pricePerKwh } from '../../domain/units/price.ts';
import { clearingView, MEMBERS_PER_STEP } from './curve-view.ts';

interface Asker {
  readonly id: string;
  readonly number: MemberNumber;
}

/** Why a product has its price, and of the orders of one member what became of them. Null before its gate. */
export function whyView(product: Product, asker: Asker | null): WhyView | null {
  const { book } = product;
  const clearing = clearingView(product);
  if (clearing === null || book === null) return null;
  const { interval, pricePerKwh: price, tradedWh, demand, supply, why } = clearing;
  const orders = asker === null ? [] : ownOrders(book, asker.number, price);
  return {
    ...{ interval, member: asker?.id ?? null, pricePerKwh: price, tradedWh, demand, supply },
    shared: sharedLevels(book, asker?.number ?? null),
    orders,
    why: asker === null ? why : ownWhy(asker.id, orders, price),
  };
}

const ACCEPTED = verdictCode('accepted');
const SHARED: ReadonlySet<OrderFate> = new Set(['partly_filled', 'rationed_out']);

/** A level stays closed to whoever has no order at it, unless so many stand there that nobody's can be read off it. */
function sharedLevels(book: ProductBook, asker: MemberNumber | null): WhyView['shared'] {
  const levels = Map.groupBy(standingOrders(book), ({ side, limit }) => `${side} ${limit}`);
  return [...levels.values()].flatMap((orders) => {
    const [first] = orders;
    if (first === undefined || !orders.some((order) => SHARED.has(fateOf(order)))) return [];
    const members = new Set(orders.map(({ member }) => member));
    const isPublic = members.size >= MEMBERS_PER_STEP;
    const isSeen = isPublic || (asker !== null && members.has(asker));
    const sum = (pick: (order: OrderState) => number) => orders.reduce((total, order) => total + pick(order), 0);
    return [
      {
        side: sideOf(first),
        pricePerKwh: isSeen ? formatPrice(pricePerKwh(first.limit)) : null,
        energyWh: isPublic ? sum(({ energy }) => energy) : null,
        filledWh: isPublic ? sum(({ filled }) => filled) : null,
      },
    ];
  });
}

function ownOrders(book: ProductBook, asker: MemberNumber, price: string | null): WhyView['orders'] {
  const all = Array.from({ length: book.orderCount }, (_, position) => book.orderAt(position));
  return all
    .filter(({ member }) => member === asker)
    .map((order) => ({
      clientOrderId: order.clientOrderId,
      side: sideOf(order),
      limitPerKwh: formatPrice(pricePerKwh(order.limit)),
      energyWh: order.energy,
      filledWh: order.filled,
      ...(order.answer === ACCEPTED ? outcomeOf(order, book.rules.rationing, price) : refusalOf(order)),
    }));
}

function refusalOf({ answer }: OrderState): { readonly code: string; readonly reason: string } {
  const code = VERDICTS[answer] ?? 'unknown_order';
  return { code, reason: `it was refused: ${code}` };
}

function outcomeOf(order: OrderState, rationing: Rationing, price: string | null) {
  const code = fateOf(order);
  return { code, reason: REASONS[code]({ order, limit: formatPrice(pricePerKwh(order.limit)), rationing, price }) };
}

interface Case {
  readonly order: OrderState;
  readonly limit: string;
  readonly rationing: Rationing;
  readonly price: string | null;
}

const REASONS: Readonly<Record<OrderFate, (of: Case) => string>> = {
  open: () => 'it still stands',
  filled: ({ price }) => (price === null ? 'it was filled' : `it was filled at ${price} per kWh`),
  partly_filled: ({ order, limit, rationing }) =>
    `its limit of ${limit} is the level at which there was not enough for all, shared ${manner(rationing)}: ${order.filled} of ${order.energy} Wh`,
  rationed_out: ({ limit, rationing }) =>
    `its limit of ${limit} is the level at which there was not enough for all, shared ${manner(rationing)}: nothing was left`,
  price_not_reached: ({ order, limit, price }) =>
    `its limit of ${limit} is ${sideOf(order) === 'buy' ? 'below' : 'above'} what the price of ${price ?? 'the others'} asks for`,
  no_trade: () => 'no bid met an offer',
  cancelled: () => 'it was withdrawn',
  expired: () => 'the rest stood until the gate and met nobody',
  lapsed: () => 'the rest found nobody at once',
  killed: () => 'it could not be filled whole at once',
  replaced: () => 'another order took its place',
};

function manner(rationing: Rationing): string {
  return rationing === 'pro-rata' ? 'in proportion to what was asked' : 'by order of arrival';
}

/** What the member wanted and got on either side, and why not more. */
function ownWhy(id: string, orders: WhyView['orders'], price: string | null): string {
  if (orders.length === 0) return `${id} had no orders for this interval.`;
  const sides = SIDES.flatMap((side) => {
    const own = orders.filter((order) => order.side === side && standsFor(order.code));
    if (own.length === 0) return [];
    const sum = (pick: (order: WhyView['orders'][number]) => number) => own.reduce((all, each) => all + pick(each), 0);
    return [
      `${side === 'buy' ? 'bought' : 'sold'} ${sum((each) => each.filledWh)} of ${sum((each) => each.energyWh)} Wh`,
    ];
  });
  const got = sides.length === 0 ? 'had no order that stood at the gate' : sides.join(' and ');
  const short = orders.find(({ filledWh, energyWh }) => filledWh < energyWh);
  const because = short === undefined ? '' : `; of order ${short.clientOrderId}: ${short.reason}`;
  return `${id} ${got}${price === null ? '' : ` at the price of ${price} per kWh`}${because}.`;
}

function standsFor(code: string): boolean {
  return ORDER_FATES.some((fate) => fate === code) && code !== 'cancelled' && code !== 'replaced';
}

function fateOf({ fate }: OrderState): OrderFate {
  return ORDER_FATES[fate] ?? 'no_trade';
}

function sideOf({ side }: OrderState): (typeof SIDES)[number] {
  return SIDES[side] ?? 'buy';
}
