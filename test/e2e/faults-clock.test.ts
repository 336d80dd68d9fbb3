import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, globSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { type EngineBench, getJson, MARKET, openBench, post, QUARTER_MS, SEED } from './engine-bench.ts';

const BIN = fileURLToPath(new URL('../../bin/', import.meta.url));
const FAKETIME = globSync('/usr/lib/*/faketime/libfaketimeMT.so.1')[0] ?? '';
const NO_FAKETIME = 'libfaketime is not installed (Debian: faketime)';

let bench: EngineBench;
let children: ChildProcess[];

beforeEach(async () => {
  bench = await openBench();
  children = [];
});

afterEach(async () => {
  for (const child of children) {
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }
  await bench.close();
});

/** A system clock for one program, which the test sets: `+3600` is an hour ahead of this machine's. */
function clockFile(offset: string): string {
  const path = join(bench.folder, 'clock');
  writeFileSync(`${path}.new`, `${offset}\n`);
  renameSync(`${path}.new`, path);
  return path;
}

function startProgram(name: string, args: readonly string[], clock: string | null) {
  const fake = {
    LD_PRELOAD: FAKETIME,
    FAKETIME_TIMESTAMP_FILE: clock ?? '',
    FAKETIME_NO_CACHE: '1',
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
  };
  const env = { ...process.env, ...(clock === null ? {} : fake) };
  const child = spawn(process.execPath, [join(BIN, `${name}.js`), ...args], { env });
  children.push(child);
  const words: string[] = [];
  createInterface({ input: child.stderr }).on('line', (line) => words.push(line));
  return { child, words, stdout: createInterface({ input: child.stdout }) };
}

async function startEngine(mode: string, clock: string | null) {
  const program = startProgram('engine', ['--mode', mode, '--json', '--config', bench.write()], clock);
  const [line] = await once(program.stdout, 'line');
  return { ...program, url: (JSON.parse(String(line)) as { url: string }).url };
}

test('a system clock that leaps an hour does not move market time, and the engine says so once', async ({ skip }) => {
  if (!existsSync(FAKETIME)) skip(NO_FAKETIME);
  const { url, words } = await startEngine('paper', clockFile('+0'));
  const marketTime = async () => (await getJson<{ marketTime: number }>(url, 'now')).marketTime;
  const off = (await marketTime()) - Date.now();
  clockFile('+3600');
  await expect.poll(() => words.join('\n'), { timeout: 20_000 }).toContain('3600 s ahead of market time');
  expect(Math.abs((await marketTime()) - Date.now() - off)).toBeLessThan(1000);
  const home = await bench.member('home-01');
  const product = (Math.floor(Date.now() / QUARTER_MS) + 2) * QUARTER_MS;
  expect(await post(url, 'orders', 'home-01', home.order({ product }))).toMatchObject({ code: 'accepted' });
  expect(words.filter((line) => line.includes('CLOCK_JUMPED'))).toHaveLength(1);
});

test('a gateway two hours behind says so, and its orders are refused', async ({ skip }) => {
  if (!existsSync(FAKETIME)) skip(NO_FAKETIME);
  const { url } = await startEngine('production', null);
  const path = join(bench.folder, 'gateway.yaml');
  writeFileSync(path, stringify(gatewayFile()));
  const gateway = startProgram('gateway', ['--config', path], clockFile('-7200'));
  await expect.poll(() => gateway.words.join('\n'), { timeout: 30_000 }).toMatch(/PRICE_MISMATCH .* -7\d{6} ms off/);
  const home = await bench.member('home-01');
  const product = (Math.floor(Date.now() / QUARTER_MS) + 4) * QUARTER_MS;
  let clientOrderId = 1000;
  const next = async () => {
    clientOrderId += 1;
    return (await post(url, 'orders', 'home-01', home.order({ product, clientOrderId, energy: 1 }))).code;
  };
  await expect.poll(next, { timeout: 20_000 }).toBe('price_mismatch');
});

/** Its meter does not answer, which is another matter. */
function gatewayFile() {
  return {
    market: MARKET,
    member: 'home-01',
    broker: bench.broker.url,
    interval: '15m',
    timezone: 'Europe/Berlin',
    state: join(bench.folder, 'gateway'),
    modbus: { host: '127.0.0.1', port: 9, meter: { unit: 1 } },
    agent: { key: { demo_seed: SEED } },
  };
}
