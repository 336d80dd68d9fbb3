/** How far this machine's clock is off the engine's, from heartbeats: arrival minus the engine's wall time. */
export class ClockOffset {
  readonly #samples: number[] = [];

  /** A message can only be late, so the smallest of the last eight differences is the nearest to the truth. */
  observe(engineWall: number, arrivedWall: number): void {
    this.#samples.push(arrivedWall - engineWall);
    if (this.#samples.length > 8) this.#samples.shift();
  }

  get offsetMs(): number {
    return this.#samples.length === 0 ? 0 : Math.round(Math.min(...this.#samples));
  }
}
