/** Trades in the order in which they were made; four words each: taker, maker (numbers in the stream), price step, Wh. */
export interface TradeTape {
  readonly words: Int32Array;
  readonly trades: number;
}

export const TRADE_WORDS = 4;

/**
 * Two chained 32-bit lanes over all words of the trades whose taker is one of the first `orders` orders, as 16 hexadecimal
 * digits. Takers rise along the tape, so the hash of a shorter replay is the hash of a prefix.
 */
export function tradeHash({ words, trades }: TradeTape, orders = Number.POSITIVE_INFINITY): string {
  let [high, low] = [0x811c9dc5 | 0, 0x9e3779b9 | 0];
  for (let at = 0; at < trades * TRADE_WORDS; at += 1) {
    if (at % TRADE_WORDS === 0 && (words[at] ?? 0) >= orders) break;
    const word = words[at] ?? 0;
    high = Math.imul(high ^ word, 0x01000193);
    low = Math.imul(((low << 13) | (low >>> 19)) ^ word, 0x5bd1e995);
  }
  return [high, low].map((lane) => (lane >>> 0).toString(16).padStart(8, '0')).join('');
}

/** Trades of several books, each in its own order, brought into the order of their takers. */
export function inOrderOfTakers(unordered: TradeTape, orders: number): TradeTape {
  const { words, trades } = unordered;
  const next = new Int32Array(orders + 1);
  for (let at = 0; at < trades * TRADE_WORDS; at += TRADE_WORDS) {
    const after = (words[at] ?? 0) + 1;
    next[after] = (next[after] ?? 0) + 1;
  }
  for (let order = 0; order < orders; order += 1) next[order + 1] = (next[order + 1] ?? 0) + (next[order] ?? 0);
  const ordered = new Int32Array(trades * TRADE_WORDS);
  for (let at = 0; at < trades * TRADE_WORDS; at += TRADE_WORDS) {
    const taker = words[at] ?? 0;
    const place = next[taker] ?? 0;
    ordered.set(words.subarray(at, at + TRADE_WORDS), place * TRADE_WORDS);
    next[taker] = place + 1;
  }
  return { words: ordered, trades };
}
