import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const PROJECT = fileURLToPath(new URL('../..', import.meta.url));
const STREET = join(PROJECT, 'examples/street/community.yaml');
const COMMANDS = ['start', 'engine', 'street', 'gateway', 'energy-relay', 'simulate', 'p2p-cli', 'p2p-audit', 'bench'];
const CONFIGURED = ['engine', 'gateway', 'energy-relay', 'street'] as const;

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'energy-logic-command-line-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

function runCommand(name: string, args: readonly string[], env: NodeJS.ProcessEnv = {}) {
  const command = [join(PROJECT, 'bin', `${name}.js`), ...args];
  const { status, stdout, stderr } = spawnSync(process.execPath, command, {
    cwd: folder,
    encoding: 'utf8',
    env: { ...process.env, ...env },
  });
  return { code: status, stdout, stderr };
}

describe.each(COMMANDS)('%s', (name) => {
  test('--help is a result: every option once, at most 100 columns', () => {
    const { code, stdout, stderr } = runCommand(name, ['--help']);
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/^Usage: /);
    expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(100);
    expect(stdout.includes('\u001b')).toBe(false);
  });

  test('an unknown option ends with 2, says which, and prints no result', () => {
    const { code, stdout, stderr } = runCommand(name, ['--nonsense']);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/--nonsense|Usage/);
    expect(stderr).not.toMatch(/ {4}at /);
  });
});

describe.each(CONFIGURED)('%s', (name) => {
  test('a configuration that is not there ends with 2 and says what to check', () => {
    const { code, stdout, stderr } = runCommand(name, ['--config', 'missing.yaml']);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toBe(
      'FILE_UNREADABLE: missing.yaml: cannot be read (ENOENT)\nCheck the path and its permissions.\n' +
        'See docs/reference/errors.md#file_unreadable\n',
    );
  });

  test('a folder for a file, and text for YAML, end with 2', () => {
    expect(runCommand(name, ['--config', folder])).toMatchObject({ code: 2, stderr: expect.stringMatching(/EISDIR/) });
    writeFileSync(join(folder, 'broken.yaml'), 'market: [elm\n');
    const { code, stderr } = runCommand(name, ['--config', 'broken.yaml']);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^CONFIG_INVALID: broken\.yaml:\d+:\d+ /);
  });

  test('with --json the message is one JSON object', () => {
    const { code, stderr } = runCommand(name, ['--config', 'missing.yaml', '--json']);
    expect(code).toBe(2);
    expect(JSON.parse(stderr)).toMatchObject({ code: 'FILE_UNREADABLE', remedy: expect.any(String) });
  });
});

describe('simulate', () => {
  test.each([
    ['a misspelt option', [STREET, '--mechansim', 'call'], 'did you mean "--mechanism"?'],
    ['a misspelt mechanism', [STREET, '--mechanism', 'midmarket'], 'did you mean "mid-market"?'],
    ['no file', [], 'FILE.yaml is missing'],
    ['two files', [STREET, STREET], 'one argument too many'],
    ['days backwards', [STREET, '--from', '2025-06-12', '--to', '2025-06-11'], 'must come after --from'],
    ['a file that is no YAML', [join(PROJECT, 'examples/street/home-01.csv')], 'CONFIG_INVALID: '],
  ])('%s ends with 2', (_, args, message) => {
    const { code, stdout, stderr } = runCommand('simulate', args);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(message);
    expect(stderr).not.toMatch(/ {4}at /);
  });
});

describe('start', () => {
  test.each([
    ['one home', ['--homes', '1'], '--homes must be a whole number of at least 2'],
    ['a speed that leases cannot follow', ['--speed', '151'], 'use --speed 150 or less, or --no-interlock'],
    ['a meter error nowhere', ['--meter-error', 'home-13=1'], 'there is no home-13 among 12 homes'],
    ['a meter error of no number', ['--meter-error', 'home-03=x'], '--meter-error wants a home and whole Wh'],
    ['a port that is none', ['--port', '70000'], '--port must be a whole number'],
  ])('%s ends with 2 before anything is started', (_, args, message) => {
    const { code, stdout, stderr } = runCommand('start', [...args, '--state', join(folder, 'street')]);
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toContain(message);
  });
});

describe('a reader that goes away', () => {
  test.each([
    ['simulate', [STREET, '--mechanism', 'call']],
    ['simulate', ['--help']],
    ['engine', ['--help']],
    ['energy-relay', ['--help']],
    ['p2p-cli', ['--help']],
  ])('from %s %j sees no stack', async (name, args) => {
    const child = spawn(process.execPath, [join(PROJECT, 'bin', `${name}.js`), ...args]);
    child.stdout.destroy();
    let words = '';
    child.stderr.on('data', (chunk: Buffer) => {
      words += chunk.toString('utf8');
    });
    const [code] = await once(child, 'close');
    expect([code, words]).toEqual([0, '']);
  });
});

test('NO_COLOR holds even where colour is forced', () => {
  const { stdout } = runCommand('p2p-cli', ['clear', join(PROJECT, 'examples/orders.csv')], { NO_COLOR: '1' });
  expect(stdout.includes('\u001b')).toBe(false);
});
