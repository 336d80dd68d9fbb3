import { NaiveMembers } from '../../src/domain/market/naive-members.ts';
import { NaiveProductBook } from '../../src/domain/market/naive-product-book.ts';
import { BookReplay } from './book-replay.ts';
import { admitMembers, benchProduct } from './market-rules.ts';
import { serveReplays } from './replay.ts';

await serveReplays((stream) => {
  const members = new NaiveMembers();
  admitMembers(members, stream.members);
  const rules = benchProduct('continuous');
  return new BookReplay(
    stream,
    Array.from({ length: stream.books }, () => new NaiveProductBook(rules, members)),
  );
});
