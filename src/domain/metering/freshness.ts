import type { EpochMs } from '../units/time.ts';

/** One freshness rule everywhere: older than twice its own interval is stale. */
export function isStale(measuredAt: EpochMs, intervalMs: number, now: EpochMs): boolean {
  return now - measuredAt > 2 * intervalMs;
}
