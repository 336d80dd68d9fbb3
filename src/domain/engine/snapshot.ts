import type { ProductRules } from '../market/book.ts';
import { MemberDirectory } from '../market/member-directory.ts';
import { MemberTable } from '../market/member-table.ts';
import { clearingOf } from '../market/order-entry.ts';
import { ProductBook } from '../market/product-book.ts';
import { assert } from '../units/assert.ts';
import type { MemberId } from '../units/identity.ts';
import type { EpochMs } from '../units/time.ts';
import { asciiBytes, asciiText } from './ascii.ts';
import { joinParts, splitParts } from './byte-parts.ts';
import { type EngineState, newEngineState, type Product } from './state.ts';

/** Of the bytes below. A snapshot of another version is not read: the journal is replayed instead. */
export const SNAPSHOT_VERSION = 1;

type FlatProduct = Omit<Product, 'book' | 'clearing'> & { readonly rules: ProductRules | null };
type FlatState = Omit<EngineState, 'members' | 'products'> & {
  readonly version: number;
  readonly ids: readonly MemberId[];
  readonly products: readonly FlatProduct[];
};

/**
 * The whole state as bytes: equal states have equal bytes, so their hash is the hash of the state. First a text of
 * everything but the books, then the member table and the books, each with its length before it.
 */
export function snapshotState(state: EngineState): Uint8Array {
  const { members, products, ...plain } = state;
  const flat: FlatState = {
    ...plain,
    version: SNAPSHOT_VERSION,
    ids: members.ids,
    products: [...products.values()].map(({ book, clearing: _, ...product }) => ({
      ...product,
      rules: book?.rules ?? null,
    })),
  };
  const books = [...products.values()].flatMap(({ book }) => (book === null ? [] : [book.snapshot()]));
  return joinParts([asciiBytes(taggedText(flat)), members.table.snapshot(), ...books]);
}

/** The inverse, or null where another version wrote it. The bytes' checksum has been verified. */
export function restoreState(bytes: Uint8Array): EngineState | null {
  // Copied, so that each begins where a typed array may.
  const [text, table, ...books] = (splitParts(bytes) ?? []).map((part) => part.slice());
  assert(text !== undefined && table !== undefined, 'a snapshot has at least two parts');
  const { version, ids, products, ...plain } = fromTaggedText(asciiText(text)) as FlatState;
  if (version !== SNAPSHOT_VERSION) return null;
  const members = new MemberDirectory(MemberTable.restore(table), ids);
  const state: EngineState = { ...newEngineState(), ...plain, members };
  for (const { rules, ...product } of products) {
    const book = rules === null ? null : restoreBook(books.shift(), rules, members.table);
    const clearing = book?.isClosed === true ? clearingOf(book, members) : null;
    state.products.set(product.start, { ...product, book, clearing });
  }
  assert(books.length === 0, 'a snapshot with more books than products');
  return state;
}

function restoreBook(bytes: Uint8Array | undefined, rules: ProductRules, members: MemberTable): ProductBook {
  assert(bytes !== undefined, 'a snapshot without the book of a product');
  return ProductBook.restore(bytes, rules, members);
}

/** JSON with sorted keys in which maps, sets and bigints come back as what they were. */
function taggedText(value: unknown): string {
  return JSON.stringify(value, (_, inner) => {
    if (typeof inner === 'bigint') return { $n: inner.toString() };
    if (inner instanceof Map) return { $m: [...inner] };
    if (inner instanceof Set) return { $s: [...inner] };
    if (inner === null || typeof inner !== 'object' || Array.isArray(inner)) return inner;
    return Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)));
  });
}

function fromTaggedText(text: string): unknown {
  return JSON.parse(text, (_, inner) => {
    if (inner === null || typeof inner !== 'object') return inner;
    if ('$n' in inner) return BigInt(inner.$n);
    if ('$m' in inner) return new Map(inner.$m as [EpochMs, unknown][]);
    return '$s' in inner ? new Set(inner.$s) : inner;
  });
}
