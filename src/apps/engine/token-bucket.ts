/** How much a member may send: `ratePerSecond` for ever, and `burst` at once where it was quiet before. */
export interface BucketTerms {
  readonly ratePerSecond: number;
  readonly burst: number;
}

/** When the bucket is full again, ms on any clock that does not go back. A full one is known by a time that is past. */
export type BucketState = number;

export const FULL_BUCKET: BucketState = 0;

export type TokenDraw =
  | { readonly ok: true; readonly state: BucketState }
  | { readonly ok: false; readonly retryAfterMs: number };

/**
 * Takes that many tokens at once, or none and says how long to wait. What is more than the burst is never there: it is
 * told to wait until the bucket is full.
 */
export function drawTokens(state: BucketState, now: number, count: number, terms: BucketTerms): TokenDraw {
  const msPerToken = 1000 / terms.ratePerSecond;
  const fullAt = Math.max(state, now) + count * msPerToken;
  const waitMs = fullAt - now - terms.burst * msPerToken;
  if (waitMs <= 0) return { ok: true, state: fullAt };
  return { ok: false, retryAfterMs: Math.min(waitMs, Math.max(state - now, 0)) };
}
