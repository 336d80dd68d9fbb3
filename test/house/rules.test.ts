import { describe, expect, test } from 'vitest';
import * as code from './code-rules.ts';
import { anchorsOf, brokenLinks, missingMentions, oneTitle, roomReadme, runnableBlocks } from './document-rules.ts';
import { floorViolations, importsOf } from './floors.ts';
import { inexactVersions, isFreeLicence } from './package-rules.ts';
import { plainCode } from './plain-code.ts';

describe('plain code', () => {
  test.each([
    ['a line comment', 'a; // {b}\nc', 'a;       \nc'],
    ['a block comment', 'a /* {\n} */ b', 'a     \n     b'],
    ['a string with an escape', String.raw`f('it\'s {') + 1`, 'f(         ) + 1'],
    ['a template with code inside', 'f(`a$\u007b g({ b: `}` }) }c`) {', 'f(     g({ b:     })    ) {'],
    ['a regular expression', 'x.replace(/[/{]"/g, y)', 'x.replace(       g, y)'],
    ['a division', 'a / b / c; {', 'a / b / c; {'],
  ])('keeps the place of everything beside %s', (_, text, expected) => {
    expect(plainCode(text)).toBe(expected);
  });
});

describe('floors', () => {
  const IMPORTS: readonly (readonly [string, string, boolean])[] = [
    ['src/domain/market/order.ts', '../units/price.ts', true],
    ['src/domain/market/order.ts', './trade.ts', true],
    ['src/domain/market/order.ts', '../metering/meter-reading.ts', false],
    ['src/domain/safety/interlock.ts', '../market/trade.ts', false],
    ['src/domain/dispatch/rule-agent.ts', '../market/order.ts', true],
    ['src/domain/dispatch/rule-agent.ts', '../market/trade.ts', false],
    ['src/domain/interval-cycle.ts', './settlement/accounts.ts', true],
    ['src/domain/units/energy.ts', '../market/order.ts', false],
    ['src/domain/market/order.ts', 'node:fs', false],
    ['src/domain/market/order.ts', 'zod', false],
    ['src/domain/market/order.ts', '../../errors/fault.ts', false],
    ['src/domain/weather/sun.ts', '../units/time.ts', false],
    ['src/errors/fault.ts', '../domain/units/time.ts', true],
    ['src/errors/fault.ts', '../adapters/mqtt/wire.ts', false],
    ['src/adapters/mqtt/wire.ts', '../../domain/market/order.ts', true],
    ['src/adapters/mqtt/wire.ts', '../journal/frame.ts', false],
    ['src/adapters/modbus/models/meter.ts', '../frame.ts', true],
    ['src/adapters/mqtt/wire.ts', 'mqtt', true],
    ['src/adapters/mqtt/wire.ts', '../../sim/home.ts', false],
    ['src/adapters/mqtt/wire.ts', '../../../web/main.ts', false],
    ['src/sim/home.ts', '../adapters/modbus/modbus-server.ts', false],
    ['src/sim/home.ts', '../domain/ports.ts', true],
    ['src/apps/engine/run.ts', '../../sim/home.ts', true],
    ['src/apps/engine/run.ts', '../gateway/run.ts', false],
    ['src/apps/street/run.ts', '../gateway/run.ts', true],
    ['src/apps/street/run.ts', '../gateway/main.ts', false],
    ['src/apps/street/run.ts', '../engine/run.ts', false],
  ];

  test.each(IMPORTS)('%s importing %s: %s', (path, specifier, allowed) => {
    expect(floorViolations(`import { x } from '${specifier}';`, path)).toHaveLength(allowed ? 0 : 1);
  });

  test('sees every way to import and no mention of one', () => {
    const text = [
      "import { a } from './a.ts';",
      "import type { b } from './b.ts';",
      "export { c } from './c.ts';",
      "import './d.ts';",
      "const e = await import('./e.ts');",
      "import {\n  f,\n} from './f.ts';",
      "// import { g } from './g.ts';",
      'const h = "import x from \'./h.ts\'";',
    ].join('\n');
    expect(importsOf(text)).toEqual(['./a.ts', './b.ts', './c.ts', './d.ts', './e.ts', './f.ts']);
  });
});

