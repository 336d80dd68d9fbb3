import type { OrderState } from './book.ts';
import { withRoom } from './growing-words.ts';
import { NO_ORDER } from './order-lines.ts';
import type { FateCode, VerdictCode } from './verdict.ts';

/** Words of one order. Withdrawing it reads and writes the first seven, the rest only answers questions. */
const RECORD_WORDS = 12;
const MEMBER = 0;
const CLIENT_ORDER_ID = 1;
const FLAGS = 2;
const LIMIT = 3;
const ENDED = 4;
const ENDED_AT = 5;
const ENERGY = 7;
const REPLACES = 8;
const SEQUENCE = 9;
const OLDER = 11;

/** Flags, from the lowest bit: side 1, type 2, replaces another 1, reserves collateral 1, answer 8, fate 4, zone 8. */
const TYPE_SHIFT = 1;
const REPLACES_BIT = 1 << 3;
const RESERVES_BIT = 1 << 4;
const ANSWER_SHIFT = 8;
const FATE_SHIFT = 16;
const FATE_MASK = 0xf << FATE_SHIFT;
const ZONE_SHIFT = 20;
const BYTE = 0xff;

const TWO_TO_32 = 2 ** 32;
/** Orders of a chunk. A full chunk is never copied; the first one starts small, for most books stay so. */
const CHUNK_BITS = 12;
const CHUNK_ORDERS = 1 << CHUNK_BITS;
const CHUNK_MASK = CHUNK_ORDERS - 1;
const FIRST_ORDERS = 16;

/** What an order was first sent as, in the words of `OrderState`. */
type Sent = Pick<OrderState, 'member' | 'clientOrderId' | 'side' | 'type' | 'limit' | 'energy' | 'replaces'>;

/**
 * What matching does not need to know: every order as it came, its first answer, and how it ended. By position, like
 * `OrderLines`. Nothing is ever removed.
 */
export class OrderRecords {
  readonly #chunks = [new Int32Array(FIRST_ORDERS * RECORD_WORDS)];

  get bytesHeld(): number {
    return this.#chunks.reduce((sum, { byteLength }) => sum + byteLength, 0);
  }

  /** Writes down an order as it came. `flags`: from `flagsOf`. Positions come in order. */
  write(
    position: number,
    member: number,
    clientOrderId: number,
    flags: number,
    limit: number,
    energy: number,
    replaces: number,
    sequence: number,
  ): void {
    const words = this.#chunkForNext(position);
    const at = (position & CHUNK_MASK) * RECORD_WORDS;
    words[at + MEMBER] = member;
    words[at + CLIENT_ORDER_ID] = clientOrderId;
    words[at + FLAGS] = flags;
    words[at + LIMIT] = limit;
    words[at + ENERGY] = energy;
    words[at + REPLACES] = replaces;
    words[at + SEQUENCE] = sequence;
    words[at + SEQUENCE + 1] = (sequence / TWO_TO_32) | 0;
  }

  /** Writes down that `energy` Wh of an order will not trade any more, and why. */
  end(position: number, energy: number, fate: FateCode): void {
    const words = this.#chunk(position);
    const at = (position & CHUNK_MASK) * RECORD_WORDS;
    words[at + FLAGS] = ((words[at + FLAGS] as number) & ~FATE_MASK) | (fate << FATE_SHIFT);
    words[at + ENDED] = energy;
  }

  /** Writes down when an order was withdrawn or replaced. */
  stamp(position: number, sequence: number): void {
    const words = this.#chunk(position);
    const at = (position & CHUNK_MASK) * RECORD_WORDS + ENDED_AT;
    words[at] = sequence;
    words[at + 1] = (sequence / TWO_TO_32) | 0;
  }

  isOf(position: number, member: number, clientOrderId: number): boolean {
    const words = this.#chunk(position);
    const at = (position & CHUNK_MASK) * RECORD_WORDS;
    return words[at + MEMBER] === member && words[at + CLIENT_ORDER_ID] === (clientOrderId | 0);
  }

  member(position: number): number {
    return this.#word(position, MEMBER);
  }

  clientOrderId(position: number): number {
    return this.#word(position, CLIENT_ORDER_ID) >>> 0;
  }

  side(position: number): number {
    return this.#flags(position) & 1;
  }

