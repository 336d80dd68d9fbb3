import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { clear } from '../src/apps/cli/clear.ts';
import { ORDER_FATES, ORDER_REFUSALS } from '../src/domain/market/order.ts';
import { VERDICTS } from '../src/domain/market/verdict.ts';
import { ROOT, readText } from './house/tree.ts';
import { runBookBlock } from './market/document-book.ts';
import { runPoolBlock } from './market/document-pool.ts';
import { runStepsBlock } from './market/document-steps.ts';

const PAGE = readText('docs/market.md');

interface Block {
  readonly kind: string;
  readonly line: number;
  readonly text: string;
}

const BLOCKS: readonly Block[] = [...PAGE.matchAll(/^```(\w+)\n([\s\S]*?)\n```$/gm)].map((match) => {
  return { kind: match[1] ?? '', line: PAGE.slice(0, match.index).split('\n').length + 1, text: match[2] ?? '' };
});
const ofKind = (kind: string) => BLOCKS.filter((block) => block.kind === kind);

function ordersBefore(line: number): string {
  return ofKind('csv').findLast((block) => block.line < line)?.text ?? '';
}

const folder = mkdtempSync(join(tmpdir(), 'energy-logic-market-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('the page has examples of every kind, and no block that nothing runs', () => {
  expect([...new Set(BLOCKS.map(({ kind }) => kind))].sort()).toEqual(['book', 'console', 'csv', 'pool', 'steps']);
});

test.each(ofKind('book'))('the book in line $line does what it shows', ({ text }) => {
  expect(runBookBlock(text)).toBe(text);
});

test.each(ofKind('pool'))('the pool in line $line does what it shows', ({ text }) => {
  expect(runPoolBlock(text)).toBe(text);
});

test.each(ofKind('steps'))('the sums in line $line are those of the orders', ({ line, text }) => {
  expect(runStepsBlock(text, ordersBefore(line))).toBe(text);
});

/** `$ p2p-cli clear orders.csv ...` clears the CSV block above it. */
test.each(ofKind('console'))('the command in line $line prints what it shows', async ({ line, text }) => {
  const command = text.split('\n', 1)[0] ?? '';
  const [dollar, program, name, file, ...options] = command.split(' ');
  expect([dollar, program, name, file]).toEqual(['$', 'p2p-cli', 'clear', 'orders.csv']);
  const path = join(folder, 'orders.csv');
  writeFileSync(path, `${ordersBefore(line)}\n`);
  let printed = '';
  const keep = async (piece: string) => {
    printed += piece;
  };
  await clear([path, ...options], { out: keep, err: keep, color: false });
  expect(`${command}\n${printed.trimEnd()}`).toBe(text);
});

/** What the examples answer or tell of an order. */
const shown = new Set([...ofKind('book'), ...ofKind('console')].flatMap(({ text }) => text.split(/\s+/)));

/** The engine gives these before a book is asked. */
const BEFORE_THE_BOOK = [
  'unknown_market',
  'unknown_member',
  'unknown_product',
  'mechanism_takes_no_orders',
  'tariff_inverted',
];

test('every answer of a book is shown by an example', () => {
  expect(VERDICTS.filter((code) => !shown.has(code) && !BEFORE_THE_BOOK.includes(code))).toEqual([]);
});

test('every fate is shown by an example', () => {
  expect(ORDER_FATES.filter((fate) => !shown.has(fate))).toEqual([]);
});

test('every answer and every fate is explained', () => {
  const explained = (code: string) => PAGE.includes(`\`${code}\``);
  expect([...ORDER_REFUSALS, ...VERDICTS, ...ORDER_FATES].filter((code) => !explained(code))).toEqual([]);
});

test('the reading path of the folder names every file that is there, and no other', () => {
  const named = [...readText('src/domain/market/README.md').matchAll(/`([\w-]+\.ts)`/g)].map(([, name = '']) => name);
  const files = readdirSync(join(ROOT, 'src/domain/market')).filter((name) => /(?<!\.test)\.ts$/.test(name));
  expect([...new Set(named)].sort(), 'src/domain/market/README.md').toEqual(files.sort());
});
