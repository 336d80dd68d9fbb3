import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { demoLeaseKey, demoOrderKey } from '../../src/adapters/keys/demo-keys.ts';

const START = fileURLToPath(new URL('../../bin/start.js', import.meta.url));
const HOMES = 3;
const SEED = 11;

let state = '';
let words = '';
let story = '';
let code: number | null = null;
let pids: readonly number[] = [];

/** A street that trades for two intervals, until its reader goes away. */
beforeAll(async () => {
  state = join(mkdtempSync(join(tmpdir(), 'energy-logic-faults-')), 'street');
  const args = ['--homes', `${HOMES}`, '--seed', `${SEED}`, '--speed', '100', '--state', state, '--json'];
  const child = spawn(process.execPath, [START, ...args]);
  child.stderr.on('data', (chunk: Buffer) => {
    words += chunk.toString('utf8');
  });
  const ended = once(child, 'exit');
  let intervals = 0;
  for await (const line of createInterface({ input: child.stdout })) {
    story += line;
    intervals += line.includes('"settledBlock"') ? 1 : 0;
    if (intervals === 2) break;
  }
  const { children } = JSON.parse(readFileSync(join(state, 'run.json'), 'utf8')) as { children: { pid: number }[] };
  pids = children.map(({ pid }) => pid);
  child.stdout.destroy();
  [code] = await ended;
});

afterAll(() => rmSync(join(state, '..'), { recursive: true }));

test('a reader that goes away ends the street as Ctrl-C does: no stack, nobody left behind', () => {
  expect([code, words]).toEqual([0, '']);
  expect(pids).toHaveLength(3);
  expect(pids.filter((pid) => existsSync(`/proc/${pid}`))).toEqual([]);
});

test('no private key stands in any file, log or message, in any of the usual forms', () => {
  const names = ['engine', 'settler', 'feeder', ...Array.from({ length: HOMES }, (_, n) => `home-0${n + 1}`)];
  const keys = names.flatMap((name) => [demoOrderKey(SEED, name), demoLeaseKey(SEED, name)]).map(Buffer.from);
  const texts = keys.flatMap((key) => [key.toString('hex'), key.toString('base64'), key.toString('base64url')]);
  const files = everyFile(state);
  expect(files.length).toBeGreaterThan(10);
  for (const path of files) {
    const bytes = readFileSync(path);
    const text = bytes.toString('latin1').toLowerCase();
    expect(
      keys.filter((key) => bytes.includes(key)),
      path,
    ).toEqual([]);
    expect(
      texts.filter((secret) => text.includes(secret.toLowerCase())),
      path,
    ).toEqual([]);
  }
  expect(texts.filter((secret) => `${story}${words}`.includes(secret))).toEqual([]);
});

test('the state is for its owner alone', () => {
  expect(statSync(state).mode & 0o777).toBe(0o700);
});

test('the street goes on where it stood, and a second one on the same folder names the first', async () => {
  const args = ['--homes', `${HOMES}`, '--seed', `${SEED}`, '--speed', '100', '--state', state, '--json'];
  const child = spawn(process.execPath, [START, ...args]);
  const ended = once(child, 'exit');
  for await (const line of createInterface({ input: child.stdout })) if (line.includes('"settledBlock"')) break;
  const second = spawnSync(process.execPath, [START, ...args], { encoding: 'utf8' });
  expect([second.status, second.stdout]).toEqual([3, '']);
  expect(JSON.parse(second.stderr)).toMatchObject({
    code: 'STATE_LOCKED',
    message: `${state} is in use by process ${child.pid}`,
  });
  child.kill('SIGINT');
  expect((await ended)[0]).toBe(0);
});

function everyFile(folder: string): string[] {
  return readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
}
