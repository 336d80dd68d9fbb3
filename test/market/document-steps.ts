import { aligned, cellsOf, priceOf } from './document-book.ts';

const TICK = 10_000;

/**
 * A `steps` block of a document, run against the orders of the CSV block before it: what is asked for, offered, traded
 * and left over, the same at every tick of 0.01 in the range of prices that a row names. Added up here, order by order.
 */
export function runStepsBlock(block: string, csv: string): string {
  const orders = csv
    .split('\n')
    .slice(1)
    .map((line) => {
      const [, , side, limit, energy] = line.split(',');
      return { isBuy: side === 'buy', limit: priceOf(limit), energy: Number(energy) };
    });
  const rows = block
    .split('\n')
    .slice(1)
    .map((line) => {
      const [range = ''] = cellsOf(line);
      const [first, last = first] = range.split(' to ').map(priceOf);
      if (first === undefined || last === undefined) throw new Error(`no range of prices: ${line}`);
      const found = new Set<string>();
      for (let price: number = first; price <= last; price += TICK) found.add(sumsAt(orders, price).join('  '));
      return [range, ...(found.size === 1 ? [...found].flatMap(cellsOf) : ['differs'])];
    });
  return aligned([['price', 'asked', 'offered', 'trades', 'left over'], ...rows], new Set([1, 2, 3, 4]));
}

function sumsAt(orders: readonly { isBuy: boolean; limit: number; energy: number }[], price: number): number[] {
  const sum = (side: boolean, reaches: (limit: number) => boolean) =>
    orders.reduce((total, { isBuy, limit, energy }) => total + (isBuy === side && reaches(limit) ? energy : 0), 0);
  const asked = sum(true, (limit) => limit >= price);
  const offered = sum(false, (limit) => limit <= price);
  return [asked, offered, Math.min(asked, offered), Math.abs(asked - offered)];
}