  type(position: number): number {
    return (this.#flags(position) >> TYPE_SHIFT) & 3;
  }

  limit(position: number): number {
    return this.#word(position, LIMIT);
  }

  energy(position: number): number {
    return this.#word(position, ENERGY);
  }

  /** Client order id of the order it takes the place of; -1: none. */
  replaces(position: number): number {
    if ((this.#flags(position) & REPLACES_BIT) === 0) return NO_ORDER;
    return this.#word(position, REPLACES) >>> 0;
  }

  answer(position: number): VerdictCode {
    return (this.#flags(position) >> ANSWER_SHIFT) & BYTE;
  }

  /** Of an order that has ended; 0 where none was written down. */
  fate(position: number): FateCode {
    return (this.#flags(position) & FATE_MASK) >> FATE_SHIFT;
  }

  zone(position: number): number {
    return (this.#flags(position) >> ZONE_SHIFT) & BYTE;
  }

  reserves(position: number): boolean {
    return (this.#flags(position) & RESERVES_BIT) !== 0;
  }

  /** Wh that neither traded nor will. */
  ended(position: number): number {
    return this.#word(position, ENDED);
  }

  endedAt(position: number): number {
    return readWide(this.#chunk(position), (position & CHUNK_MASK) * RECORD_WORDS + ENDED_AT);
  }

  sequence(position: number): number {
    return readWide(this.#chunk(position), (position & CHUNK_MASK) * RECORD_WORDS + SEQUENCE);
  }

  sent(position: number): Sent {
    return {
      member: this.member(position),
      clientOrderId: this.clientOrderId(position),
      side: this.side(position),
      type: this.type(position),
      limit: this.limit(position),
      energy: this.energy(position),
      replaces: this.replaces(position),
    };
  }

  /** The member's next older order of the same side that may be open; `NO_ORDER`: none. Kept by `PositionTable`. */
  older(position: number): number {
    return this.#word(position, OLDER);
  }

  setOlder(position: number, older: number): void {
    this.#chunk(position)[(position & CHUNK_MASK) * RECORD_WORDS + OLDER] = older;
  }

  /** The words of the first `count` orders, without what `PositionTable` can find again. */
  content(count: number): Int32Array {
    const words = new Int32Array(count * RECORD_WORDS);
    for (const [chunk, part] of this.#chunks.entries()) {
      const from = chunk * CHUNK_ORDERS * RECORD_WORDS;
      words.set(part.subarray(0, words.length - from), from);
    }
    for (let at = OLDER; at < words.length; at += RECORD_WORDS) words[at] = 0;
    return words;
  }

  /** Takes over the content of other records. */
  load(content: Int32Array): void {
    for (let position = 0; position * RECORD_WORDS < content.length; position += CHUNK_ORDERS) {
      const part = content.subarray(position * RECORD_WORDS, (position + CHUNK_ORDERS) * RECORD_WORDS);
      const isFull = position > 0 || part.length === CHUNK_ORDERS * RECORD_WORDS;
      this.#chunks[position >>> CHUNK_BITS] = withRoom(part, (isFull ? CHUNK_ORDERS : FIRST_ORDERS) * RECORD_WORDS);
    }
  }

  #chunk(position: number): Int32Array {
    return this.#chunks[position >>> CHUNK_BITS] as Int32Array;
  }

  #word(position: number, word: number): number {
    return this.#chunk(position)[(position & CHUNK_MASK) * RECORD_WORDS + word] as number;
  }

  #chunkForNext(position: number): Int32Array {
    const chunk = this.#chunks[position >>> CHUNK_BITS];
    if (chunk !== undefined && (position & CHUNK_MASK) * RECORD_WORDS < chunk.length) return chunk;
    const length =
      Math.min(chunk === undefined ? CHUNK_ORDERS : (position & CHUNK_MASK) * 2, CHUNK_ORDERS) * RECORD_WORDS;
    const wider = chunk === undefined ? new Int32Array(length) : withRoom(chunk, length);
    this.#chunks[position >>> CHUNK_BITS] = wider;
    return wider;
  }

  #flags(position: number): number {
    return this.#word(position, FLAGS);
  }
}

/** Side, type and first answer of an order in one word, and whether it replaces another. */
export function flagsOf(side: number, type: number, replaces: number, answer: VerdictCode): number {
  return side | (type << TYPE_SHIFT) | (replaces === NO_ORDER ? 0 : REPLACES_BIT) | (answer << ANSWER_SHIFT);
}

/** To be added for an accepted order: the zone that its fee is of, and whether it holds collateral. */
export function acceptedFlags(zone: number, reserves: boolean): number {
  return (zone << ZONE_SHIFT) | (reserves ? RESERVES_BIT : 0);
}

/** A safe integer >= 0 in two words. */
function readWide(words: Int32Array, at: number): number {
  return (words[at + 1] as number) * TWO_TO_32 + ((words[at] as number) >>> 0);
}
