import type { MarketId, MemberId } from '../units/identity.ts';
import type { EpochMs } from '../units/time.ts';
import type { Heartbeat, Lease } from './lease.ts';

/** A heartbeat carries a lease for less than this, wall time. */
export const HEARTBEAT_LIFE_MS = 3_000;

/** Engines send the next interval's lease early; more than this many are never of use. */
const HELD_LEASES = 8;

/** What one relay holds of its engine's word. Everything in it came with a good signature. */
export interface LeaseBook {
  readonly market: MarketId;
  readonly member: MemberId;
  readonly leases: readonly Lease[];
  /** The highest sequence ever taken, of a lease and of a heartbeat; 0 at first. */
  readonly leaseSequence: number;
  readonly heartbeatSequence: number;
  /** When the last heartbeat was sent, as far as we can tell on our own wall clock; null before the first. */
  readonly heardAtMs: number | null;
}

export type LeaseRefusal = 'wrong_market' | 'wrong_member' | 'already_held' | 'old_sequence' | 'interval_over';
export type HeartbeatRefusal = 'wrong_market' | 'already_held' | 'old_sequence' | 'heartbeat_late' | 'heartbeat_ahead';

export type LeaseAnswer =
  | { readonly ok: true; readonly book: LeaseBook }
  | { readonly ok: false; readonly code: LeaseRefusal };
export type HeartbeatAnswer =
  | { readonly ok: true; readonly book: LeaseBook }
  | { readonly ok: false; readonly code: HeartbeatRefusal };

/** Whether the certificate of this moment stands, and if not, why. */
export type LeaseValidity = 'valid' | 'no_lease' | 'market_time_unknown';

/** A relay that has heard nothing yet. */
export function emptyLeaseBook(market: MarketId, member: MemberId): LeaseBook {
  return { market, member, leases: [], leaseSequence: 0, heartbeatSequence: 0, heardAtMs: null };
}

/** Takes a lease whose signature verified. `marketNow` is null until the market clock is known. */
export function acceptLease(book: LeaseBook, lease: Lease, marketNow: EpochMs | null): LeaseAnswer {
  if (lease.market !== book.market) return { ok: false, code: 'wrong_market' };
  if (lease.member !== book.member) return { ok: false, code: 'wrong_member' };
  if (lease.sequence === book.leaseSequence) return { ok: false, code: 'already_held' };
  if (lease.sequence < book.leaseSequence) return { ok: false, code: 'old_sequence' };
  if (marketNow !== null && isOver(lease, marketNow)) return { ok: false, code: 'interval_over' };
  const others = book.leases.filter(
    (held) => held.intervalStart !== lease.intervalStart && (marketNow === null || !isOver(held, marketNow)),
  );
  return {
    ok: true,
    book: { ...book, leases: [...others, lease].slice(-HELD_LEASES), leaseSequence: lease.sequence },
  };
}

/**
 * Takes a heartbeat whose signature verified. `wallNow` is our wall clock. One that was queued for three seconds or
 * more says nothing about now, and one from the future tells of a wrong clock: neither counts. A younger one counts
 * from when it was sent.
 */
export function acceptHeartbeat(book: LeaseBook, heartbeat: Heartbeat, wallNow: EpochMs): HeartbeatAnswer {
  if (heartbeat.market !== book.market) return { ok: false, code: 'wrong_market' };
  if (heartbeat.sequence === book.heartbeatSequence) return { ok: false, code: 'already_held' };
  if (heartbeat.sequence < book.heartbeatSequence) return { ok: false, code: 'old_sequence' };
  const lagMs = wallNow - heartbeat.wall;
  if (lagMs >= HEARTBEAT_LIFE_MS) return { ok: false, code: 'heartbeat_late' };
  if (lagMs <= -HEARTBEAT_LIFE_MS) return { ok: false, code: 'heartbeat_ahead' };
  const heardAtMs = wallNow - Math.max(0, lagMs);
  return { ok: true, book: { ...book, heartbeatSequence: heartbeat.sequence, heardAtMs } };
}

/** The lease of the interval that `marketNow` lies in, or null. */
export function leaseAt(book: LeaseBook, marketNow: EpochMs): Lease | null {
  return book.leases.find((lease) => lease.intervalStart <= marketNow && !isOver(lease, marketNow)) ?? null;
}

/** Whether a lease covers `marketNow`, market time; null: it is not known. The heartbeat is judged apart. */
export function leaseValidity(book: LeaseBook, marketNow: EpochMs | null): LeaseValidity {
  if (marketNow === null) return 'market_time_unknown';
  return leaseAt(book, marketNow) === null ? 'no_lease' : 'valid';
}

/** Wall ms since the engine last lived, or null. */
export function heartbeatAgeMs(book: LeaseBook, wallNow: EpochMs): number | null {
  return book.heardAtMs === null ? null : Math.max(0, wallNow - book.heardAtMs);
}

function isOver(lease: Lease, marketNow: EpochMs): boolean {
  return marketNow >= lease.intervalStart + lease.lengthMs;
}
