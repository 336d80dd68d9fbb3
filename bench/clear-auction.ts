import { createHash } from 'node:crypto';
import { type CallRules, clearCall } from '../src/domain/market/call-auction.ts';
import { naiveClearCall } from '../src/domain/market/naive-call-auction.ts';
import type { RestingOrder } from '../src/domain/market/order.ts';
import type { Clearing } from '../src/domain/market/trade.ts';
import { wh } from '../src/domain/units/energy.ts';
import type { MarketId, MemberId } from '../src/domain/units/identity.ts';
import { pricePerKwh } from '../src/domain/units/price.ts';
import { epochMs } from '../src/domain/units/time.ts';

/** `ticks`: how many prices the limits spread over. `rounds`: odd, so that the median is one of them. */
export interface ClearAuctionOptions {
  readonly orders?: number;
  readonly ticks?: number;
  readonly rounds?: number;
  readonly seed?: number;
  /** Sizes that the fast clearing alone is measured at. */
  readonly large?: readonly number[];
}

const TICK = 100;

/** The clearing against its naive twin, round by round on the same book with equal trades; then the large books alone. */
export function* runBench(options: ClearAuctionOptions = {}): Generator<Record<string, string | number>> {
  const { orders = 2000, ticks = 400, rounds = 5, seed = 1, large = [100_000, 1_000_000] } = options;
  for (const rationing of ['pro-rata', 'price-time'] as const) {
    yield compare(randomBook(orders, ticks, seed), { tick: TICK, rationing }, rounds, ticks);
    for (const size of large) {
      const book = randomBook(size, ticks, seed);
      const times = Array.from({ length: rounds }, () => timed(() => clearCall(book, { tick: TICK, rationing })).ms);
      yield { bench: 'clear-auction', rationing, orders: size, ticks, clearMs: median(times) };
    }
  }
}

function compare(book: readonly RestingOrder[], rules: CallRules, rounds: number, ticks: number) {
  const times: { clear: number; naive: number }[] = [];
  let hash = '';
  for (let round = 0; round < rounds; round += 1) {
    const fast = timed(() => clearCall(book, rules));
    const naive = timed(() => naiveClearCall(book, rules));
    hash = hashOf(fast.value);
    if (hash !== hashOf(naive.value)) throw new Error(`the two clearings differ in round ${round}`);
    times.push({ clear: fast.ms, naive: naive.ms });
  }
  return {
    bench: 'clear-auction',
    rationing: rules.rationing,
    orders: book.length,
    ticks,
    clearMs: median(times.map(({ clear }) => clear)),
    naiveMs: median(times.map(({ naive }) => naive)),
    timesFaster: median(times.map(({ clear, naive }) => naive / clear)),
    trades: hash,
  };
}

function timed<Value>(work: () => Value): { readonly value: Value; readonly ms: number } {
  const before = performance.now();
  const value = work();
  return { value, ms: performance.now() - before };
}

function median(values: readonly number[]): number {
  const middle = values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
  return Math.round(middle * 100) / 100;
}

function hashOf({ price, traded, trades, fills }: Clearing): string {
  return createHash('sha256')
    .update(JSON.stringify([price, traded, trades, fills]))
    .digest('hex')
    .slice(0, 16);
}

/** Buyers and sellers in turn, limits and energies from one seed (linear congruential, Numerical Recipes). */
function randomBook(size: number, ticks: number, seed: number): RestingOrder[] {
  let state = seed >>> 0;
  const below = (bound: number) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
  return Array.from({ length: size }, (_, at) => ({
    market: 'bench' as MarketId,
    product: epochMs(0),
    member: `home-${at}` as MemberId,
    clientOrderId: 1,
    side: at % 2 === 0 ? 'buy' : 'sell',
    type: 'limit',
    limit: pricePerKwh(80_000 + below(ticks) * TICK),
    energy: wh(1 + below(2000)),
    sequence: at + 1,
  }));
}
