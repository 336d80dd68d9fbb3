import type { Book } from '../../src/domain/market/book.ts';
import { ORDER_TYPES } from '../../src/domain/market/order.ts';
import { verdictCode } from '../../src/domain/market/verdict.ts';
import { CANCEL, COMMAND_WORDS, type CommandStream, stepOfPrice } from './command-stream.ts';
import type { Replay } from './replay.ts';
import { inOrderOfTakers, TRADE_WORDS, type TradeTape } from './trade-tape.ts';

const LIMIT = ORDER_TYPES.indexOf('limit');
const IOC = ORDER_TYPES.indexOf('ioc');
const NOTHING_REPLACED = -1;
const ACCEPTED = verdictCode('accepted');

/** Any engine behind the interface `Book`, with every check that it makes. */
export class BookReplay<Product extends Book> implements Replay {
  readonly #stream: CommandStream;
  readonly #books: readonly Product[];
  #refused = 0;

  constructor(stream: CommandStream, books: readonly Product[]) {
    this.#stream = stream;
    this.#books = books;
  }

  play(from: number, to: number): void {
    const words = this.#stream.words;
    const books = this.#books;
    let refused = 0;
    for (let at = from * COMMAND_WORDS; at < to * COMMAND_WORDS; at += COMMAND_WORDS) {
      const operation = words[at] as number;
      const book = books[words[at + 1] as number] as Product;
      const member = words[at + 2] as number;
      const clientOrderId = words[at + 3] as number;
      const sequence = (at >> 3) + 1;
      if (operation === CANCEL) {
        book.cancel(member, clientOrderId, sequence);
        continue;
      }
      const type = operation < 2 ? LIMIT : IOC;
      const limit = words[at + 7] as number;
      const energy = words[at + 6] as number;
      const answer = book.place(
        member,
        clientOrderId,
        operation & 1,
        type,
        limit,
        energy,
        NOTHING_REPLACED,
        0,
        sequence,
      );
      if (answer !== ACCEPTED) refused += 1;
    }
    this.#refused += refused;
  }

  tape(): TradeTape {
    if (this.#refused > 0) throw new Error(`${this.#refused} orders of the stream were refused`);
    const numberOf = this.#orderNumbers();
    const trades = this.#books.reduce((sum, { tradeCount }) => sum + tradeCount, 0);
    const words = new Int32Array(trades * TRADE_WORDS);
    let at = 0;
    for (const book of this.#books) {
      for (let trade = 0; trade < book.tradeCount; trade += 1, at += TRADE_WORDS) {
        const { buyer, buyOrder, seller, sellOrder, price, energy } = book.tradeAt(trade);
        const [buy, sell] = [numberOf(buyer, buyOrder), numberOf(seller, sellOrder)];
        words.set([Math.max(buy, sell), Math.min(buy, sell), stepOfPrice(price), energy], at);
      }
    }
    return inOrderOfTakers({ words, trades }, this.#stream.orders);
  }

  /** By member and client order id, which count up member by member over all books of the stream. */
  #orderNumbers(): (member: number, clientOrderId: number) => number {
    const numbers = Array.from({ length: this.#stream.members }, () => [-1]);
    const { words } = this.#stream;
    for (let at = 0; at < words.length; at += COMMAND_WORDS) {
      if (words[at] !== CANCEL) numbers[words[at + 2] ?? 0]?.push(words[at + 4] ?? 0);
    }
    return (member, clientOrderId) => numbers[member]?.[clientOrderId] ?? -1;
  }
}
