import type { MechanismName } from '../market/mechanism.ts';
import type { ClientOrderId, OrderType, Side } from '../market/order.ts';
import type { ShortfallCause } from '../settlement/interval-settlement.ts';
import type { Wh } from '../units/energy.ts';
import type { MarketId, MemberId } from '../units/identity.ts';
import type { IntervalLengthMs } from '../units/interval.ts';
import type { Nano } from '../units/money.ts';
import type { Watt } from '../units/power.ts';
import type { PricePerKwh } from '../units/price.ts';
import type { Tariff } from '../units/tariff.ts';
import type { EpochMs } from '../units/time.ts';

export type Mechanism = MechanismName;

export interface MemberTerms {
  readonly id: MemberId;
  /** The EVM address whose EIP-712 signatures speak for the member, lower case. */
  readonly address: string;
  /** What its devices can deliver at most: the cap on what it may sell in an interval. */
  readonly exportCapability: Watt;
  /** What its connection can carry either way: a register that rises faster is not believed. */
  readonly connectionPower: Watt;
  /** What all its open and unsettled orders may have reserved, nano-currency. Absent: no collateral is asked for. */
  readonly collateral?: Nano;
  /** Members of one owner do not trade with each other. Absent: it stands alone. */
  readonly owner?: string;
  /** One of the market's zones. Absent: the first, or the only one. */
  readonly zone?: string;
}

/** A part of the feeder with a grid fee of its own, which a buyer there pays per kWh beside the trade price. */
export interface ZoneTerms {
  readonly id: string;
  readonly fee: PricePerKwh;
}

/** How much power may flow from one zone into another. */
export interface ZoneLimitTerms {
  readonly from: string;
  readonly to: string;
  readonly limit: Watt;
}

/** The rules of one market. They are journaled, so a replay needs nothing but the journal. */
export interface MarketTerms {
  readonly market: MarketId;
  readonly lengthMs: IntervalLengthMs;
  readonly mechanism: Mechanism;
  readonly rationing: 'pro-rata' | 'price-time';
  /** Micro-currency per kWh. */
  readonly tick: number;
  /** A product opens this long before its delivery ... */
  readonly lookAheadMs: number;
  /** ... and its gate closes this long before it. */
  readonly gateLeadMs: number;
  /** How far the imbalance prices lie from the local price toward the tariff. */
  readonly imbalanceWeightPermille: number;
  readonly members: readonly MemberTerms[];
  /** How many intervals after its delivery a product's orders and first answers are kept. */
  readonly disputeIntervals: number;
  /** Absent: one zone without a fee. */
  readonly zones?: readonly ZoneTerms[];
  /** Absent: between zones nothing flows. */
  readonly zoneLimits?: readonly ZoneLimitTerms[];
  /** On top of the import price for energy that was sold and not delivered, per kWh. Absent: none. */
  readonly penalty?: PricePerKwh;
  /** Under `fixed`: the price of every kWh. Absent: the middle of the band. */
  readonly fixedPrice?: PricePerKwh;
  /** `allocated`: each home keeps its own supply contract. Absent: the community is the utility's one customer. */
  readonly supply?: 'single' | 'allocated';
}

/** A meter's registers at an interval boundary: its last good reading at or before it. */
export interface BoundaryReading {
  readonly at: EpochMs;
  readonly importRegister: Wh;
  readonly exportRegister: Wh;
}

export interface MemberBoundaryReading extends BoundaryReading {
  readonly member: MemberId;
}

interface At {
  /** Market time. Never lower than that of the command before. */
  readonly at: EpochMs;
}

export interface OrderCommand extends At {
  readonly type: 'order';
  readonly product: EpochMs;
  readonly member: MemberId;
  readonly clientOrderId: ClientOrderId;
  readonly side: Side;
  readonly orderType: OrderType;
  readonly limit: PricePerKwh;
  readonly energy: Wh;
  /** The open order that it takes the place of. */
  readonly replaces?: ClientOrderId | undefined;
  /** How far the sender's meter clock was off when it was verified. */
  readonly clockOffMs: number;
  readonly signature: string;
  readonly proof?: BatchProof | undefined;
}

/** Where one signature speaks for several orders: the place of this one, and the hashes that lead to the signed root. */
export interface BatchProof {
  readonly index: number;
  /** 0x and 64 hex digits each, at most 32. */
  readonly siblings: readonly string[];
}

export interface CancelCommand extends At {
  readonly type: 'cancel';
  readonly product: EpochMs;
  readonly member: MemberId;
  readonly clientOrderId: ClientOrderId;
  readonly signature: string;
  readonly proof?: BatchProof | undefined;
}

/** Halts, or lets go on, one member or, where it is null, the market. Withdrawals and gates go on in a halt. */
export interface HaltCommand extends At {
  readonly type: 'halt' | 'resume';
  readonly member: MemberId | null;
}

/**
 * Everything that ever changes the engine's state, in one order. Signatures were verified before a command was journaled.
 * terms: the rules, first and whenever they change. open, close: a product's life. complete: the interval that ends at
 * `boundary` is over and these are its readings; whoever is missing gets a substitute.
 */
export type Command =
  | (At & { readonly type: 'terms'; readonly terms: MarketTerms })
  | (At & { readonly type: 'open'; readonly product: EpochMs; readonly tariff: Tariff })
  | OrderCommand
  | CancelCommand
  | HaltCommand
  | (At & { readonly type: 'close'; readonly product: EpochMs })
  | (At & {
      readonly type: 'complete';
      readonly boundary: EpochMs;
      readonly tariff: Tariff;
      readonly readings: readonly MemberBoundaryReading[];
      readonly feeder: BoundaryReading | null;
      /** Who could not deliver by no doing of its own. */
      readonly causes?: readonly { readonly member: MemberId; readonly cause: ShortfallCause }[];
    });

/** JSON with the keys of every object in code-unit order. Maps become arrays of entries, bigints decimal strings. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_, inner) => {
    if (typeof inner === 'bigint') return inner.toString();
    if (inner instanceof Map) return [...inner];
    if (inner === null || typeof inner !== 'object' || Array.isArray(inner)) return inner;
    return Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}
