import { closeSync, openSync, readFileSync, writeSync } from 'node:fs';

/**
 * A stream of commands that every engine replays: eight 32-bit words a command, little endian, after a header of eight.
 *
 * word 0: operation (0 buy, 1 sell, 2 buy ioc, 3 sell ioc, 4 cancel)   1: book   2: member   3: client order id
 * word 4: number of the order in the stream, from 0   5: limit as a step of the ladder   6: energy, Wh
 * word 7: the same limit in micro-currency per kWh. A cancel carries words 1 to 4 of the order it names.
 */
export const COMMAND_WORDS = 8;
export const CANCEL = 4;

/** The ladder of every stream: 512 prices. */
export const LADDER_STEPS = 512;
export const LOWEST_PRICE = 60_000;
export const PRICE_TICK = 100;

const MAGIC = 0x4d4b5431;

export interface StreamHeader {
  readonly books: number;
  readonly members: number;
  /** Commands that fill the books before the clock starts. */
  readonly prefill: number;
  readonly commands: number;
  /** How many of the commands are orders. */
  readonly orders: number;
}

export interface CommandStream extends StreamHeader {
  readonly words: Int32Array;
}

export function priceAtStep(step: number): number {
  return LOWEST_PRICE + step * PRICE_TICK;
}

export function stepOfPrice(price: number): number {
  return (price - LOWEST_PRICE) / PRICE_TICK;
}

export function writeStream(path: string, stream: CommandStream): void {
  const { books, members, prefill, commands, orders, words } = stream;
  const file = openSync(path, 'w');
  writeSync(file, Int32Array.of(MAGIC, books, members, prefill, commands, orders, LADDER_STEPS, 0));
  for (let done = 0; done < words.byteLength; ) {
    done += writeSync(file, new Uint8Array(words.buffer, words.byteOffset + done, words.byteLength - done));
  }
  closeSync(file);
}

/** @throws where the file is no stream */
export function readStream(path: string): CommandStream {
  const bytes = readFileSync(path);
  const all = new Int32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4);
  const [magic, books = 0, members = 0, prefill = 0, commands = 0, orders = 0] = all;
  if (magic !== MAGIC) throw new Error(`${path} is no command stream`);
  return { books, members, prefill, commands, orders, words: all.subarray(COMMAND_WORDS) };
}

/** How many orders the first `commands` commands hold. */
export function ordersWithin(stream: CommandStream, commands: number): number {
  let orders = 0;
  for (let at = 0; at < commands * COMMAND_WORDS; at += COMMAND_WORDS) {
    if (stream.words[at] !== CANCEL) orders += 1;
  }
  return orders;
}
