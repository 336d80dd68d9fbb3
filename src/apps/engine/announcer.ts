import type { z } from 'zod';
import type { ClockAnchor } from '../../adapters/clock/market-clock.ts';
import { publishJson } from '../../adapters/mqtt/json-topics.ts';
import { type clearingMessage, marketTopic, memberTopic, type tradesMessage } from '../../adapters/mqtt/wire.ts';
import type { MarketTerms } from '../../domain/engine/command.ts';
import { type EngineState, type Product, tradedBy } from '../../domain/engine/state.ts';
import { gateClosureOf } from '../../domain/market/products.ts';
import type { DeviceBus } from '../../domain/ports.ts';
import type { MemberId } from '../../domain/units/identity.ts';
import { intervalAt } from '../../domain/units/interval.ts';
import type { EpochMs } from '../../domain/units/time.ts';
import { isFault } from '../../errors/fault.ts';
import type { LeaseIssuer } from './lease-issuer.ts';
import { openBooks } from './market-loop.ts';

/** What the engine says on the bus. Nothing waits for the broker: what it did not take is said again on the next connect. */
export class Announcer {
  readonly #bus: DeviceBus;
  readonly #terms: MarketTerms;
  readonly #state: EngineState;
  readonly #leases: LeaseIssuer | null;
  readonly #clock: { now(): EpochMs; anchor(): ClockAnchor | null };

  constructor(parts: {
    bus: DeviceBus;
    terms: MarketTerms;
    state: EngineState;
    leases: LeaseIssuer | null;
    clock: { now(): EpochMs; anchor(): ClockAnchor | null };
  }) {
    this.#bus = parts.bus;
    this.#terms = parts.terms;
    this.#state = parts.state;
    this.#leases = parts.leases;
    this.#clock = parts.clock;
  }

  /** All that is retained dies with an embedded broker. */
  async everything(): Promise<void> {
    const now = this.#clock.now();
    const { start, lengthMs } = intervalAt(now, this.#terms.lengthMs);
    const next = (start + lengthMs) as EpochMs;
    await Promise.all([this.clock(), this.products(), this.leases(start)]);
    if (now >= gateClosureOf(next, this.#terms)) await this.leases(next);
  }

  clock(): Promise<void> {
    return this.#say(marketTopic(this.#terms.market, 'clock'), this.#clock.anchor(), true);
  }

  products(): Promise<void> {
    const open = openBooks(this.#state, this.#clock.now()).map(({ start, tariff }) => {
      return { product: start, gate: gateClosureOf(start, this.#terms), ...tariff };
    });
    return this.#say(marketTopic(this.#terms.market, 'products'), { tick: this.#terms.tick, open }, true);
  }

  async leases(interval: EpochMs): Promise<void> {
    await this.#leases?.leaseInterval(interval);
  }

  async heartbeat(wall: EpochMs): Promise<void> {
    await this.#leases?.beat(wall);
  }

  /** The public result, and to each member its own. */
  async clearing(product: Product): Promise<void> {
    const { start, clearing } = product;
    if (clearing === null) return;
    const { market, members } = this.#terms;
    const { price, traded } = clearing;
    const result: z.input<typeof clearingMessage> = { product: start, price, traded };
    const own = members.map(({ id }) => this.#say(memberTopic(market, 'trades', id), tradesOf(product, id)));
    await Promise.all([this.#say(marketTopic(market, 'clearing'), result, true), ...own]);
  }

  async #say(topic: string, message: unknown, retain = false): Promise<void> {
    await publishJson(this.#bus, topic, message, retain).catch((error: unknown) => {
      if (!isFault(error)) throw error;
    });
  }
}

function tradesOf({ start, clearing }: Product, member: MemberId): z.input<typeof tradesMessage> {
  const fills = (clearing?.fills ?? [])
    .filter((fill) => fill.member === member)
    .map(({ clientOrderId, filled, fate }) => ({ clientOrderId, filled, fate }));
  return { product: start, price: clearing?.price ?? null, ...tradedBy(clearing, member), fills };
}
