import { CANCEL, COMMAND_WORDS, type CommandStream } from './command-stream.ts';
import { type Replay, serveReplays } from './replay.ts';
import { TRADE_WORDS, type TradeTape } from './trade-tape.ts';

/** What is used of the package `nodejs-order-book`. */
interface PeerBook {
  limit(order: { id: string; side: string; size: number; price: number; timeInForce: string }): PeerAnswer;
  cancel(id: string): unknown;
}

interface PeerAnswer {
  readonly done: readonly { readonly id: string; readonly size: number; readonly price: number }[];
  readonly partial: { readonly id: string; readonly price: number } | null;
  readonly partialQuantityProcessed: number;
  readonly err: unknown;
}

/** Where it is not installed here, BENCH_NODEJS_ORDER_BOOK names its folder. */
const { OrderBook } = await import(process.env.BENCH_NODEJS_ORDER_BOOK ?? 'nodejs-order-book');

/** Prices are steps plus one: the package wants them above zero. Its answers hold its trades; reading them is timed. */
class PeerReplay implements Replay {
  readonly #stream: CommandStream;
  readonly #books: PeerBook[];
  readonly #ids: string[];
  readonly #tape: number[] = [];

  constructor(stream: CommandStream) {
    this.#stream = stream;
    this.#books = Array.from({ length: stream.books }, () => new OrderBook());
    this.#ids = Array.from({ length: stream.orders }, (_, order) => `o${order}`);
  }

  play(from: number, to: number): void {
    const words = this.#stream.words;
    for (let at = from * COMMAND_WORDS; at < to * COMMAND_WORDS; at += COMMAND_WORDS) {
      const operation = words[at] as number;
      const book = this.#books[words[at + 1] as number] as PeerBook;
      const order = words[at + 4] as number;
      const id = this.#ids[order] as string;
      if (operation === CANCEL) book.cancel(id);
      else {
        const side = (operation & 1) === 0 ? 'buy' : 'sell';
        const price = (words[at + 5] as number) + 1;
        const size = words[at + 6] as number;
        const timeInForce = operation < 2 ? 'GTC' : 'IOC';
        this.#record(order, id, book.limit({ id, side, size, price, timeInForce }));
      }
    }
  }

  tape(): TradeTape {
    return { words: Int32Array.from(this.#tape), trades: this.#tape.length / TRADE_WORDS };
  }

  #record(taker: number, id: string, answer: PeerAnswer): void {
    if (answer.err !== null) throw new Error(`nodejs-order-book refused order ${id}: ${String(answer.err)}`);
    for (const maker of answer.done) {
      if (maker.id !== id) this.#tape.push(taker, Number(maker.id.slice(1)), maker.price - 1, maker.size);
    }
    const { partial } = answer;
    if (partial === null || partial.id === id) return;
    this.#tape.push(taker, Number(partial.id.slice(1)), partial.price - 1, answer.partialQuantityProcessed);
  }
}

await serveReplays((stream) => new PeerReplay(stream));
