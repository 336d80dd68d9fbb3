import { PriceTimeBook } from '../../src/domain/market/price-time-book.ts';
import { CANCEL, COMMAND_WORDS, type CommandStream, LADDER_STEPS } from './command-stream.ts';
import { type Replay, serveReplays } from './replay.ts';
import { inOrderOfTakers, TRADE_WORDS, type TradeTape } from './trade-tape.ts';

/** The bare book names orders by position, which its caller keeps; they are looked up before the clock starts. */
class BareReplay implements Replay {
  readonly #stream: CommandStream;
  readonly #books: PriceTimeBook[];
  readonly #numbers: number[][];
  readonly #positionOf: Int32Array;

  constructor(stream: CommandStream) {
    this.#stream = stream;
    this.#books = Array.from({ length: stream.books }, () => new PriceTimeBook(LADDER_STEPS));
    this.#numbers = Array.from({ length: stream.books }, () => []);
    this.#positionOf = new Int32Array(stream.orders);
    for (let at = 0; at < stream.words.length; at += COMMAND_WORDS) {
      const [operation, book = 0, , , order = 0] = stream.words.subarray(at, at + COMMAND_WORDS);
      if (operation !== CANCEL) this.#positionOf[order] = (this.#numbers[book]?.push(order) ?? 0) - 1;
    }
  }

  play(from: number, to: number): void {
    const words = this.#stream.words;
    const books = this.#books;
    const positionOf = this.#positionOf;
    for (let at = from * COMMAND_WORDS; at < to * COMMAND_WORDS; at += COMMAND_WORDS) {
      const operation = words[at] as number;
      const book = books[words[at + 1] as number] as PriceTimeBook;
      if (operation === CANCEL) {
        const position = positionOf[words[at + 4] as number] as number;
        if (book.lines.openOf(position) > 0) book.remove(position);
        continue;
      }
      const side = operation & 1;
      const step = words[at + 5] as number;
      const energy = words[at + 6] as number;
      if (operation < 2) book.add(side, step, energy);
      else book.match(book.lines.append((step << 1) | side), side, step, energy);
    }
  }

  tape(): TradeTape {
    const trades = this.#books.reduce((sum, { tape }) => sum + tape.count, 0);
    const words = new Int32Array(trades * TRADE_WORDS);
    let at = 0;
    for (const [book, { tape, lines }] of this.#books.entries()) {
      const numbers = this.#numbers[book] ?? [];
      for (let trade = 0; trade < tape.count; trade += 1, at += TRADE_WORDS) {
        const maker = tape.maker(trade);
        words[at] = numbers[tape.taker(trade)] ?? 0;
        words[at + 1] = numbers[maker] ?? 0;
        words[at + 2] = lines.keyOf(maker) >> 1;
        words[at + 3] = tape.energy(trade);
      }
    }
    return inOrderOfTakers({ words, trades }, this.#stream.orders);
  }
}

await serveReplays((stream) => new BareReplay(stream));
