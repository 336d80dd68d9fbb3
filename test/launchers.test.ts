import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { ROOT } from './house/tree.ts';

const FOLDER = mkdtempSync(join(tmpdir(), 'energy-logic-launchers-'));
const RUN_APP = pathToFileURL(join(ROOT, 'bin/run-app.js')).href;
const FAULT = pathToFileURL(join(ROOT, 'src/errors/fault.ts')).href;

afterAll(() => rmSync(FOLDER, { recursive: true }));

function launch(name: string, source: string, before = '') {
  const file = join(FOLDER, `${name}.mjs`);
  writeFileSync(file, source);
  return runLauncher(pathToFileURL(file).href, before);
}

function runLauncher(file: string, before: string) {
  const script = `${before}; const { runApp } = await import('${RUN_APP}'); await runApp('sample', '${file}');`;
  const { status, stdout, stderr } = spawnSync(process.execPath, ['--input-type=module', '-e', script], {
    encoding: 'utf8',
  });
  return { status, stdout, stderr };
}

test.each([0, 1, 2, 3])('what main returns is the exit code: %i', (code) => {
  expect(launch(`returns-${code}`, `export async function main() { return ${code}; }`).status).toBe(code);
});

test('a fault prints code, message, remedy and where it is documented, and exits with 3', () => {
  const source = `import { Fault } from '${FAULT}'; export async function main() { throw new Fault('DISK_FULL', 'no space on /srv'); }`;
  const { status, stdout, stderr } = launch('fault', source);
  expect(status).toBe(3);
  expect(stdout).toBe('');
  expect(stderr).toMatch(/^DISK_FULL: no space on \/srv\n.+\nSee docs\/reference\/errors\.md#disk_full\n$/);
});

test('a fault of configuration exits with 2', () => {
  const source = `import { Fault } from '${FAULT}'; export async function main() { throw new Fault('CONFIG_INVALID', 'line 3'); }`;
  expect(launch('config', source).status).toBe(2);
});

test('a fault after main has started is reported the same way', () => {
  const source = `import { Fault } from '${FAULT}';
export async function main() { setImmediate(() => { throw new Fault('PORT_TAKEN', 'port 1883'); }); return 0; }`;
  const { status, stderr } = launch('late', source);
  expect(status).toBe(3);
  expect(stderr).toContain('PORT_TAKEN: port 1883');
});

test('a bug shows its stack and exits with 1', () => {
  const { status, stderr } = launch('bug', `export async function main() { throw new Error('bug: never'); }`);
  expect(status).toBe(1);
  expect(stderr).toMatch(/bug: never\n\s+at main/);
});

test('a command that is not built yet says so in one sentence and exits with 3', () => {
  const missing = pathToFileURL(join(FOLDER, 'missing.mjs')).href;
  expect(runLauncher(missing, '')).toEqual({ status: 3, stdout: '', stderr: 'sample is not built yet.\n' });
});

test('an older Node is told what to do in one sentence', () => {
  const older = "Object.defineProperty(process, 'versions', { value: { node: '20.20.2' } })";
  const { status, stderr } = launch('older', 'export async function main() { return 0; }', older);
  expect(status).toBe(3);
  expect(stderr).toMatch(/^sample needs Node 24 or newer, this is 20\.20\.2: .+\.\n$/);
});

test('output that nobody reads any more is no failure', () => {
  const source = `export async function main() { for (let i = 0; i < 100_000; i += 1) console.log('line', i); return 0; }`;
  writeFileSync(join(FOLDER, 'pipe.mjs'), source);
  const script = `const { runApp } = await import('${RUN_APP}'); await runApp('sample', '${pathToFileURL(join(FOLDER, 'pipe.mjs')).href}');`;
  const pipe = 'set -o pipefail; "$0" --input-type=module -e "$1" | head -1';
  const { status, stdout, stderr } = spawnSync('bash', ['-c', pipe, process.execPath, script], { encoding: 'utf8' });
  expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: 'line 0\n', stderr: '' });
});
