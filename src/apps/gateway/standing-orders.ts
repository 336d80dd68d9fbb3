import type { ClientOrderId, Order } from '../../domain/market/order.ts';
import type { EpochMs } from '../../domain/units/time.ts';
import { isFault } from '../../errors/fault.ts';
import type { OrderClient } from './order-client.ts';
import { NOTHING_SENT, readOrders, type Standing, type Standings, writeOrders } from './order-file.ts';

const TAKEN = 'exists_with_different_';

/**
 * What one member has on the market, product by product. What is about to be sent is on disk first, so a restart sends
 * nothing twice and repeats what nobody answered.
 */
export class StandingOrders {
  readonly #client: OrderClient;
  readonly #path: string;
  readonly #log: (line: string) => void;
  readonly #standings: Standings;
  #toldCode: string | null = null;
  /** What is on disk is older than what is here. */
  #unsaved = false;

  constructor(client: OrderClient, path: string, log: (line: string) => void) {
    this.#client = client;
    this.#path = path;
    this.#log = log;
    this.#standings = readOrders(path, log);
  }

  isPlanned(product: EpochMs): boolean {
    return this.#standings.has(product);
  }

  of(product: EpochMs): Standing {
    return this.#standings.get(product) ?? NOTHING_SENT;
  }

  put(product: EpochMs, standing: Standing): void {
    this.#standings.set(product, standing);
  }

  /** True where the engine has not answered everything. */
  isUnfinished(product: EpochMs): boolean {
    const { unanswered, withdrawing } = this.of(product);
    return unanswered.length + withdrawing.length > 0;
  }

  forgetBefore(product: EpochMs): void {
    for (const each of this.#standings.keys()) if (each < product) this.#standings.delete(each);
  }

  /** Without the file a restart asks the engine which numbers are taken; trading goes on. */
  save(): void {
    try {
      writeOrders(this.#path, this.#standings);
      this.#unsaved = false;
    } catch (error) {
      if (!isFault(error)) throw error;
      if (!this.#unsaved) this.#log(error.message);
      this.#unsaved = true;
    }
  }

  /** Withdrawals first: an order in another's place is sent when the other is known to be gone. */
  async send(product: EpochMs): Promise<void> {
    for (const clientOrderId of this.of(product).withdrawing) {
      const reply = await this.#client.cancel({ kind: 'cancel', product, clientOrderId });
      if (reply === null) return this.#tell(NO_ANSWER);
      this.#change(product, ({ withdrawing }) => ({ withdrawing: without(withdrawing, clientOrderId) }));
    }
    for (const clientOrderId of this.of(product).unanswered) {
      const order = this.of(product).plan.orders.find((each) => each.clientOrderId === clientOrderId);
      if (order !== undefined && !(await this.#sendOrder(order))) return;
      this.#change(product, ({ unanswered }) => ({ unanswered: without(unanswered, clientOrderId) }));
    }
    if (this.isUnfinished(product)) await this.send(product);
  }

  /** False where there was no answer. */
  async #sendOrder({ market: _market, member: _member, ...content }: Order): Promise<boolean> {
    const { product, clientOrderId } = content;
    const reply = await this.#client.order({ kind: 'order', ...content });
    if (reply === null) this.#tell(NO_ANSWER);
    else if (reply.ok) this.#toldCode = null;
    else if (reply.code.startsWith(TAKEN)) this.#renumber(product, clientOrderId);
    else {
      this.#tell(
        `order ${clientOrderId} for ${new Date(product).toISOString()} was refused: ${reply.code}`,
        reply.code,
      );
      this.#change(product, ({ plan }) => ({ plan: { ...plan, orders: others(plan.orders, clientOrderId) } }));
    }
    return reply !== null;
  }

  /** An order that this gateway does not remember has the number: it is withdrawn, and ours takes the next. */
  #renumber(product: EpochMs, taken: ClientOrderId): void {
    this.#tell(`order number ${taken} is taken by an order from before: the next is used`, TAKEN);
    this.#change(product, ({ plan, unanswered, withdrawing }) => {
      const next = plan.nextClientOrderId;
      const orders = plan.orders.map((each) =>
        each.clientOrderId === taken ? { ...each, clientOrderId: next } : each,
      );
      return {
        plan: { orders, nextClientOrderId: next + 1 },
        unanswered: [...unanswered, next],
        withdrawing: [...withdrawing, taken],
      };
    });
  }

  #change(product: EpochMs, change: (before: Standing) => Partial<Standing>): void {
    const before = this.of(product);
    this.put(product, { ...before, ...change(before) });
  }

  /** The same once, until an order is accepted again. */
  #tell(line: string, code = line): void {
    if (this.#toldCode === code) return;
    this.#toldCode = code;
    this.#log(line);
  }
}

const NO_ANSWER = 'no answer from the market: it is asked again';

function without(ids: readonly ClientOrderId[], id: ClientOrderId): ClientOrderId[] {
  return ids.filter((each) => each !== id);
}

function others(orders: readonly Order[], id: ClientOrderId): Order[] {
  return orders.filter(({ clientOrderId }) => clientOrderId !== id);
}
