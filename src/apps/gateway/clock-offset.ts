/** So many heartbeats, one a second, are listened to before a late one counts as a clock that is ahead. */
const SAMPLES = 16;
/** What the metric can carry: 24 days. A machine without a battery for its clock is half a century off. */
const MOST_MS = 2 ** 31 - 1;

/** How far this machine's clock is off the engine's, from heartbeats: arrival minus the engine's wall time. */
export class ClockOffset {
  readonly #samples: number[] = [];

  /** A message can only be late, so the smallest of the last differences is the nearest to the truth. */
  observe(engineWall: number, arrivedWall: number): void {
    this.#samples.push(arrivedWall - engineWall);
    if (this.#samples.length > SAMPLES) this.#samples.shift();
  }

  /** ms; positive: ahead. A heartbeat that arrives before it was sent is proof; one that arrives late may be a slow line. */
  get offsetMs(): number {
    if (this.#samples.length === 0) return 0;
    const least = Math.max(-MOST_MS, Math.min(MOST_MS, Math.round(Math.min(...this.#samples))));
    return least > 0 && this.#samples.length < SAMPLES ? 0 : least;
  }
}
