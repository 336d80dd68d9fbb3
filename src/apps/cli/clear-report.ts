import pc from 'picocolors';
import type { OrderRow } from '../../adapters/config/orders-csv.ts';
import { clearingPoint } from '../../domain/market/clearing-price.ts';
import type { Clearing } from '../../domain/market/trade.ts';
import { formatMoney } from '../../domain/units/money.ts';
import { formatPrice } from '../../domain/units/price.ts';
import type { ClearedOrders, ClearRules } from './clear-orders.ts';

const ROWS_PER_WRITE = 5000;
const MOST_ROWS_SHOWN = 100;

/** The JSON of `clear`, in pieces, so that a million orders never stand in one text. */
export function* jsonOf(
  rows: readonly OrderRow[],
  cleared: ClearedOrders,
  { mechanism }: ClearRules,
): Generator<string> {
  const { clearing, surplus, outcomes, nameOf } = cleared;
  const head = {
    mechanism,
    clearingPricePerKwh: uniformPrice(clearing, mechanism),
    tradedWh: clearing.traded,
    surplus: formatMoney(surplus),
  };
  yield `${JSON.stringify(head).slice(0, -1)},"trades":[`;
  yield* elements(clearing.trades, ({ buyOrder, sellOrder, energy, price }) => {
    return { buy: nameOf(buyOrder), sell: nameOf(sellOrder), energyWh: energy, pricePerKwh: formatPrice(price) };
  });
  yield '],"orders":[';
  yield* elements(rows, ({ order }, at) => {
    return { order, filledWh: outcomes[at]?.filled, reason: outcomes[at]?.reason };
  });
  yield ']}\n';
}

/** A continuous book has a price for every trade, and none for all. */
function uniformPrice({ price }: Clearing, mechanism: ClearRules['mechanism']): string | null {
  return price === null || mechanism === 'continuous' ? null : formatPrice(price);
}

function* elements<Item>(items: readonly Item[], shape: (item: Item, at: number) => object): Generator<string> {
  for (let from = 0; from < items.length; from += ROWS_PER_WRITE) {
    const part = items.slice(from, from + ROWS_PER_WRITE);
    yield (from === 0 ? '' : ',') + part.map((item, at) => JSON.stringify(shape(item, from + at))).join(',');
  }
}

/** The same for people: what happened, why, and the first rows. */
export function textOf(rows: readonly OrderRow[], cleared: ClearedOrders, rules: ClearRules, color: boolean): string {
  const { bold, dim } = pc.createColors(color);
  const { clearing, surplus, outcomes } = cleared;
  const price = clearing.price === null ? 'none' : `${formatPrice(clearing.price)} per kWh`;
  const isCall = rules.mechanism === 'call';
  const kind = isCall ? `call auction, ${rules.rationing}` : 'continuous, price-time';
  const facts = [
    [isCall ? 'price' : 'mean', bold(price)],
    ['traded', `${bold(grouped(clearing.traded))} Wh in ${grouped(clearing.trades.length)} trades`],
    ['surplus', formatMoney(surplus)],
    ['rules', `${kind}, tick ${formatPrice(rules.tick as OrderRow['limit'])}`],
  ].map(([name = '', value]) => `${name.padEnd(8)} ${value}`);
  const table = rows.slice(0, MOST_ROWS_SHOWN).map((row, at) => {
    const { order, member, side, limit, energy } = row;
    return [order, member, side, formatPrice(limit), grouped(energy), grouped(outcomes[at]?.filled ?? 0)].concat(
      outcomes[at]?.reason ?? '',
    );
  });
  const hidden = rows.length - table.length;
  const more = hidden > 0 ? [dim(`${grouped(hidden)} more; --json lists them all`)] : [];
  const reason = isCall
    ? why(clearing, rules.tick)
    : 'Every order met the best that stood when it came, at the price of the order that stood.';
  return `${[...facts, '', reason, '', ...aligned(table), ...more].join('\n').trimEnd()}\n`;
}

const HEADINGS = ['order', 'member', 'side', 'limit', 'Wh', 'filled', 'reason'];
const NUMERIC = new Set(['limit', 'Wh', 'filled']);

function aligned(rows: readonly (readonly string[])[]): string[] {
  if (rows.length === 0) return [];
  const all = [HEADINGS, ...rows];
  const widths = HEADINGS.map((_, column) => Math.max(...all.map((row) => row[column]?.length ?? 0)));
  return all.map((row) =>
    row
      .map((cell, column) => {
        const width = widths[column] ?? 0;
        return NUMERIC.has(HEADINGS[column] ?? '') ? cell.padStart(width) : cell.padEnd(width);
      })
      .join('  ')
      .trimEnd(),
  );
}

/** One sentence: why this price, or why none. */
export function why({ demand, supply }: Clearing, tick: number): string {
  const point = clearingPoint(demand, supply, tick);
  if (point === null) return whyNothing(demand[0]?.price, supply[0]?.price);
  const { volume, lowest, highest, demandAtLowest, supplyAtHighest } = point;
  const meet = `${grouped(demandAtLowest)} Wh are asked for and ${grouped(supplyAtHighest)} Wh offered`;
  if (lowest === highest) {
    return `At ${formatPrice(lowest)}, ${meet}: no other price trades as much with as little left over.`;
  }
  const range = `from ${formatPrice(lowest)} to ${formatPrice(highest)}`;
  const balance = Math.sign(demandAtLowest - supplyAtHighest);
  const place =
    balance > 0 ? 'scarce energy stands high' : balance < 0 ? 'plentiful energy stands low' : 'the middle is';
  return `Every price ${range} trades ${grouped(volume)} Wh; ${meet}, so ${place} in that range.`;
}

function whyNothing(dearestBuy: number | undefined, cheapestSell: number | undefined): string {
  if (dearestBuy === undefined && cheapestSell === undefined) return 'Nothing traded: there are no orders.';
  if (dearestBuy === undefined) return 'Nothing traded: nobody buys.';
  if (cheapestSell === undefined) return 'Nothing traded: nobody sells.';
  const [most, least] = [dearestBuy, cheapestSell].map((price) => formatPrice(price as OrderRow['limit']));
  return `Nothing traded: the dearest buyer pays ${most}, the cheapest seller asks ${least}.`;
}

function grouped(value: number): string {
  return value.toLocaleString('en-US');
}
