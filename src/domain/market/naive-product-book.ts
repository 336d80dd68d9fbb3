import { assert } from '../units/assert.ts';
import { MAX_ORDER_WH } from '../units/energy.ts';
import type { Book, BookTrade, MemberNumber, OrderState, Placement, ProductRules } from './book.ts';
import { naiveCall } from './naive-call.ts';
import type { NaiveMembers } from './naive-members.ts';
import {
  differing,
  end,
  fill,
  heldEnergy,
  heldMoney,
  isOf,
  isSell,
  isTaking,
  type NaiveOrder,
  openEnergy,
  openMoney,
  partiesOf,
  standingOrder,
  stateOf,
  sumOf,
} from './naive-order.ts';
import { ORDER_TYPES, type OrderFate, type OrderRefusal } from './order.ts';
import { type VerdictCode, verdictCode } from './verdict.ts';

const CLOCK_TOLERANCE_MS = 50;

/**
 * The slow twin of the product book: a list of orders that is filtered and sorted anew for every command. It says what
 * the rules of `Book` mean, in the fewest words; the oracle of the tests and a baseline of the benchmarks.
 */
export class NaiveProductBook implements Book {
  readonly rules: ProductRules;
  readonly #members: NaiveMembers;
  readonly #orders: NaiveOrder[] = [];
  readonly #trades: BookTrade[] = [];
  #prices: (number | null)[];
  #isClosed = false;
  #isReleased = false;

  constructor(rules: ProductRules, members: NaiveMembers) {
    this.rules = rules;
    this.#members = members;
    this.#prices = rules.fees.map(() => null);
    members.join(this);
  }

  place(
    member: MemberNumber,
    clientOrderId: number,
    side: number,
    type: number,
    limit: number,
    energy: number,
    replaces: number,
    clockOffMs: number,
    sequence: number,
  ): VerdictCode {
    const placement: Placement = { member, clientOrderId, side, type, limit, energy, replaces };
    const known = this.#known(member, clientOrderId);
    if (known !== null) return verdictCode(differing(known.placement, placement) ?? known.refusal ?? 'exists');
    const refusal = this.#refusalOf(placement, clockOffMs);
    if (refusal === null) this.#accept(placement, sequence);
    else this.#orders.push(this.#orderOf(placement, refusal, sequence, sequence));
    return verdictCode(refusal ?? 'accepted');
  }

  cancel(member: MemberNumber, clientOrderId: number, sequence: number): VerdictCode {
    const order = this.#known(member, clientOrderId);
    if (order === null) return verdictCode('unknown_order');
    if (order.refusal !== null) return verdictCode('not_open');
    if (order.fate === 'cancelled') return verdictCode('exists');
    if (this.#isClosed) return verdictCode('gate_closed');
    if (order.fate !== 'open') return verdictCode('not_open');
    end(order, 'cancelled');
    order.endedAt = sequence;
    return verdictCode('cancelled');
  }

  closeGate(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    if (this.rules.mechanism === 'call') this.#clear();
    else for (const order of this.#standing()) end(order, 'expired');
  }

  release(): void {
    this.#isReleased = true;
  }

  reservedBy(member: MemberNumber): bigint {
    return this.#isReleased
      ? 0n
      : sumOf(
          this.#accepted().filter((order) => isOf(order, member)),
          heldMoney,
        );
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  get orderCount(): number {
    return this.#orders.length;
  }

  orderAt(position: number): OrderState {
    const order = this.#orders[position];
    assert(order !== undefined, `no order at ${position}`);
    return stateOf(order);
  }

  find(member: MemberNumber, clientOrderId: number): OrderState | null {
    const order = this.#known(member, clientOrderId);
    return order === null ? null : stateOf(order);
  }

  get tradeCount(): number {
    return this.#trades.length;
  }

  tradeAt(position: number): BookTrade {
    const trade = this.#trades[position];
    assert(trade !== undefined, `no trade at ${position}`);
    return trade;
  }

  clearingPrices(): readonly (number | null)[] {
    return this.#prices;
  }

  #known(member: MemberNumber, clientOrderId: number): NaiveOrder | null {
    return this.#orders.find((o) => o.placement.clientOrderId === clientOrderId && isOf(o, member)) ?? null;
  }

  #accepted(): NaiveOrder[] {
    return this.#orders.filter((order) => order.refusal === null);
  }

  #standing(): NaiveOrder[] {
    return this.#orders.filter((order) => order.fate === 'open');
  }

