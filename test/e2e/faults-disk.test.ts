import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { type Answer, type EngineBench, openBench, post, QUARTER_MS } from './engine-bench.ts';

const ENGINE = fileURLToPath(new URL('../../bin/engine.js', import.meta.url));

let bench: EngineBench;
let disk: string;
let isMounted = false;
const children: ChildProcess[] = [];

beforeEach(async () => {
  bench = await openBench();
  disk = join(bench.folder, 'disk');
  mkdirSync(disk);
  isMounted = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=2m', 'tmpfs', disk]).status === 0;
});

afterEach(async () => {
  for (const child of children.splice(0)) {
    if (child.exitCode !== null || child.signalCode !== null) continue;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  }
  if (isMounted) spawnSync('umount', [disk]);
  await bench.close();
});

interface Program {
  readonly child: ChildProcess;
  readonly url: string;
  words(): string;
}

async function startProgram(path: string): Promise<Program> {
  const child = spawn(process.execPath, [ENGINE, '--mode', 'paper', '--json', '--config', path]);
  children.push(child);
  let words = '';
  child.stderr.on('data', (chunk: Buffer) => {
    words += chunk.toString('utf8');
  });
  const [line] = await once(createInterface({ input: child.stdout }), 'line');
  return { child, url: (JSON.parse(String(line)) as { url: string }).url, words: () => words };
}

/** Orders `from` .. `to`, or until the engine takes no more; those that were acknowledged, and the answer that was none. */
async function takeOrders(
  url: string,
  from: number,
  to: number,
): Promise<{ taken: Map<number, Answer>; last: unknown }> {
  const home = await bench.member('home-01');
  const taken = new Map<number, Answer>();
  for (let clientOrderId = from; clientOrderId <= to; clientOrderId += 1) {
    const answer = await post(url, 'orders', 'home-01', home.order({ product: PRODUCT, clientOrderId, energy: 1 }));
    if (answer.code !== 'accepted') return { taken, last: answer };
    taken.set(clientOrderId, answer);
  }
  return { taken, last: null };
}

const PRODUCT = (Math.floor(Date.now() / QUARTER_MS) + 8) * QUARTER_MS;

test('a full disk: new orders are refused, withdrawals are still written, and with space again the market goes on', async ({
  skip,
}) => {
  if (!isMounted) skip('mounting a small disk needs the rights of root');
  const orders = { per_second: 10_000, burst: 10_000, member_queue: 10_000 };
  const path = bench.write({ state: join(disk, 'engine'), orders });
  const { child, url } = await startProgram(path);
  const ballast = join(disk, 'ballast');
  const before = await takeOrders(url, 1, 20);
  fill(ballast);
  const { taken: until, last } = await takeOrders(url, 21, 20_000);
  const taken = new Map([...before.taken, ...until]);
  expect(last).toMatchObject({ status: 503, code: 'DISK_FULL' });
  const home = await bench.member('home-01');
  const order = (clientOrderId: number) => home.order({ product: PRODUCT, clientOrderId, energy: 1 });
  const refused = taken.size + 1;
  expect(await post(url, 'orders', 'home-01', order(refused))).toMatchObject({ status: 503, code: 'DISK_FULL' });
  const [withdrawn = 0, ...standing] = taken.keys();
  const cancelled = await post(url, 'cancels', 'home-01', home.cancel(PRODUCT, withdrawn));
  expect(cancelled).toMatchObject({ status: 200, code: 'cancelled' });

  rmSync(ballast);
  const accepted = await post(url, 'orders', 'home-01', order(refused));
  expect(accepted).toMatchObject({ status: 200, code: 'accepted' });
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;

  const second = await startProgram(path);
  for (const clientOrderId of standing) {
    const { sequence } = taken.get(clientOrderId) ?? {};
    const again = await post(second.url, 'orders', 'home-01', order(clientOrderId));
    expect(again).toEqual({ status: 200, code: 'exists', sequence });
  }
  const { sequence } = cancelled;
  expect(await post(second.url, 'cancels', 'home-01', home.cancel(PRODUCT, withdrawn))).toEqual({
    ...{ status: 200, code: 'exists' },
    sequence,
  });
  expect(await post(second.url, 'orders', 'home-01', order(refused))).toMatchObject({ code: 'exists' });
  const ended = once(second.child, 'exit');
  second.child.kill('SIGTERM');
  expect((await ended)[0]).toBe(0);
});

test('a disk that is full from the start: exit 3 and one clear sentence', ({ skip }) => {
  if (!isMounted) skip('mounting a small disk needs the rights of root');
  const path = bench.write({ state: join(disk, 'engine') });
  fill(join(disk, 'ballast'));
  const { status, stdout, stderr } = spawnSync(process.execPath, [ENGINE, '--mode', 'paper', '--config', path], {
    encoding: 'utf8',
  });
  expect([status, stdout]).toEqual([3, '']);
  expect(stderr).toMatch(/^DISK_FULL: .+\nFree space on the volume .+\nSee .+#disk_full\n$/);
});

function fill(path: string): void {
  try {
    writeFileSync(path, Buffer.alloc(4 * 1024 * 1024));
  } catch {
    // That was the purpose.
  }
}

test('a state folder that cannot be written: exit 3 and the path', () => {
  const path = bench.write({ state: join(bench.folder, 'engine.yaml', 'engine') });
  const { status, stderr } = spawnSync(process.execPath, [ENGINE, '--mode', 'paper', '--config', path], {
    encoding: 'utf8',
  });
  expect(status).toBe(3);
  expect(stderr).toMatch(/^STATE_UNWRITABLE: .+engine\.yaml\/engine: cannot be written \(ENOTDIR\)\nCheck the path/);
});
