import { MemberTable } from '../../src/domain/market/member-table.ts';
import { ProductBook } from '../../src/domain/market/product-book.ts';
import { BookReplay } from './book-replay.ts';
import { admitMembers, benchProduct } from './market-rules.ts';
import { serveReplays } from './replay.ts';

await serveReplays((stream) => {
  const members = new MemberTable();
  admitMembers(members, stream.members);
  const rules = benchProduct('continuous');
  return new BookReplay(
    stream,
    Array.from({ length: stream.books }, () => new ProductBook(rules, members)),
  );
});
