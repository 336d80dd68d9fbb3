import type { Wh } from '../units/energy.ts';
import type { PricePerKwh } from '../units/price.ts';
import type { PriceBand } from '../units/tariff.ts';
import type { EpochMs } from '../units/time.ts';
import type { ClientOrderId, Rationing } from './order.ts';
import type { FateCode, VerdictCode } from './verdict.ts';

/** A member by the number under which the market admitted it: 0, 1, ...; never given to another. */
export type MemberNumber = number;

/** What is fixed when a product opens. Prices in micro-currency per kWh. */
export interface ProductRules {
  readonly product: EpochMs;
  readonly mechanism: 'call' | 'continuous';
  /** Of the partly filled limit level of a call. */
  readonly rationing: Rationing;
  readonly tick: number;
  /** All-in limits lie in it; edges are on the tick. */
  readonly band: PriceBand;
  /** Of the product's tariff: what a seller that does not deliver pays for every missing kWh ... */
  readonly importPrice: PricePerKwh;
  /** ... and on top of it. */
  readonly penalty: PricePerKwh;
  /** The most Wh that either side may hold, open and filled: at most 2^31 - 1. */
  readonly maxVolume: Wh;
  /** Grid fee of a buyer by its zone, >= 0. One entry, 0, where there are no zones. */
  readonly fees: readonly PricePerKwh[];
  /** How much may flow from one zone into another. Between zones that are not named nothing flows. Call only. */
  readonly zoneLimits: readonly ZoneLimit[];
}

/** `capacity`: Wh in the product's interval, >= 0. `from`, `to`: places in `fees`. */
export interface ZoneLimit {
  readonly from: number;
  readonly to: number;
  readonly capacity: Wh;
}

/** What one member may do. Shared by all books of a market. */
export interface MemberRules {
  /** The most Wh that its open and filled sells of one product may come to. */
  readonly capability: Wh;
  /** What all its orders together may have reserved, nano-currency, 0 to 2^53 - 1; null: no collateral is asked for. */
  readonly collateral: number | null;
  /** Members of one owner group cannot trade with each other. Its own number: it stands alone. */
  readonly group: MemberNumber;
  /** Place in `fees`. */
  readonly zone: number;
}

/** The members of one market, and what their orders hold reserved. */
export interface Members {
  readonly count: number;
  /** Admits a member under the next number. `id` breaks ties. */
  admit(id: string, rules: MemberRules): MemberNumber;
  change(member: MemberNumber, rules: MemberRules): void;
  halt(member: MemberNumber, halted: boolean): void;
  haltMarket(halted: boolean): void;
  /** Nano-currency that all orders of the member hold reserved. */
  reserved(member: MemberNumber): number;
}

/** An order as it came. */
export interface Placement {
  readonly member: MemberNumber;
  readonly clientOrderId: ClientOrderId;
  /** Place in SIDES. */
  readonly side: number;
  /** Place in ORDER_TYPES. */
  readonly type: number;
  /** All-in, micro-currency per kWh; any 32-bit integer. */
  readonly limit: number;
  /** Wh; any 32-bit integer. */
  readonly energy: number;
  /** Client order id of the order it takes the place of; -1: none. */
  readonly replaces: number;
}

/** All that a book knows of an order. */
export interface OrderState extends Placement {
  readonly answer: VerdictCode;
  /** Of its first answer. */
  readonly sequence: number;
  /** Of its withdrawal or replacement; 0: neither. */
  readonly endedAt: number;
  readonly filled: number;
  /** What still stands, Wh. */
  readonly open: number;
  readonly fate: FateCode;
}

/** One match. `taker` and `maker` name no side: in a call the buyer is the taker. */
export interface BookTrade {
  readonly buyer: MemberNumber;
  readonly buyOrder: ClientOrderId;
  readonly seller: MemberNumber;
  readonly sellOrder: ClientOrderId;
  readonly energy: number;
  /** What the buyer pays the market per kWh, without its grid fee. */
  readonly price: number;
  /** What the seller gets: the same, except for a trade between zones with different prices. */
  readonly sellerPrice: number;
}

/**
 * The order book of one product: decides, matches and remembers. Deterministic; never throws for what a member sent.
 * `sequence` is the command's place in the journal and rises with every call.
 */
export interface Book {
  readonly rules: ProductRules;
  /** Decides an order. `clockOffMs`: the member's clock against the engine's. */
  place(
    member: MemberNumber,
    clientOrderId: ClientOrderId,
    side: number,
    type: number,
    limit: number,
    energy: number,
    replaces: number,
    clockOffMs: number,
    sequence: number,
  ): VerdictCode;
  /** Withdraws an open order; also while halted. */
  cancel(member: MemberNumber, clientOrderId: ClientOrderId, sequence: number): VerdictCode;
  /** Clears a call, expires what stands in a continuous book. A second time changes nothing. */
  closeGate(): void;
  /** After settlement: what the product's orders still hold reserved is free. A second time changes nothing. */
  release(): void;
  readonly isClosed: boolean;
  readonly orderCount: number;
  /** In the order of arrival, refused ones included. */
  orderAt(position: number): OrderState;
  find(member: MemberNumber, clientOrderId: ClientOrderId): OrderState | null;
  readonly tradeCount: number;
  tradeAt(position: number): BookTrade;
  /** By zone; null where nothing was cleared. Call only. */
  clearingPrices(): readonly (number | null)[];
}
