import type { OrderRow } from '../../adapters/config/orders-csv.ts';
import { MAX_PRODUCT_WH } from '../../domain/engine/product-rules.ts';
import type { ProductRules } from '../../domain/market/book.ts';
import { MemberDirectory } from '../../domain/market/member-directory.ts';
import { MemberTable } from '../../domain/market/member-table.ts';
import type { OrderFate, OrderVerdict, Rationing } from '../../domain/market/order.ts';
import { clearingOf, submitOrder } from '../../domain/market/order-entry.ts';
import { ProductBook } from '../../domain/market/product-book.ts';
import { surplusOf } from '../../domain/market/surplus.ts';
import type { Clearing } from '../../domain/market/trade.ts';
import { type Wh, ZERO_WH } from '../../domain/units/energy.ts';
import type { MemberId } from '../../domain/units/identity.ts';
import type { NanoTotal } from '../../domain/units/money.ts';
import { pricePerKwh } from '../../domain/units/price.ts';
import { epochMs } from '../../domain/units/time.ts';
import { Fault } from '../../errors/fault.ts';

/** What became of one row: how much of it was filled, and the fate or the refusal that explains it. */
export interface RowOutcome {
  readonly filled: Wh;
  readonly reason: OrderFate | OrderVerdict['code'];
}

/** A cleared file. `outcomes` answer the rows, in the order of the file. */
export interface ClearedOrders {
  readonly clearing: Clearing;
  readonly surplus: NanoTotal;
  readonly outcomes: readonly RowOutcome[];
  /** The order id, as the file writes it, of a client order id in the trades. */
  readonly nameOf: (clientOrderId: number) => string;
}

/** `tick`: micro-currency per kWh. */
export interface ClearRules {
  readonly mechanism: ProductRules['mechanism'];
  readonly rationing: Rationing;
  readonly tick: number;
}

/**
 * Sends the rows to a book in the order of their `time` and closes its gate: the same book as the engine's.
 * @throws Fault CONFIG_INVALID where the limits lie too far apart for the tick
 */
export function clearOrders(rows: readonly OrderRow[], rules: ClearRules): ClearedOrders {
  const members = new MemberDirectory(new MemberTable());
  for (const member of new Set(rows.map((row) => row.member))) {
    members.admit(member as MemberId, { capability: MAX_PRODUCT_WH, collateral: null, zone: 0 });
  }
  const book = new ProductBook(productRules(rows, rules), members.table);
  const names = new OrderNames();
  const outcomes: RowOutcome[] = rows.map(() => ({ filled: ZERO_WH, reason: 'no_trade' }));
  const accepted: { readonly row: OrderRow; readonly at: number }[] = [];
  const arrivals = rows.map((row, at) => ({ row, at })).sort((a, b) => a.row.time - b.row.time);
  for (const [arrival, { row, at }] of arrivals.entries()) {
    const { side, limit, energy } = row;
    const clientOrderId = names.numberOf(row.order);
    const order = { member: row.member as MemberId, clientOrderId, side, type: 'limit' as const, limit, energy };
    const verdict = submitOrder(book, members, { order, sequence: arrival + 1, clockOffMs: 0 });
    if (verdict.code === 'accepted') accepted.push({ row, at });
    else outcomes[at] = { filled: ZERO_WH, reason: verdict.code };
  }
  book.closeGate();
  const clearing = clearingOf(book, members);
  clearing.fills.forEach(({ filled, fate }, position) => {
    outcomes[accepted[position]?.at ?? -1] = { filled, reason: fate };
  });
  const surplus = surplusOf(
    clearing.fills,
    accepted.map(({ row }) => row),
  );
  return { clearing, surplus, outcomes, nameOf: (id) => names.nameOf(id) };
}

/** The order ids of a file as numbers, in the order in which they arrive. */
class OrderNames {
  readonly #numbers = new Map<string, number>();
  readonly #names: string[] = [];

  numberOf(name: string): number {
    const number = this.#numbers.get(name) ?? this.#names.push(name) - 1;
    this.#numbers.set(name, number);
    return number;
  }

  nameOf(number: number): string {
    return this.#names[number] ?? '';
  }
}

const FREE = pricePerKwh(0);
const MOST_TICKS = 2 ** 20;

/** The band is as wide as the file needs it. */
function productRules(rows: readonly OrderRow[], { mechanism, rationing, tick }: ClearRules): ProductRules {
  let [lowest, highest] = [rows[0]?.limit ?? FREE, rows[0]?.limit ?? FREE];
  for (const { limit } of rows) {
    if (limit < lowest) lowest = limit;
    if (limit > highest) highest = limit;
  }
  const ticks = (highest - lowest) / tick;
  if (ticks >= MOST_TICKS) {
    throw new Fault(
      'CONFIG_INVALID',
      `the limits lie ${ticks} ticks apart, at most ${MOST_TICKS} may: choose a larger --tick`,
    );
  }
  return {
    ...{ product: epochMs(0), mechanism, rationing, tick, band: { lowest, highest }, maxVolume: MAX_PRODUCT_WH },
    ...{ importPrice: highest, penalty: FREE, fees: [FREE], zoneLimits: [] },
  };
}
