import type { WallTime } from '../../adapters/clock/system-clock.ts';
import type { MarketTerms } from '../../domain/engine/command.ts';
import type { EngineState, Product } from '../../domain/engine/state.ts';
import { standingOrders } from '../../domain/market/order-entry.ts';
import type { MemberId } from '../../domain/units/identity.ts';
import { MINUTE_MS } from '../../domain/units/interval.ts';
import { formatUtc } from '../../domain/units/time.ts';
import { Fault } from '../../errors/fault.ts';
import type { EngineConfig } from './engine-config.ts';

/**
 * A journal is continued under the rules it was begun with, as far as its settlements depend on them: the market, the
 * length of an interval, and every member that still has something to deliver.
 * @throws Fault CONFIG_INVALID
 */
export function refuseOtherMarket({ state: folder }: EngineConfig, state: EngineState, terms: MarketTerms): void {
  const before = state.terms;
  if (before === null) return;
  const other = `${folder} holds the journal of market ${before.market} with intervals of ${before.lengthMs / MINUTE_MS} minutes`;
  if (before.market !== terms.market) {
    throw new Fault('CONFIG_INVALID', `market: is ${terms.market}, but ${other}; name another folder under state`);
  }
  if (before.lengthMs !== terms.lengthMs) {
    const now = `${terms.lengthMs / MINUTE_MS} minutes`;
    throw new Fault('CONFIG_INVALID', `interval: is ${now}, but ${other}; name another folder under state`);
  }
  const members = new Set(terms.members.map(({ id }) => id));
  for (const product of undelivered(state)) {
    const missing = membersIn(product, state).find((id) => !members.has(id));
    if (missing === undefined) continue;
    const until = formatUtc((product.start + terms.lengthMs) as typeof product.start);
    throw new Fault('CONFIG_INVALID', `members: ${missing} cannot leave yet, it has orders or trades until ${until}`);
  }
}

/** Less is the jitter of a clock that is being put right. */
const TOLERATED_MS = 60_000;

/** Market time never goes back, so a clock that does would freeze the market without a word. @throws Fault CLOCK_BEHIND */
export function refuseEarlierClock(state: EngineState, wall: WallTime): void {
  const now = wall.wallNow();
  if (state.now - now <= TOLERATED_MS) return;
  throw new Fault('CLOCK_BEHIND', `the clock says ${formatUtc(now)}, the journal goes up to ${formatUtc(state.now)}`);
}

function undelivered({ products, completedUntil }: EngineState): Product[] {
  return [...products.values()].filter(({ start }) => completedUntil === null || start >= completedUntil);
}

function membersIn({ book, clearing }: Product, state: EngineState): MemberId[] {
  if (clearing !== null) return clearing.trades.flatMap(({ buyer, seller }) => [buyer, seller]);
  const numbers = book === null ? [] : standingOrders(book).map(({ member }) => member);
  return [...new Set(numbers)].flatMap((number) => state.members.idOf(number) ?? []);
}
