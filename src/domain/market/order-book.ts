import { assert } from '../units/assert.ts';
import { MAX_ORDER_WH, type Wh, wh, ZERO_WH } from '../units/energy.ts';
import type { MarketId, MemberId } from '../units/identity.ts';
import type { PriceBand } from '../units/tariff.ts';
import type { EpochMs } from '../units/time.ts';
import { clearCall } from './call-auction.ts';
import { MemberOrders } from './member-orders.ts';
import type {
  CancelVerdict,
  ClientOrderId,
  Order,
  OrderRefusal,
  OrderVerdict,
  Rationing,
  RestingOrder,
} from './order.ts';
import type { Clearing, OrderFill } from './trade.ts';

/** What is fixed when a product opens. `tick`: micro-currency per kWh; `maxVolume`: the most Wh on one side. */
export interface BookTerms {
  readonly market: MarketId;
  readonly product: EpochMs;
  readonly band: PriceBand;
  readonly tick: number;
  readonly maxVolume: Wh;
}

/** A product holds less than 2^31 Wh on either side. */
export const MAX_PRODUCT_WH = wh(2 ** 31 - 1);

/** A member whose clock is further off than this places no new orders. */
export const MAX_CLOCK_OFFSET_MS = 50;

/** What the engine knows of the market and the member at the moment of the order. */
export interface SubmitContext {
  readonly marketHalted: boolean;
  readonly memberHalted: boolean;
  /** The member's clock against the engine's, in ms, either sign. */
  readonly clockOffMs: number;
  /** The most the member's devices can deliver in this interval. */
  readonly capability: Wh;
}

/** An order as it came, with its first answer: kept for ever, whatever became of it. */
export interface BookEntry extends RestingOrder {
  readonly answer: 'accepted' | OrderRefusal;
  /** The journal sequence of its withdrawal. */
  readonly cancelledAt: number | null;
}

/** The whole book as plain data, in the order of arrival. `closed`: the rationing that the gate closed with. */
export interface BookSnapshot extends BookTerms {
  readonly entries: readonly BookEntry[];
  readonly closed: Rationing | null;
}

/**
 * The sealed order book of one product of a `call` market. A key has one fate: the same order again gets its first
 * answer, another order under the same key is told which field differs; through fill, withdrawal and gate closure.
 * The caller has verified the signature and knows market, member and product.
 */
export class OrderBook {
  readonly terms: BookTerms;
  readonly #entries: BookEntry[] = [];
  readonly #members = new Map<MemberId, MemberOrders>();
  readonly #open = { buy: 0, sell: 0 };
  #closed: { readonly rationing: Rationing; readonly clearing: Clearing } | null = null;

  constructor(terms: BookTerms) {
    assert(Number.isSafeInteger(terms.tick) && terms.tick > 0, `a tick of ${terms.tick}`);
    this.terms = terms;
  }

  static restore(snapshot: BookSnapshot): OrderBook {
    const { entries, closed, ...terms } = snapshot;
    const book = new OrderBook(terms);
    for (const entry of entries) book.#keep(entry);
    if (closed !== null) book.closeGate(closed);
    return book;
  }

  /** Decides an order. `sequence`: its place in the journal, higher than that of any order before. */
  submit(order: Order, sequence: number, context: SubmitContext): OrderVerdict {
    assert(order.market === this.terms.market && order.product === this.terms.product, 'an order of another product');
    const first = this.#find(order.member, order.clientOrderId);
    if (first !== undefined) return repeat(first, order);
    const refusal = this.#refusalOf(order, context);
    this.#keep({ ...order, sequence, answer: refusal ?? 'accepted', cancelledAt: null });
    return refusal === null ? { ok: true, code: 'accepted', sequence } : { ok: false, code: refusal };
  }

