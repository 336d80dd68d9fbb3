/** The pause between failed attempts: it doubles from `first` to `longest`, cut by up to half of itself by chance. */
export class ReconnectPause {
  readonly #first: number;
  readonly #longest: number;
  readonly #random: () => number;
  #failures = 0;
  #until = 0;

  constructor(first: number, longest: number, random: () => number) {
    this.#first = first;
    this.#longest = longest;
    this.#random = random;
  }

  /** Milliseconds still to wait, 0 or less when the next attempt may go. */
  remainingMs(now: number): number {
    return this.#until - now;
  }

  failed(now: number): void {
    const pause = Math.min(this.#longest, this.#first * 2 ** Math.min(this.#failures, 30));
    this.#failures += 1;
    this.#until = now + pause * (1 - this.#random() / 2);
  }

  succeeded(): void {
    this.#failures = 0;
  }
}
