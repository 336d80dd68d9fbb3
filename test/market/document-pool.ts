import { type MechanismName, mechanismOf } from '../../src/domain/market/mechanism.ts';
import { wh } from '../../src/domain/units/energy.ts';
import type { MemberId } from '../../src/domain/units/identity.ts';
import { formatPrice } from '../../src/domain/units/price.ts';
import { aligned, bandOf, cellsOf, priceOf } from './document-book.ts';

/** A `pool` block of a document, run: rules, then one home a row; what each bought and sold is written anew. */
export function runPoolBlock(block: string): string {
  const [rules = '', homes = ''] = block.split('\n\n');
  const texts = new Map(rules.split('\n').map((line) => cellsOf(line) as [string, string]));
  const rows = homes.split('\n').slice(1).map(cellsOf);
  const positions = rows.map(([member = '', demand, supply]) => {
    return { member: member as MemberId, demand: wh(Number(demand)), supply: wh(Number(supply)) };
  });
  const fixed = texts.get('fixed');
  const mechanism = mechanismOf({
    mechanism: texts.get('mechanism') as MechanismName,
    ...(fixed === undefined ? {} : { fixedPrice: priceOf(fixed) }),
  });
  const pool = mechanism.afterDelivery?.(positions, bandOf(texts.get('band')), priceOf(texts.get('tick')));
  if (pool === undefined) throw new Error(`no pool: ${rules}`);
  const described = pool.shares.map(({ bought, sold }, row) => {
    return [...(rows[row] ?? []).slice(0, 3), String(bought), String(sold)];
  });
  const table = aligned([['home', 'drew', 'fed in', 'bought', 'sold'], ...described], new Set([1, 2, 3, 4]));
  return [rules, table, `price ${pool.price === null ? 'none' : formatPrice(pool.price)}`].join('\n\n');
}
