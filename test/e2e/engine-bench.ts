import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { WallTime } from '../../src/adapters/clock/system-clock.ts';
import { demoOrderKey } from '../../src/adapters/keys/demo-keys.ts';
import { signCancel, signOrder } from '../../src/adapters/keys/order-signatures.ts';
import { addressOf } from '../../src/adapters/keys/secp256k1-signer.ts';
import { type EmbeddedBroker, startEmbeddedBroker } from '../../src/adapters/mqtt/embedded-broker.ts';
import { connectMqttBus } from '../../src/adapters/mqtt/mqtt-bus.ts';
import type { Order } from '../../src/domain/market/order.ts';
import type { DeviceBus } from '../../src/domain/ports.ts';
import type { Wh } from '../../src/domain/units/energy.ts';
import type { MarketId, MemberId } from '../../src/domain/units/identity.ts';
import { pricePerKwh } from '../../src/domain/units/price.ts';
import { type EpochMs, epochMs } from '../../src/domain/units/time.ts';

export const MARKET = 'elm-street' as MarketId;
export const CHAIN_ID = 31_337;
export const SEED = 7;
export const QUARTER_MS = 900_000;

/** An engine's surroundings without the engine: a broker, a folder, a configuration, and members who can sign. */
export interface EngineBench {
  readonly folder: string;
  readonly broker: EmbeddedBroker;
  /** What an operator would write. */
  file(changes?: object): object;
  /** Writes it as engine.yaml and returns the path. */
  write(changes?: object): string;
  member(id: string): Promise<BenchMember>;
  close(): Promise<void>;
}

export const MEMBERS = ['home-01', 'home-02', 'home-03'] as const;

export async function openBench(): Promise<EngineBench> {
  const folder = mkdtempSync(join(tmpdir(), 'energy-logic-engine-'));
  const broker = await startEmbeddedBroker({ host: '127.0.0.1', port: 0 });
  const buses: DeviceBus[] = [];
  const file = (changes: object = {}) => ({ ...engineFile(folder, broker.url), ...changes });
  return {
    folder,
    broker,
    file,
    write(changes) {
      const path = join(folder, 'engine.yaml');
      writeFileSync(path, stringify(file(changes)));
      return path;
    },
    async member(id) {
      const bus = await connectMqttBus({ url: broker.url, clientId: `test-${id}-${buses.length}`, failFast: true });
      buses.push(bus);
      const member = new BenchMember(id as MemberId, bus);
      await member.listen();
      return member;
    },
    async close() {
      for (const bus of buses) await bus.close();
      await broker.close();
      rmSync(folder, { recursive: true });
    },
  };
}

function engineFile(folder: string, broker: string) {
  return {
    market: MARKET,
    name: 'Elm Street',
    currency: 'EUR',
    timezone: 'Europe/Berlin',
    interval: '15m',
    tariff: { import_per_kwh: '0.30', export_per_kwh: '0.08' },
    state: join(folder, 'engine'),
    broker,
    http: { host: '127.0.0.1', port: 0 },
    ledger: { rpc: 'http://127.0.0.1:9', chain_id: CHAIN_ID, cache: join(tmpdir(), 'energy-logic-test-cache') },
    keys: { demo_seed: SEED },
    feeder: 'feeder',
    members: MEMBERS.map((id) => ({
      id,
      address: addressOf(demoOrderKey(SEED, id)),
      export_capability_w: 8000,
      connection_w: 43_000,
    })),
  };
}

/** 1,000 Wh at 0.20 to buy, unless it says otherwise. */
export type OrderChanges = Partial<Omit<Order, 'limit' | 'energy' | 'product'>> & {
  readonly product: number;
  readonly limit?: number;
  readonly energy?: number;
};

export interface Reply {
  readonly product: number;
  readonly clientOrderId: number;
  readonly kind: string;
  readonly ok: boolean;
  readonly code: string;
  readonly sequence?: number;
}

/** A member as its gateway would speak: signed messages, replies on its own topic. */
export class BenchMember {
  readonly id: MemberId;
  readonly replies: Reply[] = [];
  readonly #bus: DeviceBus;
  #waiting: (() => void)[] = [];

