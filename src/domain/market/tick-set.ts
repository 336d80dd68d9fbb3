import { assert } from '../units/assert.ts';

/** Far above the 65,536 ticks of a band, so that a wrong tick is found before it takes the memory. */
const MAX_TICKS = 2 ** 20;

/**
 * Which ticks of a ladder hold orders. One bit a tick, one bit a word of 32 ticks, one bit a group of 1,024 ticks: the
 * neighbour of a tick is found in a few instructions, however far away it is.
 */
export class TickSet {
  /** Ticks are 0 to size - 1. */
  readonly size: number;
  readonly #words: Int32Array;
  readonly #groups: Int32Array;
  readonly #tops: Int32Array;

  constructor(size: number) {
    assert(size >= 0 && size <= MAX_TICKS, `a ladder of ${size} ticks, at most ${MAX_TICKS}`);
    this.size = size;
    this.#words = new Int32Array((size + 31) >>> 5);
    this.#groups = new Int32Array((size + 1023) >>> 10);
    this.#tops = new Int32Array((size + 32767) >>> 15);
  }

  get bytesHeld(): number {
    return this.#words.byteLength + this.#groups.byteLength + this.#tops.byteLength;
  }

  add(tick: number): void {
    const word = tick >>> 5;
    const before = this.#words[word] as number;
    this.#words[word] = before | (1 << (tick & 31));
    if (before === 0) this.#addWord(word);
  }

  remove(tick: number): void {
    const word = tick >>> 5;
    const left = (this.#words[word] as number) & ~(1 << (tick & 31));
    this.#words[word] = left;
    if (left === 0) this.#removeWord(word);
  }

  /** The lowest tick of the set above `tick`; `size` where there is none. */
  above(tick: number): number {
    const word = tick >>> 5;
    // Shifting by 31 leaves nothing: the sign bit has no neighbour above it.
    const bits = (this.#words[word] as number) & (-2 << (tick & 31));
    return bits !== 0 ? (word << 5) + lowestBit(bits) : this.#aboveWord(word);
  }

  /** The highest tick of the set below `tick`; -1 where there is none. */
  below(tick: number): number {
    const word = tick >>> 5;
    const bits = (this.#words[word] as number) & ((1 << (tick & 31)) - 1);
    return bits !== 0 ? (word << 5) + highestBit(bits) : this.#belowWord(word);
  }

  #addWord(word: number): void {
    const group = word >>> 5;
    const before = this.#groups[group] as number;
    this.#groups[group] = before | (1 << (word & 31));
    if (before === 0) this.#tops[group >>> 5] = (this.#tops[group >>> 5] as number) | (1 << (group & 31));
  }

  #removeWord(word: number): void {
    const group = word >>> 5;
    const left = (this.#groups[group] as number) & ~(1 << (word & 31));
    this.#groups[group] = left;
    if (left === 0) this.#tops[group >>> 5] = (this.#tops[group >>> 5] as number) & ~(1 << (group & 31));
  }

  #aboveWord(word: number): number {
    let group = word >>> 5;
    let bits = (this.#groups[group] as number) & (-2 << (word & 31));
    if (bits === 0) {
      group = this.#groupAbove(group);
      if (group < 0) return this.size;
      bits = this.#groups[group] as number;
    }
    const next = (group << 5) + lowestBit(bits);
    return (next << 5) + lowestBit(this.#words[next] as number);
  }

  #belowWord(word: number): number {
    let group = word >>> 5;
    let bits = (this.#groups[group] as number) & ((1 << (word & 31)) - 1);
    if (bits === 0) {
      group = this.#groupBelow(group);
      if (group < 0) return -1;
      bits = this.#groups[group] as number;
    }
    const next = (group << 5) + highestBit(bits);
    return (next << 5) + highestBit(this.#words[next] as number);
  }

  #groupAbove(group: number): number {
    let top = group >>> 5;
    let bits = (this.#tops[top] as number) & (-2 << (group & 31));
    while (bits === 0) {
      top += 1;
      if (top >= this.#tops.length) return -1;
      bits = this.#tops[top] as number;
    }
    return (top << 5) + lowestBit(bits);
  }

  #groupBelow(group: number): number {
    let top = group >>> 5;
    let bits = (this.#tops[top] as number) & ((1 << (group & 31)) - 1);
    while (bits === 0) {
      top -= 1;
      if (top < 0) return -1;
      bits = this.#tops[top] as number;
    }
    return (top << 5) + highestBit(bits);
  }
}

function lowestBit(bits: number): number {
  return 31 - Math.clz32(bits & -bits);
}

function highestBit(bits: number): number {
  return 31 - Math.clz32(bits);
}
