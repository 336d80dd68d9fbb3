import type { Book, Members, ProductRules } from '../../src/domain/market/book.ts';
import type { MemberTable } from '../../src/domain/market/member-table.ts';
import type { ProductBook } from '../../src/domain/market/product-book.ts';
import type { Market } from './market-command.ts';

/** The fast book and its members, from the source or from a changed copy of it. */
export interface MarketModules {
  readonly MemberTable: typeof MemberTable;
  readonly ProductBook: typeof ProductBook;
}

/** A fast market that can be stopped at any moment and goes on from its snapshots. */
export class RestartingMarket implements Market {
  readonly #modules: MarketModules;
  #members: MemberTable;
  #books: ProductBook[];

  constructor(modules: MarketModules, products: readonly ProductRules[]) {
    this.#modules = modules;
    const members = new modules.MemberTable();
    this.#members = members;
    this.#books = products.map((rules) => new modules.ProductBook(rules, members));
  }

  get members(): Members {
    return this.#members;
  }

  get books(): readonly Book[] {
    return this.#books;
  }

  /** The members' snapshot, then each book's. */
  snapshots(): Uint8Array[] {
    return [this.#members.snapshot(), ...this.#books.map((book) => book.snapshot())];
  }

  restart(): void {
    const { MemberTable, ProductBook } = this.#modules;
    const members = MemberTable.restore(this.#members.snapshot());
    this.#books = this.#books.map((book) => ProductBook.restore(book.snapshot(), book.rules, members));
    this.#members = members;
  }
}