  /** Withdraws an open order before the gate. Withdrawing it again changes nothing. */
  cancel(member: MemberId, clientOrderId: ClientOrderId, sequence: number): CancelVerdict {
    const entry = this.#find(member, clientOrderId);
    if (entry === undefined) return { ok: false, code: 'unknown_order' };
    if (entry.answer !== 'accepted') return { ok: false, code: 'not_open' };
    if (entry.cancelledAt !== null) return { ok: true, code: 'exists', sequence: entry.cancelledAt };
    if (this.#closed !== null) return { ok: false, code: 'gate_closed' };
    this.#withdraw(entry, sequence);
    return { ok: true, code: 'cancelled', sequence };
  }

  /**
   * Closes the gate and clears. `fills` tells the fate of every accepted order in the order of arrival, withdrawn ones
   * included. Closing it again returns the first clearing.
   */
  closeGate(rationing: Rationing): Clearing {
    if (this.#closed !== null) return this.#closed.clearing;
    const clearing = clearCall(this.openOrders(), { tick: this.terms.tick, rationing });
    this.#closed = { rationing, clearing: { ...clearing, fills: this.#fates(clearing.fills) } };
    return this.#closed.clearing;
  }

  /** The clearing, once the gate has closed. */
  get clearing(): Clearing | null {
    return this.#closed?.clearing ?? null;
  }

  /** Accepted and not withdrawn, in the order of arrival; before the gate these are sealed. */
  openOrders(): RestingOrder[] {
    return this.#entries.filter(isStanding);
  }

  snapshot(): BookSnapshot {
    return { ...this.terms, entries: [...this.#entries], closed: this.#closed?.rationing ?? null };
  }

  #find(member: MemberId, clientOrderId: ClientOrderId): BookEntry | undefined {
    const position = this.#members.get(member)?.positionOf(clientOrderId);
    return position === undefined ? undefined : this.#entries[position];
  }

  /** The checks in the order of ORDER_REFUSALS. */
  #refusalOf(order: Order, context: SubmitContext): OrderRefusal | null {
    const { band, tick } = this.terms;
    if (this.#closed !== null) return 'gate_closed';
    if (context.marketHalted) return 'market_halted';
    if (context.memberHalted) return 'member_halted';
    if (Math.abs(context.clockOffMs) > MAX_CLOCK_OFFSET_MS) return 'price_mismatch';
    if (!Number.isSafeInteger(order.energy) || order.energy <= 0) return 'energy_not_positive';
    if (order.energy > MAX_ORDER_WH) return 'energy_too_large';
    if (this.#open[order.side] + order.energy > this.terms.maxVolume) return 'energy_too_large';
    if (order.limit % tick !== 0) return 'tick_size';
    if (order.limit < band.lowest || order.limit > band.highest) return 'outside_band';
    return this.#memberOf(order.member).refusalOf(order, context.capability);
  }

  #keep(entry: BookEntry): void {
    assert(entry.sequence > (this.#entries.at(-1)?.sequence ?? -Infinity), `sequence ${entry.sequence} does not rise`);
    const member = this.#memberOf(entry.member);
    member.remember(entry.clientOrderId, this.#entries.push(entry) - 1);
    if (!isStanding(entry)) return;
    member.open(entry);
    this.#open[entry.side] += entry.energy;
  }

  #memberOf(id: MemberId): MemberOrders {
    const known = this.#members.get(id);
    if (known !== undefined) return known;
    const member = new MemberOrders();
    this.#members.set(id, member);
    return member;
  }

  #withdraw(entry: BookEntry, sequence: number): void {
    const member = this.#memberOf(entry.member);
    const position = member.positionOf(entry.clientOrderId);
    assert(position !== undefined, 'a member knows its entries');
    this.#entries[position] = { ...entry, cancelledAt: sequence };
    this.#open[entry.side] -= entry.energy;
    member.withdraw(entry);
  }

  #fates(open: readonly OrderFill[]): OrderFill[] {
    let next = 0;
    const accepted = this.#entries.filter((entry) => entry.answer === 'accepted');
    return accepted.map(({ member, clientOrderId, cancelledAt }) => {
      if (cancelledAt !== null) return { member, clientOrderId, filled: ZERO_WH, fate: 'cancelled' };
      const fill = open[next++];
      assert(fill?.member === member && fill.clientOrderId === clientOrderId, 'a fill answers another order');
      return fill;
    });
  }
}

function isStanding(entry: BookEntry): boolean {
  return entry.answer === 'accepted' && entry.cancelledAt === null;
}

/** The answer under a taken key: which field differs, or the first answer again. */
function repeat(first: BookEntry, order: Order): OrderVerdict {
  if (first.side !== order.side) return { ok: false, code: 'exists_with_different_side' };
  if (first.type !== order.type) return { ok: false, code: 'exists_with_different_type' };
  if (first.limit !== order.limit) return { ok: false, code: 'exists_with_different_limit' };
  if (first.energy !== order.energy) return { ok: false, code: 'exists_with_different_energy' };
  if (first.answer !== 'accepted') return { ok: false, code: first.answer };
  return { ok: true, code: 'exists', sequence: first.sequence };
}
