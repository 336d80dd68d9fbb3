import type { PricePerKwh } from '../units/price.ts';
import type { RestingOrder, Side } from './order.ts';
import type { CurveStep } from './trade.ts';

/** The orders at one limit, by their positions in the list they came from. `energy` is their sum. */
export interface Level {
  readonly price: PricePerKwh;
  readonly energy: number;
  readonly positions: readonly number[];
}

interface GrowingLevel {
  price: PricePerKwh;
  energy: number;
  positions: number[];
}

/** One side of the book, better prices first: buys from the dearest limit down, sells from the cheapest up. */
export function levelsOf(orders: readonly RestingOrder[], side: Side): Level[] {
  const byLimit = new Map<number, GrowingLevel>();
  orders.forEach((order, position) => {
    if (order.side !== side) return;
    const level = byLimit.get(order.limit);
    if (level === undefined) {
      byLimit.set(order.limit, { price: order.limit, energy: order.energy, positions: [position] });
    } else {
      level.energy += order.energy;
      level.positions.push(position);
    }
  });
  const cheapestFirst = [...byLimit.values()].sort((a, b) => a.price - b.price);
  return side === 'buy' ? cheapestFirst.reverse() : cheapestFirst;
}

/** The curve without the orders behind it. */
export function stepsOf(levels: readonly Level[]): CurveStep[] {
  return levels.map(({ price, energy }) => ({ price, energy: energy as CurveStep['energy'] }));
}
