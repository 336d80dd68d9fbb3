import type { MarketTerms, OrderCommand } from '../domain/engine/command.ts';
import { nextDue } from '../domain/market/due-points.ts';
import type { OrderType, Side } from '../domain/market/order.ts';
import { openProducts } from '../domain/market/products.ts';
import { wh } from '../domain/units/energy.ts';
import type { MemberId } from '../domain/units/identity.ts';
import { pricePerKwh } from '../domain/units/price.ts';
import { type EpochMs, plusMs } from '../domain/units/time.ts';
import type { FaultyBus } from './faulty-bus.ts';
import type { MarketChance } from './market-chance.ts';
import type { MarketMessage, MarketRequest } from './market-request.ts';
import type { MarketSchedule } from './market-schedule.ts';

export const ENGINE_LINK = 'engine';
const BETWEEN_MS = 60_000;
const PATIENCE_MS = 3000;
const ATTEMPTS = 5;
const LARGEST_BATCH = 10;
const LAST_MOMENT_MS = 100;
const REMEMBERED = 24;
const SIGNATURE = `0x${'5a'.repeat(65)}`;

type Order = Omit<OrderCommand, 'at'>;

export interface MemberParts {
  readonly id: MemberId;
  readonly terms: () => MarketTerms;
  readonly schedule: MarketSchedule;
  readonly chance: MarketChance;
  readonly bus: FaultyBus<MarketMessage>;
}

/**
 * A gateway as they are: it sends orders, withdrawals and replacements, repeats what is not answered in time, repeats at
 * random what was answered long ago, and sometimes uses a number twice for different things.
 */
export class MarketMember {
  readonly #parts: MemberParts;
  readonly #sent: MarketRequest[] = [];
  readonly #unanswered = new Set<MarketRequest>();
  #nextId = 1;

  constructor(parts: MemberParts) {
    this.#parts = parts;
    parts.bus.listen(parts.id, (message) => {
      if ('answer' in message) this.#unanswered.delete(message.request);
    });
    this.#act();
  }

  #act(): void {
    const { schedule, chance, id, bus } = this.#parts;
    schedule.after(this.#pauseMs(), `${id} acts`, () => {
      const count = chance.happens(150) ? chance.between(2, LARGEST_BATCH) : 1;
      const requests = Array.from({ length: count }, () => this.#next()).filter((request) => request !== null);
      bus.send(id, ENGINE_LINK, requests);
      for (const request of requests) this.#await(request);
      this.#act();
    });
  }

  /** Many come in the last moment before a gate. */
  #pauseMs(): number {
    const { schedule, chance, terms } = this.#parts;
    const due = nextDue(schedule.now(), terms()).at - chance.between(0, LAST_MOMENT_MS) - schedule.now();
    return due > 0 && chance.happens(250) ? due : chance.between(0, BETWEEN_MS);
  }

  #await(request: MarketRequest): void {
    const { schedule, id } = this.#parts;
    this.#sent.push(request);
    if (this.#sent.length > REMEMBERED) this.#sent.shift();
    this.#unanswered.add(request);
    schedule.after(PATIENCE_MS, `${id} waits`, () => this.#try(request, ATTEMPTS - 1));
  }

  #try(request: MarketRequest, attempts: number): void {
    const { bus, schedule, id } = this.#parts;
    if (attempts === 0 || !this.#unanswered.has(request)) return;
    bus.send(id, ENGINE_LINK, [request]);
    schedule.after(PATIENCE_MS, `${id} waits`, () => this.#try(request, attempts - 1));
  }

  #next(): MarketRequest | null {
    const { chance } = this.#parts;
    const earlier = this.#sent[chance.between(0, REMEMBERED - 1)];
    const manner = chance.between(1, 100);
    if (earlier === undefined || manner <= 55) return this.#newOrder();
    if (manner <= 70) return this.#withdrawal(earlier);
    if (manner <= 82) return earlier;
    if (manner <= 92) return this.#replacement(earlier);
    return earlier.type === 'order' ? this.#altered(earlier) : earlier;
  }

  #newOrder(): Order | null {
    const product = this.#product();
    if (product === null) return null;
    const { chance, id: member } = this.#parts;
    const clientOrderId = this.#nextId;
    this.#nextId += 1;
    const key = { type: 'order', product, member, clientOrderId, signature: SIGNATURE } as const;
    return {
      ...key,
      side: chance.oneOf<Side>(['buy', 'sell']),
      orderType: chance.oneOf<OrderType>(['limit', 'limit', 'limit', 'limit', 'market', 'ioc', 'fok']),
      limit: pricePerKwh(chance.between(7, 31) * 10_000 + (chance.happens(20) ? 50 : 0)),
      energy: wh(chance.happens(20) ? chance.oneOf([0, 2 ** 22]) : chance.between(1, 260)),
      clockOffMs: chance.happens(15) ? 60 : 0,
    };
  }

  /** Mostly of those that take orders, now and then one that does not yet or no longer. */
  #product(): EpochMs | null {
    const { schedule, chance, terms } = this.#parts;
    const [first, ...others] = openProducts(schedule.now(), terms()).map(({ start }) => start);
    if (first === undefined) return null;
    const product = chance.oneOf([first, first, ...others]);
    return chance.happens(60) ? plusMs(product, chance.oneOf([-2, -1, 4]) * terms().lengthMs) : product;
  }

  #withdrawal({ product, member, clientOrderId }: MarketRequest): MarketRequest {
    const id = this.#parts.chance.happens(50) ? clientOrderId + 1000 : clientOrderId;
    return { type: 'cancel', product, member, clientOrderId: id, signature: SIGNATURE };
  }

  #replacement(earlier: MarketRequest): MarketRequest | null {
    const order = this.#newOrder();
    if (order === null) return null;
    const { product, clientOrderId: replaces } = earlier;
    return { ...order, product, replaces, ...(earlier.type === 'order' ? { side: earlier.side } : {}) };
  }

  #altered(order: Order): Order {
    const { chance } = this.#parts;
    const { energy, limit, side } = order;
    return chance.oneOf([
      { ...order, energy: wh(energy + 1) },
      { ...order, limit: pricePerKwh(limit + 10_000) },
      { ...order, side: side === 'buy' ? 'sell' : 'buy' },
      { ...order, energy: wh(energy + 1), side: side === 'buy' ? 'sell' : 'buy' },
    ]);
  }
}