  #bookPriceOf({ member, side, limit }: Placement): number {
    if (isSell(side)) return limit;
    const fee = this.rules.fees[this.#members.rulesOf(member).zone];
    assert(fee !== undefined, `the zone of member ${member} has no fee`);
    return Math.floor((limit - fee) / this.rules.tick) * this.rules.tick;
  }

  /** The checks in the order of `ORDER_REFUSALS`. */
  #refusalOf(placement: Placement, clockOffMs: number): OrderRefusal | null {
    const { member, side, type, limit, energy, replaces } = placement;
    const { mechanism, tick, band, maxVolume } = this.rules;
    const { capability, collateral } = this.#members.rulesOf(member);
    if (this.#isClosed) return 'gate_closed';
    if (this.#members.isMarketHalted) return 'market_halted';
    if (this.#members.isHalted(member)) return 'member_halted';
    if (Math.abs(clockOffMs) > CLOCK_TOLERANCE_MS) return 'price_mismatch';
    if (mechanism === 'call' && (isTaking(type) || replaces !== -1)) return 'order_type_not_in_call';
    if (energy <= 0) return 'energy_not_positive';
    if (energy > MAX_ORDER_WH) return 'energy_too_large';
    const replaced = replaces === -1 ? null : this.#known(member, replaces);
    const others = this.#accepted().filter((order) => order.placement.side === side);
    const freed = others.filter((order) => order === replaced);
    if (sumOf(others, heldEnergy) - sumOf(freed, openEnergy) + BigInt(energy) > BigInt(maxVolume))
      return 'energy_too_large';
    if (limit % tick !== 0) return 'tick_size';
    if (limit < band.lowest || limit > band.highest) return 'outside_band';
    if (replaces !== -1) {
      if (replaced === null || replaced.refusal !== null) return 'replaced_unknown';
      if (replaced.fate !== 'open') return 'replaced_not_open';
      if (replaced.placement.side !== side) return 'replaced_other_side';
    }
    if (this.#crossesItself(placement)) return 'self_cross';
    const sold =
      sumOf(
        others.filter((order) => isOf(order, member)),
        heldEnergy,
      ) - sumOf(freed, openEnergy);
    if (isSell(side) && sold + BigInt(energy) > BigInt(capability)) return 'exceeds_capability';
    const reserved = this.#members.reservedExactly(member) - sumOf(freed, openMoney);
    const need = BigInt(energy) * this.#reservedPerWh(placement);
    return collateral !== null && reserved + need > BigInt(collateral) ? 'exceeds_collateral' : null;
  }

  #crossesItself(placement: Placement): boolean {
    const group = this.#members.rulesOf(placement.member).group;
    return this.#counterparts(placement).some((order) => this.#members.rulesOf(order.placement.member).group === group);
  }

  /** What stands on the other side and would trade with it, in the order in which it would. */
  #counterparts(placement: Placement): NaiveOrder[] {
    const price = this.#bookPriceOf(placement);
    const sign = isSell(placement.side) ? -1 : 1;
    return this.#standing()
      .filter((order) => order.placement.side !== placement.side && sign * order.bookPrice <= sign * price)
      .sort((a, b) => sign * (a.bookPrice - b.bookPrice) || a.rank - b.rank);
  }

  #reservedPerWh({ member, side, limit }: Placement): bigint {
    if (this.#members.rulesOf(member).collateral === null) return 0n;
    if (!isSell(side)) return BigInt(Math.max(0, limit));
    return BigInt(Math.max(0, this.rules.importPrice - limit)) + BigInt(this.rules.penalty);
  }

  #accept(placement: Placement, sequence: number): void {
    const replaced = placement.replaces === -1 ? null : this.#known(placement.member, placement.replaces);
    const rank = replaced !== null && this.#keepsPlace(placement, replaced) ? replaced.rank : sequence;
    if (replaced !== null) {
      end(replaced, 'replaced');
      replaced.endedAt = sequence;
    }
    const order = this.#orderOf(placement, null, sequence, rank);
    this.#orders.push(order);
    if (this.rules.mechanism === 'continuous') this.#match(order);
  }