  constructor(id: MemberId, bus: DeviceBus) {
    this.id = id;
    this.#bus = bus;
  }

  listen(): Promise<void> {
    return this.#bus.subscribe(`el/v1/${MARKET}/reply/${this.id}`, 1, ({ payload }) => {
      this.replies.push(JSON.parse(Buffer.from(payload).toString('utf8')));
      for (const wake of this.#waiting.splice(0)) wake();
    });
  }

  order(changes: OrderChanges, signer: string = this.id) {
    const { side = 'buy', type = 'limit', clientOrderId = 1 } = changes;
    const fields = { side, type, clientOrderId, limit: changes.limit ?? 200_000, energy: changes.energy ?? 1000 };
    const order: Order = {
      ...fields,
      limit: pricePerKwh(fields.limit),
      energy: fields.energy as Wh,
      market: MARKET,
      member: this.id,
      product: epochMs(changes.product),
    };
    const signature = signOrder(CHAIN_ID, order, demoOrderKey(SEED, signer));
    return { kind: 'order', product: changes.product, ...fields, signature };
  }

  cancel(product: number, clientOrderId = 1, signer: string = this.id) {
    const key = { market: MARKET, member: this.id, product: epochMs(product), clientOrderId };
    const signature = signCancel(CHAIN_ID, key, demoOrderKey(SEED, signer));
    return { kind: 'cancel', product, clientOrderId, signature };
  }

  /** Publishes on a member's order topic, its own unless said otherwise. */
  send(message: unknown, topicOf: string = this.id): Promise<void> {
    const text = typeof message === 'string' ? message : JSON.stringify(message);
    return this.#bus.publish(`el/v1/${MARKET}/order/${topicOf}`, Buffer.from(text), { qos: 1 });
  }

  async ask(message: unknown): Promise<Reply> {
    const before = this.replies.length;
    await this.send(message);
    return this.reply(before);
  }

  /** The reply with that number, when it is there. */
  async reply(number: number): Promise<Reply> {
    for (;;) {
      const reply = this.replies[number];
      if (reply !== undefined) return reply;
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
  }
}

export async function getJson<T>(url: string, path: string): Promise<T> {
  return (await (await fetch(new URL(`/api/v1/${path}`, url))).json()) as T;
}

export interface Answer {
  readonly status: number;
  readonly code: string;
  readonly sequence?: number;
}

/** The same over HTTP. */
export async function post(url: string, path: 'orders' | 'cancels', member: string, message: object): Promise<Answer> {
  const body = JSON.stringify({ member, ...message });
  const headers = { 'content-type': 'application/json' };
  const response = await fetch(new URL(`/api/v1/${path}`, url), { method: 'POST', headers, body });
  const { code, sequence } = (await response.json()) as { code: string; sequence?: number };
  return { status: response.status, code, ...(sequence === undefined ? {} : { sequence }) };
}

interface Timer {
  readonly due: number;
  readonly callback: () => void;
}

/** Wall time in the test's hands. */
export class HandWall implements WallTime {
  jumpMs = 0;
  #now: number;
  #timers: Timer[] = [];

  constructor(now: number) {
    this.#now = now;
  }

  wallNow(): EpochMs {
    return epochMs(this.#now);
  }

  setTimer(delayMs: number, callback: () => void): () => void {
    if (delayMs <= 0) {
      const soon = setImmediate(callback);
      return () => clearImmediate(soon);
    }
    const timer = { due: this.#now + delayMs, callback };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((other) => other !== timer);
    };
  }

  clockJumpMs(): number {
    return this.jumpMs;
  }

  reanchor(): void {}

  /** Goes on to that instant; what falls due on the way is called in its order. */
  async goTo(at: number): Promise<void> {
    for (;;) {
      const next = this.#timers.filter(({ due }) => due <= at).sort((a, b) => a.due - b.due)[0];
      if (next === undefined) break;
      this.#timers = this.#timers.filter((timer) => timer !== next);
      this.#now = Math.max(this.#now, next.due);
      next.callback();
      await new Promise((resolve) => setImmediate(resolve));
    }
    this.#now = Math.max(this.#now, at);
  }
}
