import type { ClearingView } from '../../adapters/http/api-schema.ts';
import type { Product } from '../../domain/engine/state.ts';
import type { OrderState } from '../../domain/market/book.ts';
import { SIDES, type Side } from '../../domain/market/order.ts';
import { standingOrders } from '../../domain/market/order-entry.ts';
import type { Wh } from '../../domain/units/energy.ts';
import { formatPrice, type PricePerKwh, pricePerKwh } from '../../domain/units/price.ts';

/** A public step stands for at least this many members, so that nobody's order can be read off it. */
export const MEMBERS_PER_STEP = 5;

interface Step {
  readonly price: PricePerKwh;
  energy: number;
  readonly members: Set<number>;
}

/** What the public may see of a cleared product. Null before its gate. */
export function clearingView(product: Product): ClearingView | null {
  const { book, clearing, start, tariff } = product;
  if (book === null || clearing === null) return null;
  const orders = standingOrders(book);
  const demand = mergedSteps(orders, 'buy');
  const supply = mergedSteps(orders, 'sell');
  return {
    interval: start,
    pricePerKwh: clearing.price === null ? null : formatPrice(clearing.price),
    tradedWh: clearing.traded,
    orders: orders.length,
    demand,
    supply,
    importPerKwh: formatPrice(tariff.importPrice),
    exportPerKwh: formatPrice(tariff.exportPrice),
    why: why(product, sumOf(demand), sumOf(supply)),
  };
}

type Resting = Pick<OrderState, 'side' | 'limit' | 'energy' | 'member'>;

/** Levels from the best price on, merged until five members stand behind each; a step is drawn at its best limit. */
function mergedSteps(orders: readonly Resting[], side: Side): ClearingView['demand'] {
  const direction = side === 'buy' ? -1 : 1;
  const own = orders
    .filter((order) => order.side === SIDES.indexOf(side))
    .sort((a, b) => direction * (a.limit - b.limit));
  const steps: Step[] = [];
  for (const { limit, energy, member } of own) {
    const last = steps.at(-1);
    if (last === undefined || (last.members.size >= MEMBERS_PER_STEP && last.price !== limit)) {
      steps.push({ price: pricePerKwh(limit), energy, members: new Set([member]) });
    } else {
      last.energy += energy;
      last.members.add(member);
    }
  }
  mergeShortTail(steps);
  return steps.map(({ price, energy }) => ({ pricePerKwh: formatPrice(price), energyWh: energy as Wh }));
}

function mergeShortTail(steps: Step[]): void {
  const [before, last] = [steps.at(-2), steps.at(-1)];
  if (before === undefined || last === undefined || last.members.size >= MEMBERS_PER_STEP) return;
  steps.pop();
  before.energy += last.energy;
}

function sumOf(steps: ClearingView['demand']): number {
  return steps.reduce((sum, { energyWh }) => sum + energyWh, 0);
}

function why({ mechanism, clearing }: Product, demandWh: number, supplyWh: number): string {
  const asked = `Neighbours asked for ${demandWh} Wh and offered ${supplyWh} Wh`;
  const price = clearing?.price ?? null;
  if (clearing === null || price === null) return `${asked}; no bid met an offer, so nothing was traded.`;
  const traded = `${clearing.traded} Wh`;
  const supply = demandWh > supplyWh ? 'scarce' : 'plentiful';
  if (mechanism === 'continuous') {
    return `${asked}; ${traded} of it met as it came, at ${formatPrice(price)} per kWh in the mean. Local energy was ${supply}.`;
  }
  return `${asked}; no price lets more than ${traded} change hands, and ${formatPrice(price)} per kWh is the one of those that do. Local energy was ${supply}.`;
}