describe('code rules', () => {
  const lines = (count: number, line = '  step();') => Array.from({ length: count }, () => line).join('\n');

  test('a file may have 500 lines and not 501', () => {
    expect(code.fileLength(lines(500), 'a.ts')).toEqual([]);
    expect(code.fileLength(lines(501), 'a.ts')).toHaveLength(1);
  });

  test.each([
    ['function f(a: { b: string }): void {', 1],
    ['const f = (a: number) => {', 1],
    ['const f = async (): Promise<Map<string, { a: 1 }>> => {', 1],
    ['class C {\n  method(): number {', 1],
    ['export const TABLE = {', 0],
    ['interface Wide {', 0],
    ['if (a) {', 0],
    ['} else if (a) {', 0],
  ])('101 lines after %s: %i violations', (head, expected) => {
    expect(code.functionLength(`${head}\n${lines(100)}\n}${head.startsWith('class') ? '}' : ''}`, 'a.ts')).toHaveLength(
      expected,
    );
  });

  test('a function may have 100 lines', () => {
    expect(code.functionLength(`function f() {\n${lines(98)}\n}`, 'a.ts')).toEqual([]);
  });

  test.each([
    ['const now = Date.now();', 1],
    ['const now = new Date();', 1],
    ['const day = new Date(at);', 0],
    ['const x = Math.random();', 1],
    ['console.log(1);', 1],
    ['process.exit(1);', 1],
    ['// Date.now() is not for us', 0],
    ["const name = 'Math.random';", 0],
    ['async function f() {}', 1],
    ['setTimeout(f, 1);', 1],
  ])('in the domain %s: %i violations', (text, expected) => {
    expect(code.domainPurity(text, 'src/domain/market/order.ts')).toHaveLength(expected);
  });

  test.each([
    ["test.only('a', f)", 1],
    ["describe.skip('a', f)", 1],
    ["test.each(TABLE).only('a', f)", 0],
    ["skip('no GPIO on this machine')", 0],
    ['skip()', 1],
    ['reader.skip(key); reader.skip()', 0],
    ["test.skip('bus over mosquitto (not installed)', () => {});", 0],
    ["test.skip('needs gcc', () => undefined);", 0],
    ["test.skip('bus over mosquitto', () => {});", 1],
    ["test.skip('bus over mosquitto (flaky)', () => { expect(1).toBe(1); });", 1],
    ["test.todo('a')", 1],
  ])('%s: %i violations', (text, expected) => {
    expect(code.focusedTests(text, 'a.test.ts')).toHaveLength(expected);
  });

  test.each([
    ['// TODO later', 1],
    ['<!-- FIXME -->', 1],
    ['a to-do list', 0],
  ])('%s: %i reminders', (text, expected) => {
    expect(code.reminders(text, 'a.ts')).toHaveLength(expected);
  });

  test.each([
    ['src/domain/market/utils.ts', '', 1],
    ['src/adapters/mqtt/topic-helpers.ts', '', 1],
    ['src/domain/market/order-book.ts', '', 0],
    ['src/domain/market/order-book.ts', 'class OrderManager {', 1],
    ['src/domain/market/order-book.ts', 'class OrderBook {', 0],
  ])('the name %s with %s: %i violations', (path, text, expected) => {
    expect(code.names(text, path)).toHaveLength(expected);
  });

  test.each([
    ['/** Clears a call auction (design 5). */', 1],
    ['// see issue #12', 1],
    ['// by design, and designed for 2 people', 0],
  ])('%s: %i references to the outside', (text, expected) => {
    expect(code.outsideTexts(text, 'a.ts')).toHaveLength(expected);
  });

  test.each([
    ["readFileSync('/root/main/a.csv')", 1],
    ["readFileSync('/home/anna/a.csv')", 1],
    ["mkdir('/tmp/test-1')", 1],
    ["'/etc/energy-logic/config.yaml'", 0],
    ["'https://registry.example.org/x'", 1],
    ["fetch('/api/v1/now')", 0],
    ['src/work/place.ts', 0],
  ])('%s: %i machine paths', (text, expected) => {
    expect(code.machinePaths(text, 'a.ts')).toHaveLength(expected);
  });
});

describe('document rules', () => {
  test('a document has one title on its first line', () => {
    expect(oneTitle('# A\n\n## B\n\n```sh\n# a comment\n```\n')).toEqual([]);
    expect(oneTitle('# A\n\n# B\n')).toHaveLength(1);
    expect(oneTitle('text\n\n# A\n')).toHaveLength(1);
  });

  test('anchors are those that a reader gets', () => {
    expect([...anchorsOf('# The `house`\n## A & B\n## A & B\n<a id="own"></a>')]).toEqual([
      'the-house',
      'a--b',
      'a--b-1',
      'own',
    ]);
  });

  test('a link needs its file and its heading', () => {
    expect(brokenLinks('[a](package.json) [b](https://example.org/x) `[c](gone.md)`', 'x.md')).toEqual([]);
    expect(brokenLinks('[a](gone.md)', 'x.md')).toHaveLength(1);
    expect(brokenLinks('[a](src/domain/units/README.md#gone)', 'x.md')).toHaveLength(1);
    expect(brokenLinks('<img src="gone.svg">', 'x.md')).toHaveLength(1);
  });

  test('a path in backticks is looked up, a pattern is not', () => {
    expect(missingMentions('`src/errors/fault.ts`, `bin/NAME.js`, `src/*.ts`')).toEqual([]);
    expect(missingMentions('`src/errors/gone.ts`')).toHaveLength(1);
  });

  test('a room has a README of 8 to 30 lines with three parts', () => {
    const parts = ['Words', 'Invariants', 'Standard'].map((part) => `**${part}.** Text.`);
    expect(roomReadme(`# Room\n\nPurpose.\n\n${parts.join('\n\n')}\n`)).toEqual([]);
    expect(roomReadme(`# Room\n\n${parts.slice(1).join('\n\n\n\n\n\n')}\n`)).toHaveLength(1);
    expect(roomReadme(`# Room\n\n${parts.join('\n'.repeat(16))}\n`)).toHaveLength(1);
  });

  test('only blocks tagged run are run', () => {
    const text = '# A\n\n```sh run\nnpx a\n```\n\n```sh\nnpx b\n```\n';
    expect(runnableBlocks(text)).toEqual([{ line: 3, script: 'npx a\n' }]);
  });
});

describe('package rules', () => {
  test('a version range is refused', () => {
    expect(
      inexactVersions({ dependencies: { a: '1.2.3', b: '^1.2.3' }, devDependencies: { c: 'latest' } }),
    ).toHaveLength(2);
  });

  test.each([
    ['MIT', true],
    ['(MIT OR GPL-3.0-only)', true],
    ['MIT AND GPL-2.0-only', false],
    ['GPL-3.0-or-later', false],
    ['AGPL-3.0', false],
    ['none stated', false],
  ])('%s is free for us: %s', (licence, expected) => {
    expect(isFreeLicence(licence)).toBe(expected);
  });
});
