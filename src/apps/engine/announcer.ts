import type { z } from 'zod';
import type { ClockAnchor } from '../../adapters/clock/market-clock.ts';
import { publishJson } from '../../adapters/mqtt/json-topics.ts';
import {
  type clearingMessage,
  type gateMessage,
  gateTopic,
  MOST_RECEIPTS,
  marketTopic,
  memberTopic,
  type receiptMessage,
  type tradesMessage,
} from '../../adapters/mqtt/wire.ts';
import type { MarketTerms } from '../../domain/engine/command.ts';
import { type EngineState, NOTHING_TRADED, type Product, tradedByMember } from '../../domain/engine/state.ts';
import { gateClosureOf } from '../../domain/market/products.ts';
import type { Clearing } from '../../domain/market/trade.ts';
import type { DeviceBus } from '../../domain/ports.ts';
import type { SignedReceipt } from '../../domain/proof/receipt.ts';
import type { MemberId } from '../../domain/units/identity.ts';
import { intervalAt } from '../../domain/units/interval.ts';
import type { EpochMs } from '../../domain/units/time.ts';
import { isFault } from '../../errors/fault.ts';
import type { LeaseIssuer } from './lease-issuer.ts';
import { openBooks } from './market-loop.ts';
import type { SignedGateRoot } from './product-log-book.ts';

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
    const outcomes = outcomesByMember(product, clearing);
    const nothing = { product: start, price, ...NOTHING_TRADED, fills: [] };
    const own = members.map(({ id }) => this.#say(memberTopic(market, 'trades', id), outcomes.get(id) ?? nothing));
    await Promise.all([this.#say(marketTopic(market, 'clearing'), result, true), ...own]);
  }

  /** To each member its own. */
  async receipts(receipts: readonly SignedReceipt[]): Promise<void> {
    const own = Map.groupBy(receipts, ({ receipt }) => receipt.member);
    const messages = [...own].flatMap(([member, all]) => inPieces(all).map((piece) => ({ member, piece })));
    await Promise.all(
      messages.map(({ member, piece }) => {
        const message: z.input<typeof receiptMessage> = piece;
        return this.#say(memberTopic(this.#terms.market, 'receipt', member), message);
      }),
    );
  }

  /** To everybody, for as long as the product can be disputed. */
  gateRoot(root: SignedGateRoot): Promise<void> {
    const message: z.input<typeof gateMessage> = root;
    return this.#say(gateTopic(this.#terms.market, root.gate.product), message, true);
  }

  /** Takes the retained root of a product back. */
  forgetRoot(product: EpochMs): Promise<void> {
    return this.#send(gateTopic(this.#terms.market, product), new Uint8Array(0));
  }

  async #send(topic: string, payload: Uint8Array): Promise<void> {
    await this.#bus.publish(topic, payload, { qos: 1, retain: true }).catch((error: unknown) => {
      if (!isFault(error)) throw error;
    });
  }

  async #say(topic: string, message: unknown, retain = false): Promise<void> {
    await publishJson(this.#bus, topic, message, retain).catch((error: unknown) => {
      if (!isFault(error)) throw error;
    });
  }
}

function inPieces(receipts: readonly SignedReceipt[]): SignedReceipt[][] {
  const count = Math.ceil(receipts.length / MOST_RECEIPTS);
  return Array.from({ length: count }, (_, piece) =>
    receipts.slice(piece * MOST_RECEIPTS, (piece + 1) * MOST_RECEIPTS),
  );
}

type Outcome = z.input<typeof tradesMessage>;

/** What each member with orders is told of its own: one walk over the orders, however many members there are. */
function outcomesByMember({ start }: Product, clearing: Clearing): Map<MemberId, Outcome> {
  const traded = tradedByMember(clearing);
  const outcomes = new Map<MemberId, Outcome>();
  for (const { member, clientOrderId, filled, fate } of clearing.fills) {
    const own = traded.get(member) ?? NOTHING_TRADED;
    const outcome = outcomes.get(member) ?? { product: start, price: clearing.price, ...own, fills: [] };
    outcome.fills.push({ clientOrderId, filled, fate });
    outcomes.set(member, outcome);
  }
  return outcomes;
}
