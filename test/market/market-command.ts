import type {
  Book,
  MemberNumber,
  MemberRules,
  Members,
  Placement,
  ProductRules,
} from '../../src/domain/market/book.ts';
import { ORDER_TYPES, SIDES } from '../../src/domain/market/order.ts';
import { VERDICTS } from '../../src/domain/market/verdict.ts';

/** One market: its members and the books they share. */
export interface Market {
  readonly members: Members;
  readonly books: readonly Book[];
  /** Stops, and goes on from its snapshots, where it can. */
  restart?(): void;
}

export type MarketMaker = (products: readonly ProductRules[]) => Market;

/** All that can happen to a market. `book` is a place in `books`. */
export type MarketCommand =
  | { readonly kind: 'admit'; readonly id: string; readonly rules: MemberRules }
  | { readonly kind: 'change'; readonly member: MemberNumber; readonly rules: MemberRules }
  | { readonly kind: 'halt'; readonly member: MemberNumber; readonly halted: boolean }
  | { readonly kind: 'halt-market'; readonly halted: boolean }
  | PlaceCommand
  | {
      readonly kind: 'cancel';
      readonly book: number;
      readonly member: MemberNumber;
      readonly clientOrderId: number;
      readonly sequence: number;
    }
  | { readonly kind: 'close-gate'; readonly book: number }
  | { readonly kind: 'release'; readonly book: number };

export interface PlaceCommand extends Placement {
  readonly kind: 'place';
  readonly book: number;
  readonly clockOffMs: number;
  readonly sequence: number;
}

/** What happened, from the first command on: enough to do it again. */
export interface Episode {
  readonly products: readonly ProductRules[];
  /** The other market is stopped and goes on after so many commands, again and again; 0: it runs on. */
  readonly restartEvery: number;
  readonly commands: readonly MarketCommand[];
}

/** Carries the command out; the answer's name, where there is one. */
export function apply(market: Market, command: MarketCommand): string | null {
  switch (command.kind) {
    case 'admit':
      return String(market.members.admit(command.id, command.rules));
    case 'change':
      market.members.change(command.member, command.rules);
      return null;
    case 'halt':
      market.members.halt(command.member, command.halted);
      return null;
    case 'halt-market':
      market.members.haltMarket(command.halted);
      return null;
    case 'place':
      return place(bookOf(market, command.book), command);
    case 'cancel': {
      const { member, clientOrderId, sequence } = command;
      return nameOf(bookOf(market, command.book).cancel(member, clientOrderId, sequence));
    }
    case 'close-gate':
      bookOf(market, command.book).closeGate();
      return null;
    case 'release':
      bookOf(market, command.book).release();
      return null;
  }
}

export function place(book: Book, command: Omit<PlaceCommand, 'kind' | 'book'>): string {
  const { member, clientOrderId, side, type, limit, energy, replaces, clockOffMs, sequence } = command;
  return nameOf(book.place(member, clientOrderId, side, type, limit, energy, replaces, clockOffMs, sequence));
}

export function bookOf(market: Market, position: number): Book {
  const book = market.books[position];
  if (book === undefined) throw new Error(`no book ${position}`);
  return book;
}

function nameOf(code: number): string {
  return VERDICTS[code] ?? `no verdict ${code}`;
}

/** One line a command, for people. */
export function describeCommand(command: MarketCommand): string {
  if (command.kind === 'place') {
    const { book, member, clientOrderId, side, type, limit, energy, replaces, clockOffMs, sequence } = command;
    const rest = `${replaces === -1 ? '' : ` replaces ${replaces}`}${clockOffMs === 0 ? '' : ` clock off ${clockOffMs}`}`;
    const what = `${SIDES[side]} ${ORDER_TYPES[type]} ${energy} Wh at ${limit}${rest}`;
    return `${sequence}: book ${book}, member ${member}, order ${clientOrderId}: ${what}`;
  }
  if (command.kind === 'cancel') {
    return `${command.sequence}: book ${command.book}, member ${command.member}: cancel order ${command.clientOrderId}`;
  }
  return JSON.stringify(command);
}
