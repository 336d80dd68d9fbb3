import type { MarketId, MemberId } from '../units/identity.ts';
import type { Watt } from '../units/power.ts';
import type { EpochMs } from '../units/time.ts';

/**
 * The certificate of one member for one delivery interval: what it may export to neighbours. Signed by the engine
 * (Ed25519) and worth nothing without a fresh heartbeat. Every member in good standing gets one for every interval.
 */
export interface Lease {
  readonly market: MarketId;
  readonly member: MemberId;
  /** Market time, half-open [start, start + lengthMs). */
  readonly intervalStart: EpochMs;
  readonly lengthMs: number;
  readonly permittedExport: Watt;
  /** Rises with every certificate of this market; a lower one is a replay. */
  readonly sequence: number;
}

/** One per market and second, signed: the engine lives and the mesh carries. A lease lapses 3 s after the last one. */
export interface Heartbeat {
  readonly market: MarketId;
  readonly sequence: number;
  /** The engine's wall clock. */
  readonly wall: EpochMs;
}

/** The bytes that are signed: domain-separated, every field in a fixed order, one per line. */
export function leaseText(lease: Lease): string {
  const { market, member, intervalStart, lengthMs, permittedExport, sequence } = lease;
  return ['energy-logic lease 1', market, member, intervalStart, lengthMs, permittedExport, sequence].join('\n');
}

/** As `leaseText`, for a heartbeat. */
export function heartbeatText(heartbeat: Heartbeat): string {
  return ['energy-logic heartbeat 1', heartbeat.market, heartbeat.sequence, heartbeat.wall].join('\n');
}
