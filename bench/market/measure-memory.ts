import { MemberTable } from '../../src/domain/market/member-table.ts';
import { ORDER_TYPES } from '../../src/domain/market/order.ts';
import { ProductBook } from '../../src/domain/market/product-book.ts';
import { LADDER_STEPS, priceAtStep } from './command-stream.ts';
import { admitMembers, benchProduct } from './market-rules.ts';
import { rounded } from './rounds.ts';

const LIMIT = ORDER_TYPES.indexOf('limit');
const MEMBERS = 1000;

for (const [books, orders] of [
  [1, 1_000_000],
  [672, 672_000],
] as const) {
  measure(books, orders);
}

/** Heap and array buffers after a collection, against what stood there with the empty books. */
function measure(books: number, orders: number): void {
  const members = new MemberTable();
  admitMembers(members, MEMBERS);
  const rules = benchProduct('continuous');
  bytesHeld();
  const before = bytesHeld();
  const all = Array.from({ length: books }, () => new ProductBook(rules, members));
  const empty = bytesHeld();
  for (let order = 0; order < orders; order += 1) restOne(all[order % books], Math.floor(order / books), order + 1);
  const full = bytesHeld();
  if (all.reduce((sum, book) => sum + book.orderCount, 0) !== orders) throw new Error('not every order rests');
  const bytesPerOrder = rounded((full - empty) / orders);
  const bytesPerEmptyBook = Math.round((empty - before) / books);
  console.log(
    JSON.stringify({ bench: 'market', memory: 'full', books, resting: orders, bytesPerOrder, bytesPerEmptyBook }),
  );
}

/** Buys in the lower half of the ladder, sells in the upper. */
function restOne(book: ProductBook | undefined, place: number, sequence: number): void {
  const member = place % MEMBERS;
  const side = member % 2;
  const step = side * (LADDER_STEPS / 2) + (sequence % (LADDER_STEPS / 2));
  book?.place(member, 1 + Math.floor(place / MEMBERS), side, LIMIT, priceAtStep(step), 100, -1, 0, sequence);
}

function bytesHeld(): number {
  globalThis.gc?.();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
