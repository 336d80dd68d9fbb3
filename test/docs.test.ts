import { execFileSync } from 'node:child_process';
import { expect, test } from 'vitest';
import { commandReference } from '../scripts/cli-docs.ts';
import { errorReference } from '../scripts/error-docs.ts';
import { ORDER_REFUSALS } from '../src/domain/market/order.ts';
import { FAULTS } from '../src/errors/catalogue.ts';
import { anchorsOf } from './house/document-rules.ts';
import { ROOT, readText } from './house/tree.ts';

const STALE = 'run npm run fix: the page is written from the code';

test('the page of errors is what the catalogue says', () => {
  expect(readText('docs/reference/errors.md'), STALE).toBe(errorReference());
});

test('every fault has the anchor that its message points to', () => {
  const anchors = anchorsOf(readText('docs/reference/errors.md'));
  expect(Object.keys(FAULTS).filter((code) => !anchors.has(code.toLowerCase()))).toEqual([]);
});

test('the page of errors has no code that the product lacks', () => {
  const known = new Set<string>([...Object.keys(FAULTS), 'DELIVERY_FAILURE', 'PRICE_MISMATCH']);
  const documented = [...readText('docs/reference/errors.md').matchAll(/^### (.+)$/gm)].map(([, code = '']) => code);
  expect(documented.filter((code) => !known.has(code))).toEqual([]);
});

test('every refusal of an order is documented', () => {
  const page = readText('docs/reference/errors.md');
  expect(ORDER_REFUSALS.filter((code) => !page.includes(`| \`${code}\` |`))).toEqual([]);
});

test('the page of commands is what each command prints for --help', async () => {
  expect(readText('docs/reference/cli.md'), STALE).toBe(await commandReference());
});

test('the picture of the README shows what its orders really give', () => {
  const args = ['bin/p2p-cli.js', 'clear', 'examples/orders.csv', '--mechanism', 'call', '--tick', '0.0001', '--json'];
  const clearing = JSON.parse(execFileSync(process.execPath, args, { cwd: ROOT, encoding: 'utf8' }));
  const offeredWh = offeredIn(readText('examples/orders.csv'));
  const picture = readText('docs/images/street.svg');
  expect(picture).toContain(`>${clearing.clearingPricePerKwh} local price<`);
  expect(picture).toContain(
    `>${clearing.tradedWh} Wh traded in the street, ${offeredWh - clearing.tradedWh} Wh to the utility<`,
  );
});

function offeredIn(orders: string): number {
  return [...orders.matchAll(/,sell,[^,]+,(\d+),/g)].reduce((sum, [, energy]) => sum + Number(energy), 0);
}
