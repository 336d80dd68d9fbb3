import type { MechanismName } from '../market/mechanism.ts';
import type { ClientOrderId, OrderType, Side } from '../market/order.ts';
import type { Wh } from '../units/energy.ts';
import type { MarketId, MemberId } from '../units/identity.ts';
import type { IntervalLengthMs } from '../units/interval.ts';
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
  /** How far the sender's meter clock was off when it was verified. */
  readonly clockOffMs: number;
  readonly signature: string;
}

export interface CancelCommand extends At {
  readonly type: 'cancel';
  readonly product: EpochMs;
  readonly member: MemberId;
  readonly clientOrderId: ClientOrderId;
  readonly signature: string;
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
  | (At & { readonly type: 'close'; readonly product: EpochMs })
  | (At & {
      readonly type: 'complete';
      readonly boundary: EpochMs;
      readonly tariff: Tariff;
      readonly readings: readonly MemberBoundaryReading[];
      readonly feeder: BoundaryReading | null;
    });

/** The version of the command's text, in every record from the first on. */
const COMMAND_VERSION = 1;

/** The canonical text of a command: JSON, keys sorted, so that equal commands have equal bytes. */
export function commandText(command: Command): string {
  return canonicalJson({ v: COMMAND_VERSION, ...command });
}

/** The inverse. `unknown_version`: a journal of a later engine. The record's checksum has already been verified. */
export function parseCommand(text: string): Command | 'unknown_version' {
  const { v, ...command } = JSON.parse(text);
  return v === COMMAND_VERSION ? command : 'unknown_version';
}

/** JSON with the keys of every object in code-unit order. Maps become arrays of entries, bigints decimal strings. */
export function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_, inner) => {
    if (typeof inner === 'bigint') return inner.toString();
    if (inner instanceof Map) return [...inner];
    if (inner === null || typeof inner !== 'object' || Array.isArray(inner)) return inner;
    return Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}
