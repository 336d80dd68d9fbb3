import { between } from './homes/prng.ts';

/** Chance with a seed. Each stream of a seed stands alone: what one part draws moves nothing that another part draws. */
export class MarketChance {
  readonly #seed: number;
  readonly #stream: number;
  #drawn = 0;

  constructor(seed: number, stream: number) {
    this.#seed = seed;
    this.#stream = stream;
  }

  /** A whole number in [lowest, highest]. */
  between(lowest: number, highest: number): number {
    this.#drawn += 1;
    return between(lowest, highest, this.#seed, this.#stream, this.#drawn);
  }

  happens(perMille: number): boolean {
    return this.between(1, 1000) <= perMille;
  }

  oneOf<Choice>(choices: readonly [Choice, ...Choice[]]): Choice {
    return choices[this.between(0, choices.length - 1)] ?? choices[0];
  }
}
