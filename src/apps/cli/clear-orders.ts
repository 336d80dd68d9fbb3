import type { OrderRow } from '../../adapters/config/orders-csv.ts';
import type { OrderFate, OrderVerdict, Rationing } from '../../domain/market/order.ts';
import { OrderBook } from '../../domain/market/order-book.ts';
import { surplusOf } from '../../domain/market/surplus.ts';
import type { Clearing } from '../../domain/market/trade.ts';
import { type Wh, wh, ZERO_WH } from '../../domain/units/energy.ts';
import type { MarketId, MemberId } from '../../domain/units/identity.ts';
import type { NanoTotal } from '../../domain/units/money.ts';
import { pricePerKwh } from '../../domain/units/price.ts';
import { epochMs } from '../../domain/units/time.ts';

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

const KEY = { market: 'file' as MarketId, product: epochMs(0) };
const WIDEST = { lowest: pricePerKwh(-(2 ** 31) + 1), highest: pricePerKwh(2 ** 31 - 1) };
const MOST = wh(2 ** 51);
const CONTEXT = { marketHalted: false, memberHalted: false, clockOffMs: 0, capability: MOST };

/** Sends the rows to a book in the order of their `time` and closes its gate: the same book as the engine's. */
export function clearOrders(rows: readonly OrderRow[], tick: number, rationing: Rationing): ClearedOrders {
  const book = new OrderBook({ ...KEY, band: WIDEST, tick, maxVolume: MOST });
  const ids = new Map<string, number>();
  const names: string[] = [];
  const idOf = (name: string) => {
    const id = ids.get(name) ?? names.push(name) - 1;
    ids.set(name, id);
    return id;
  };
  const numbered = rows.map((row, at) => ({ row, at, clientOrderId: idOf(row.order) }));
  const outcomes: RowOutcome[] = rows.map(() => ({ filled: ZERO_WH, reason: 'no_trade' }));
  const accepted: number[] = [];
  for (const { row, at, clientOrderId } of numbered.toSorted((a, b) => a.row.time - b.row.time)) {
    const { side, limit, energy } = row;
    const member = row.member as MemberId;
    const order = { ...KEY, member, clientOrderId, side, type: 'limit' as const, limit, energy };
    const verdict = book.submit(order, row.time, CONTEXT);
    if (verdict.code === 'accepted') accepted.push(at);
    else outcomes[at] = { filled: ZERO_WH, reason: verdict.code };
  }
  const open = book.openOrders();
  const clearing = book.closeGate(rationing);
  clearing.fills.forEach(({ filled, fate }, position) => {
    outcomes[accepted[position] ?? -1] = { filled, reason: fate };
  });
  return { clearing, surplus: surplusOf(clearing, open), outcomes, nameOf: (id) => names[id] ?? '' };
}
