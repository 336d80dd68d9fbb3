import type { Wh } from '../units/energy.ts';
import type { ClientOrderId, Order, OrderRefusal, Side } from './order.ts';

/** What one member holds in one book: its keys, and of its standing orders what decides the next one. */
export class MemberOrders {
  readonly #positions = new Map<ClientOrderId, number>();
  readonly #limits: Readonly<Record<Side, Map<number, number>>> = { buy: new Map(), sell: new Map() };
  #dearestBuy = Number.NEGATIVE_INFINITY;
  #cheapestSell = Number.POSITIVE_INFINITY;
  #toSell = 0;

  positionOf(clientOrderId: ClientOrderId): number | undefined {
    return this.#positions.get(clientOrderId);
  }

  remember(clientOrderId: ClientOrderId, position: number): void {
    this.#positions.set(clientOrderId, position);
  }

  /** `capability`: the most Wh that open and filled sells may come to. */
  refusalOf(order: Order, capability: Wh): OrderRefusal | null {
    if (order.side === 'buy') return order.limit >= this.#cheapestSell ? 'self_cross' : null;
    if (order.limit <= this.#dearestBuy) return 'self_cross';
    return this.#toSell + order.energy > capability ? 'exceeds_capability' : null;
  }

  open({ side, limit, energy }: Order): void {
    const limits = this.#limits[side];
    limits.set(limit, (limits.get(limit) ?? 0) + 1);
    if (side === 'buy') this.#dearestBuy = Math.max(this.#dearestBuy, limit);
    else this.#cheapestSell = Math.min(this.#cheapestSell, limit);
    if (side === 'sell') this.#toSell += energy;
  }

  withdraw({ side, limit, energy }: Order): void {
    const limits = this.#limits[side];
    const others = (limits.get(limit) ?? 0) - 1;
    if (others > 0) limits.set(limit, others);
    else limits.delete(limit);
    if (side === 'sell') this.#toSell -= energy;
    if (others > 0) return;
    if (side === 'buy' && limit === this.#dearestBuy) this.#dearestBuy = extreme(limits, Math.max, -Infinity);
    if (side === 'sell' && limit === this.#cheapestSell) this.#cheapestSell = extreme(limits, Math.min, Infinity);
  }
}

function extreme(limits: ReadonlyMap<number, number>, pick: (a: number, b: number) => number, none: number): number {
  let best = none;
  for (const limit of limits.keys()) best = pick(best, limit);
  return best;
}