  #keepsPlace(placement: Placement, replaced: NaiveOrder): boolean {
    const isLimit = ORDER_TYPES[placement.type] === 'limit';
    return isLimit && this.#bookPriceOf(placement) === replaced.bookPrice && placement.energy <= replaced.open;
  }

  #orderOf(placement: Placement, refusal: OrderRefusal | null, sequence: number, rank: number): NaiveOrder {
    const isRefused = refusal !== null;
    return {
      placement,
      refusal,
      sequence,
      rank,
      bookPrice: isRefused ? 0 : this.#bookPriceOf(placement),
      zone: this.#members.rulesOf(placement.member).zone,
      reservedPerWh: isRefused ? 0n : this.#reservedPerWh(placement),
      open: isRefused ? 0 : placement.energy,
      filled: 0,
      endedAt: 0,
      fate: isRefused ? 'no_trade' : 'open',
    };
  }

  #match(taker: NaiveOrder): void {
    const type = ORDER_TYPES[taker.placement.type];
    const makers = this.#counterparts(taker.placement);
    if (type === 'fok' && sumOf(makers, openEnergy) < BigInt(taker.open)) {
      end(taker, 'killed');
      return;
    }
    for (const maker of makers) this.#trade(taker, maker, Math.min(taker.open, maker.open), maker.bookPrice);
    if (taker.open > 0 && type !== 'limit') end(taker, 'lapsed');
  }

  #trade(one: NaiveOrder, other: NaiveOrder, energy: number, price: number): void {
    if (energy === 0) return;
    const [buy, sell] = isSell(one.placement.side) ? [other, one] : [one, other];
    this.#trades.push({ ...partiesOf(buy, sell), energy, price, sellerPrice: price });
    for (const order of [buy, sell]) {
      fill(order, energy);
      if (order.open === 0) end(order, 'filled');
    }
  }

  #clear(): void {
    const standing = this.#standing();
    const orders = standing.map((order) => standingOrder(order, this.#members.idOf(order.placement.member)));
    const { prices, matches } = naiveCall(orders, this.rules);
    this.#prices = prices;
    for (const { buy, sell, energy } of matches) {
      this.#tradeAtGate(standing[orders.indexOf(buy)], standing[orders.indexOf(sell)], energy);
    }
    for (const order of standing) end(order, this.#fateAtGate(order));
  }

  #tradeAtGate(buy: NaiveOrder | undefined, sell: NaiveOrder | undefined, energy: number): void {
    assert(buy !== undefined && sell !== undefined, 'a match of no order');
    const [price, sellerPrice] = [this.#prices[buy.zone], this.#prices[sell.zone]];
    assert(typeof price === 'number' && typeof sellerPrice === 'number', 'a trade in a zone without a price');
    this.#trades.push({ ...partiesOf(buy, sell), energy, price, sellerPrice });
    fill(buy, energy);
    fill(sell, energy);
  }

  #fateAtGate({ open, filled, bookPrice, zone, placement: { side } }: NaiveOrder): OrderFate {
    const price = this.#prices[zone] ?? null;
    if (open === 0) return 'filled';
    if (filled > 0) return 'partly_filled';
    if (price === null) return 'no_trade';
    return (isSell(side) ? bookPrice <= price : bookPrice >= price) ? 'rationed_out' : 'price_not_reached';
  }
}
