import { withRoom } from './growing-words.ts';
import type { OrderRecords } from './order-records.ts';

/** Slots of a cache line: so many ids in a row of one member lie side by side, for members count their orders up. */
const BLOCK_BITS = 4;
const BLOCK_SLOTS = 1 << BLOCK_BITS;
/** To the next block and the next place in it. Odd, so that every slot is reached. */
const STEP = BLOCK_SLOTS + 1;
const FIRST_SLOTS = 4 * BLOCK_SLOTS;
/** Of 8 slots, how many are taken before the table doubles. */
const FULL_EIGHTHS = 4;

/**
 * Finds an order by member and client order id: open addressing, nothing is ever deleted. A slot is one word, 0 where
 * it is free: its lower bits are the position + 1, which is at most the number of slots, and its upper bits are of the
 * hash and spare most looks into the records.
 */
export class OrderKeys {
  readonly #records: OrderRecords;
  #slots = new Int32Array(FIRST_SLOTS);
  /** By position, so that the table doubles without a look into the records. */
  #hashes = new Int32Array(FIRST_SLOTS);
  #count = 0;

  constructor(records: OrderRecords) {
    this.#records = records;
  }

  get bytesHeld(): number {
    return this.#slots.byteLength + this.#hashes.byteLength;
  }

  /** The position of the order; where there is none, the complement of the free slot for `put`: below 0. */
  find(member: number, clientOrderId: number): number {
    const slots = this.#slots;
    const last = slots.length - 1;
    const hash = hashOf(member, clientOrderId);
    let slot = hash & last;
    for (;;) {
      const found = slots[slot] as number;
      if (found === 0) return ~slot;
      if (((found ^ hash) & ~last) === 0) {
        const position = (found & last) - 1;
        if (this.#records.isOf(position, member, clientOrderId)) return position;
      }
      slot = (slot + STEP) & last;
    }
  }

  /** Puts the next order into the slot that `find` named; nothing was put in between. Orders come in order of position. */
  put(freeSlot: number, member: number, clientOrderId: number): void {
    const slots = this.#slots;
    const position = this.#count;
    const hash = hashOf(member, clientOrderId);
    this.#count = position + 1;
    this.#hashes[position] = hash;
    slots[~freeSlot] = (hash & -slots.length) | this.#count;
    if (this.#count * 8 > slots.length * FULL_EIGHTHS) this.#grow();
  }

  #grow(): void {
    const slots = new Int32Array(this.#slots.length * 2);
    const last = slots.length - 1;
    const hashes = this.#hashes;
    for (let position = 0; position < this.#count; position += 1) {
      const hash = hashes[position] as number;
      let slot = hash & last;
      while (slots[slot] !== 0) slot = (slot + STEP) & last;
      slots[slot] = (hash & ~last) | (position + 1);
    }
    this.#slots = slots;
    this.#hashes = withRoom(hashes, (slots.length / 8) * FULL_EIGHTHS + 1);
  }
}

/** The place in a block, and above it what member and block of ids mix to. */
function hashOf(member: number, clientOrderId: number): number {
  let mixed = Math.imul(member, 0x9e3779b1) ^ (clientOrderId >>> BLOCK_BITS);
  mixed = Math.imul(mixed ^ (mixed >>> 15), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return ((mixed ^ (mixed >>> 16)) << BLOCK_BITS) | (clientOrderId & (BLOCK_SLOTS - 1));
}
