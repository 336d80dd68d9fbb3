import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { PLANTED_FAULTS } from './planted-faults.ts';

const DOMAIN = fileURLToPath(new URL('../../src/domain/', import.meta.url));
const PROGRAM = fileURLToPath(new URL('./twin-program.ts', import.meta.url));
const COMMANDS = 38_000;
/** A fault that hangs is seen, too. */
const TIMEOUT_MS = 20_000;

let copy: string;

beforeAll(() => {
  copy = mkdtempSync(join(tmpdir(), 'planted-faults-'));
  for (const room of ['market', 'units', 'grid']) {
    const filter = (source: string) => !/\.test\.ts$|\/naive-/.test(source);
    cpSync(join(DOMAIN, room), join(copy, room), { recursive: true, filter });
  }
  writeFileSync(join(copy, 'package.json'), '{ "type": "module" }');
});

afterAll(() => rmSync(copy, { recursive: true }));

function runTwins(): { status: number | null; text: string } {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [PROGRAM, pathToFileURL(copy).href, '1', String(COMMANDS)],
    {
      encoding: 'utf8',
      timeout: TIMEOUT_MS,
    },
  );
  return { status, text: stdout + stderr };
}

test('the book as it is differs in nothing', () => {
  expect(runTwins()).toEqual({ status: 0, text: 'no difference\n' });
});

/** Of all files of the market, the one that holds the text; it must be there once. */
function fileWith(text: string): string {
  const paths = readdirSync(join(copy, 'market')).map((name) => join(copy, 'market', name));
  const found = paths.flatMap((path) =>
    readFileSync(path, 'utf8')
      .split(text)
      .slice(1)
      .map(() => path),
  );
  expect(found, `the text to change is there once: ${text}`).toHaveLength(1);
  return found[0] ?? '';
}

test.each(PLANTED_FAULTS.map(({ name, from, to }) => [name, from, to]))('found: %s', (_, from, to) => {
  const path = fileWith(from);
  const source = readFileSync(path, 'utf8');
  try {
    writeFileSync(
      path,
      source.replace(from, () => to),
    );
    const { status, text } = runTwins();
    expect(status, text).not.toBe(0);
    // A copy that cannot be loaded would prove nothing.
    if (status !== null) expect(text).toMatch(/^seed \d+: /);
  } finally {
    writeFileSync(path, source);
  }
});
