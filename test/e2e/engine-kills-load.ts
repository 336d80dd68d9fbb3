import { demoOrderKey } from '../../src/adapters/keys/demo-keys.ts';
import { type SignedContent, signBatch } from '../../src/adapters/keys/order-evidence.ts';
import type { SeededRandom } from '../market/seeded-random.ts';
import { type BenchMember, CHAIN_ID, MARKET, type Reply, SEED } from './engine-bench.ts';

type SignedMessage = ReturnType<BenchMember['order']> | ReturnType<BenchMember['cancel']>;

/** What one order or withdrawal was told; null as long as nobody heard anything that lasts. */
interface Told {
  readonly code: string;
  readonly sequence?: number;
}

export interface SentEntry {
  readonly kind: 'order' | 'cancel';
  readonly member: string;
  readonly product: number;
  readonly clientOrderId: number;
  told: Told | null;
}

/** One message: an order, a withdrawal, or a batch of them under one signature. */
export interface Sent {
  readonly path: 'orders' | 'cancels' | 'batches';
  readonly message: object;
  readonly entries: readonly SentEntry[];
}

const BATCH = 16;
const IN_FLIGHT_OVER_MQTT = 8;
/** Said without a look at the order: nothing remembers it. */
const FLEETING = ['rate_limited', 'queue_full', 'disk_full'];

/** One member that sends without a pause, over HTTP and MQTT at once, until it is told to stop. */
export class RestlessMember {
  readonly sent: Sent[] = [];
  readonly #member: BenchMember;
  readonly #random: SeededRandom;
  readonly #products: () => readonly number[];
  readonly #awaited = new Map<string, { readonly entry: SentEntry; readonly resolve: () => void }>();
  #nextId = 1;

  constructor(member: BenchMember, random: SeededRandom, products: () => readonly number[]) {
    this.#member = member;
    this.#random = random;
    this.#products = products;
    void this.#hear();
  }

  /** Resolves when all that was begun has been answered or given up. */
  async run(url: string, stop: AbortSignal): Promise<void> {
    await Promise.all([this.#overHttp(url, stop), this.#overHttp(url, stop), this.#overMqtt(stop)]);
  }

  async #hear(): Promise<never> {
    for (let number = 0; ; number += 1) {
      const reply = await this.#member.reply(number);
      const awaited = this.#awaited.get(nameOf(reply));
      if (awaited === undefined) continue;
      tell(awaited.entry, reply);
      awaited.resolve();
    }
  }

  async #overHttp(url: string, stop: AbortSignal): Promise<void> {
    while (!stop.aborted) {
      const sent = this.#random.happens(250) ? this.#batch() : this.#single();
      const told = await ask(url, sent, stop);
      if (told === null) return;
      for (const [place, entry] of sent.entries.entries()) tell(entry, told[place]);
    }
  }

  async #overMqtt(stop: AbortSignal): Promise<void> {
    const stopped = new Promise<void>((resolve) => stop.addEventListener('abort', () => resolve()));
    while (!stop.aborted) {
      const answers: Promise<void>[] = [];
      for (let count = 0; count < IN_FLIGHT_OVER_MQTT && !stop.aborted; count += 1) {
        const sent = this.#random.happens(100) ? this.#batch() : this.#single();
        for (const entry of sent.entries) {
          answers.push(new Promise((resolve) => this.#awaited.set(nameOf(entry), { entry, resolve })));
        }
        await this.#member.send(sent.message);
      }
      await Promise.race([Promise.all(answers), stopped]);
    }
  }

  #single(): Sent {
    const message = this.#next();
    return this.#note(message.kind === 'order' ? 'orders' : 'cancels', message, [message]);
  }

  #batch(): Sent {
    const messages = Array.from({ length: BATCH }, () => this.#next());
    return this.#note('batches', batchOf(this.#member, messages), messages);
  }

  #note(path: Sent['path'], message: object, messages: readonly SignedMessage[]): Sent {
    const member = this.#member.id;
    const entries = messages.map(({ kind, product, clientOrderId }) => {
      return {
        kind: kind === 'order' ? ('order' as const) : ('cancel' as const),
        member,
        product,
        clientOrderId,
        told: null,
      };
    });
    const sent = { path, message, entries };
    this.sent.push(sent);
    return sent;
  }

  /** Orders that meet those of others, and withdrawals of some of the latest. */
  #next(): SignedMessage {
    const [random, products] = [this.#random, this.#products()];
    const earlier = this.sent.at(-1 - random.below(20))?.entries[0];
    if (earlier?.kind === 'order' && random.happens(200)) {
      return this.#member.cancel(earlier.product, earlier.clientOrderId);
    }
    const clientOrderId = this.#nextId;
    this.#nextId += 1;
    const side = random.oneOf(['buy', 'sell'] as const);
    const type = random.oneOf(['limit', 'limit', 'limit', 'limit', 'ioc'] as const);
    const limit = random.between(side === 'buy' ? 900 : 1500, side === 'buy' ? 2000 : 2600) * 100;
    const energy = random.happens(20) ? 0 : 1;
    return this.#member.order({ product: random.oneOf(products), clientOrderId, side, type, limit, energy });
  }
}

function batchOf(member: BenchMember, messages: readonly SignedMessage[]): object {
  const entries = messages.map(({ signature, ...entry }) => entry);
  const contents = entries.map(({ kind, ...fields }) => {
    const named = { ...fields, market: MARKET, member: member.id };
    return (kind === 'order' ? { kind, order: named } : { kind, key: named }) as SignedContent;
  });
  return { kind: 'batch', entries, signature: signBatch(CHAIN_ID, contents, demoOrderKey(SEED, member.id)) };
}

/** The message, over HTTP; what each of its entries is told, or null where nobody answers. */
export async function ask(url: string, sent: Sent, stop?: AbortSignal): Promise<readonly Told[] | null> {
  const { path, message, entries } = sent;
  const body = JSON.stringify({ member: entries[0]?.member, ...message });
  const request = { method: 'POST', headers: { 'content-type': 'application/json' }, body };
  try {
    const response = await fetch(new URL(`/api/v1/${path}`, url), request);
    const answer = (await response.json()) as Told | readonly Told[];
    return Array.isArray(answer) ? answer : entries.map(() => answer as Told);
  } catch (error) {
    // A killed process says nothing; one that lives has to.
    if (stop === undefined || !stop.aborted) await stopOf(stop, error);
    return null;
  }
}

/** The connection of a killed process may end a moment before its killer says so. */
function stopOf(stop: AbortSignal | undefined, error: unknown): Promise<void> {
  if (stop === undefined) throw error;
  return new Promise((resolve) => stop.addEventListener('abort', () => resolve()));
}

export function tell(entry: SentEntry, told: Told | undefined): void {
  if (told === undefined || FLEETING.includes(told.code)) return;
  entry.told = { code: told.code, ...(told.sequence === undefined ? {} : { sequence: told.sequence }) };
}

function nameOf({ kind, product, clientOrderId }: Pick<Reply, 'kind' | 'product' | 'clientOrderId'>): string {
  return `${kind} ${product} ${clientOrderId}`;
}
