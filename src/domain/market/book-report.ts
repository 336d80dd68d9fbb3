import { assert } from '../units/assert.ts';
import type { BookTrade, OrderState } from './book.ts';
import type { CallBook, ClosedCall } from './call-closing.ts';
import type { TradeTape } from './trade-tape.ts';
import { type FateCode, fateCode, verdictCode } from './verdict.ts';

const BUY = 0;
const ACCEPTED = verdictCode('accepted');
const OPEN = fateCode('open');
const FILLED = fateCode('filled');
const NO_TRADE = fateCode('no_trade');

/** All that a book knows of one order. */
export function orderStateOf(book: CallBook, position: number): OrderState {
  const { lines, records } = book;
  assert(position >= 0 && position < lines.count, `no order at ${position}`);
  const answer = records.answer(position);
  const open = lines.openOf(position);
  const filled = answer === ACCEPTED ? records.energy(position) - open - records.ended(position) : 0;
  const times = { sequence: records.sequence(position), endedAt: records.endedAt(position) };
  return { ...records.sent(position), ...times, answer, filled, open, fate: fateOf(book, position) };
}

/** Only an end without a full fill was written down in a continuous book. */
function fateOf({ lines, records }: CallBook, position: number): FateCode {
  if (records.answer(position) !== ACCEPTED) return NO_TRADE;
  if (lines.openOf(position) > 0) return OPEN;
  const written = records.fate(position);
  return written === OPEN ? FILLED : written;
}

/** A trade of a continuous book, at the price of the order that stood. */
export function continuousTrade(book: CallBook, tape: TradeTape, trade: number): BookTrade {
  const [taker, maker] = [tape.taker(trade), tape.maker(trade)];
  const key = book.lines.keyOf(maker);
  const price = book.ladder.priceAt(key >> 1);
  const [buy, sell] = (key & 1) === BUY ? [maker, taker] : [taker, maker];
  return { ...partiesOf(book, buy, sell), energy: tape.energy(trade), price, sellerPrice: price };
}

/** A trade of a call, at the price of the buyer's zone, which the seller's may differ from. */
export function callTrade(book: CallBook, { trades, result }: ClosedCall, trade: number): BookTrade {
  const [buy, sell] = [trades.buys[trade] as number, trades.sells[trade] as number];
  const price = result.prices[priceZone(book, buy)] ?? null;
  const sellerPrice = result.prices[priceZone(book, sell)] ?? null;
  assert(price !== null && sellerPrice !== null, 'a trade in a zone that was not cleared');
  return { ...partiesOf(book, buy, sell), energy: trades.energies[trade] as number, price, sellerPrice };
}

function priceZone({ rules, records }: CallBook, position: number): number {
  return rules.fees.length === 1 ? 0 : records.zone(position);
}

function partiesOf(
  { records }: CallBook,
  buy: number,
  sell: number,
): Pick<BookTrade, 'buyer' | 'buyOrder' | 'seller' | 'sellOrder'> {
  return {
    buyer: records.member(buy),
    buyOrder: records.clientOrderId(buy),
    seller: records.member(sell),
    sellOrder: records.clientOrderId(sell),
  };
}
