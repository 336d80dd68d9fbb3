import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { openJournal } from '../../src/adapters/journal/command-log.ts';
import { replayJournal } from '../../src/apps/engine/command-writer.ts';
import { engineConfig } from '../../src/apps/engine/engine-config.ts';
import { type RunningEngine, run } from '../../src/apps/engine/run.ts';
import { snapshotState } from '../../src/domain/engine/snapshot.ts';
import type { EngineState } from '../../src/domain/engine/state.ts';
import { type Answer, type EngineBench, HandWall, openBench, post, QUARTER_MS } from './engine-bench.ts';
import { journalCommands } from './journal-commands.ts';

const ENGINE = fileURLToPath(new URL('../../bin/engine.js', import.meta.url));

let bench: EngineBench;
beforeEach(async () => {
  bench = await openBench();
});
afterEach(() => bench.close());

/** The real program, in paper mode; resolves when its doors are open. */
async function startProgram(path: string): Promise<{ child: ChildProcess; url: string }> {
  const child = spawn(process.execPath, [ENGINE, '--mode', 'paper', '--json', '--config', path]);
  const [line] = await once(createInterface({ input: child.stdout }), 'line');
  return { child, url: (JSON.parse(String(line)) as { url: string }).url };
}

async function kill(child: ChildProcess): Promise<void> {
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

test('an engine that is killed keeps every answer', async () => {
  const home = await bench.member('home-01');
  const product = (Math.floor(Date.now() / QUARTER_MS) + 8) * QUARTER_MS;
  const messages = [
    home.order({ product, clientOrderId: 1 }),
    home.order({ product, clientOrderId: 2, side: 'sell', limit: 250_000, energy: 2000 }),
    home.order({ product, clientOrderId: 3, side: 'sell', limit: 250_000, energy: 1 }),
    home.order({ product, clientOrderId: 4, limit: 200_050 }),
    home.order({ product, clientOrderId: 5, energy: 0 }),
    home.order({ product, clientOrderId: 1, energy: 999 }),
  ];
  const path = bench.write();
  const askAll = async (url: string): Promise<Answer[]> => {
    const answers: Answer[] = [];
    for (const message of messages) answers.push(await post(url, 'orders', 'home-01', message));
    answers.push(await post(url, 'cancels', 'home-01', home.cancel(product, 2)));
    return answers;
  };
  const first = await startProgram(path);
  const answers = await askAll(first.url);
  expect(answers.map(({ code }) => code)).toEqual([
    'accepted',
    'accepted',
    'exceeds_capability',
    'tick_size',
    'energy_not_positive',
    'exists_with_different_energy',
    'cancelled',
  ]);
  await kill(first.child);

  const second = await startProgram(path);
  const again = await askAll(second.url);
  const repeated = (code: string) => (code === 'accepted' || code === 'cancelled' ? 'exists' : code);
  expect(again).toEqual(answers.map((answer) => ({ ...answer, code: repeated(answer.code) })));
  await kill(second.child);
  expect(snapshotState(await replayed(bench))).toEqual(snapshotState(await replayed(bench)));
  expect(statSync(join(bench.folder, 'engine')).mode & 0o077, 'others may not read the state').toBe(0);
});

/** The state as the journal alone tells it. */
async function replayed({ folder }: EngineBench): Promise<EngineState> {
  const journal = await openJournal({ folder: join(folder, 'engine/journal') });
  const state = await replayJournal(journal);
  await journal.close();
  return state;
}

describe('what fell due while the engine was away', () => {
  const START = Date.UTC(2026, 5, 21, 8, 54);
  const FIRST = Date.UTC(2026, 5, 21, 9, 15);

  const start = (at: number, changes: object = {}): Promise<RunningEngine> =>
    run(engineConfig.parse(bench.file(changes)), { wall: new HandWall(at), mode: 'paper', log: () => undefined });

  async function tradeAndStop(): Promise<void> {
    const engine = await start(START);
    const [buyer, seller] = [await bench.member('home-01'), await bench.member('home-02')];
    await post(engine.url, 'orders', 'home-01', buyer.order({ product: FIRST }));
    await post(engine.url, 'orders', 'home-02', seller.order({ product: FIRST, side: 'sell', limit: 100_000 }));
    await engine.stop();
  }

  const kinds = async (): Promise<string[]> => {
    const lines: string[] = [];
    for (const command of await journalCommands(join(bench.folder, 'engine/journal'))) {
      if (command.type === 'close') lines.push(`close ${(command.product - FIRST) / QUARTER_MS}`);
      if (command.type === 'complete') lines.push(`complete ${(command.boundary - FIRST) / QUARTER_MS}`);
    }
    return lines;
  };

  test('is journaled in its order before the doors open, and the late order is too late', async () => {
    await tradeAndStop();
    const engine = await start(FIRST + QUARTER_MS + 1);
    const home = await bench.member('home-03');
    const late = await post(engine.url, 'orders', 'home-03', home.order({ product: FIRST }));
    expect(late).toEqual({ status: 422, code: 'gate_closed' });
    await engine.stop();
    const journal = await kinds();
    expect(journal).toEqual(['close -1', 'complete -1', 'close 0', 'complete 0', 'close 1', 'complete 1']);
    const state = await replayed(bench);
    expect(state.products.get(FIRST as never)?.clearing).toMatchObject({ traded: 1000 });
    expect([...state.settlements.keys()]).toEqual([FIRST - QUARTER_MS, FIRST]);
  });

  test('is journaled once, however often the engine starts', async () => {
    await tradeAndStop();
    for (let n = 0; n < 3; n += 1) await (await start(FIRST - 1)).stop();
    expect(await kinds()).toEqual(['close -1', 'complete -1', 'close 0']);
  });

  test('a gate that the operator moved is closed where it now lies', async () => {
    await tradeAndStop();
    await (await start(START + 1, { gate_lead_s: 2400 })).stop();
    expect(await kinds()).toContain('close 0');
  });

  test.each([
    ['another market', { market: 'oak-street' }, 'market: is oak-street, but'],
    ['another length of interval', { interval: '30m' }, 'interval: is 30 minutes, but'],
    ['fewer members than have orders', {}, 'members: home-02 cannot leave yet, it has orders or trades until'],
  ])('%s is refused, and nothing is written', async (name, changes, message) => {
    await tradeAndStop();
    const file = bench.file(changes) as { members: { id: string }[] };
    if (name.startsWith('fewer')) file.members = file.members.filter(({ id }) => id !== 'home-02');
    const before = readFileSync(join(bench.folder, 'engine/journal/commands-000000000001.log'));
    await expect(start(START, file)).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
      message: expect.stringContaining(message),
    });
    expect(readFileSync(join(bench.folder, 'engine/journal/commands-000000000001.log'))).toEqual(before);
  });

  test('a clock behind the journal is refused, with both times', async () => {
    await tradeAndStop();
    await expect(start(START - 86_400_000)).rejects.toMatchObject({
      code: 'CLOCK_BEHIND',
      message: 'the clock says 2026-06-20T08:54Z, the journal goes up to 2026-06-21T08:54Z',
    });
  });
});

test('an inverted tariff opens no book, says so once, and the energy is settled at the tariff', async () => {
  const at = Date.UTC(2026, 5, 21, 8, 54);
  const product = Date.UTC(2026, 5, 21, 9, 15);
  const log: string[] = [];
  const config = engineConfig.parse(bench.file({ tariff: { import_per_kwh: '0.08', export_per_kwh: '0.30' } }));
  const start = (wallNow: number) =>
    run(config, { wall: new HandWall(wallNow), mode: 'paper', log: (line) => log.push(line) });
  const engine = await start(at);
  const home = await bench.member('home-01');
  const answer = await post(engine.url, 'orders', 'home-01', home.order({ product }));
  expect(answer).toEqual({ status: 422, code: 'tariff_inverted' });
  await engine.stop();
  expect(log).toEqual([expect.stringMatching(/^tariff_inverted from 2026-06-21T09:00Z on: .* are the two swapped\?$/)]);
  await (await start(product + QUARTER_MS + 1)).stop();
  const settlement = (await replayed(bench)).settlements.get(product as never);
  expect(settlement?.prices.tariff).toEqual({ importPrice: 80_000, exportPrice: 300_000 });
});

test('one engine a folder, and one program a port: the second ends with 3 and names what is in its way', async () => {
  const first = await startProgram(bench.write());
  const refusedBy = async (changes: object) => {
    const child = spawn(process.execPath, [ENGINE, '--mode', 'paper', '--config', bench.write(changes)]);
    let stderr = '';
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString('utf8');
    });
    const [status] = await once(child, 'close');
    return { status, stderr };
  };
  expect(await refusedBy({})).toEqual({
    status: 3,
    stderr: expect.stringContaining(
      `STATE_LOCKED: ${join(bench.folder, 'engine')} is in use by process ${first.child.pid}`,
    ),
  });
  const port = Number(new URL(first.url).port);
  const elsewhere = { market: 'oak-street', state: join(bench.folder, 'oak') };
  expect(await refusedBy({ ...elsewhere, http: { host: '127.0.0.1', port } })).toEqual({
    status: 3,
    stderr: expect.stringContaining(`PORT_TAKEN: 127.0.0.1:${port} is taken`),
  });
  await kill(first.child);
});

test('without a broker the engine waits, says for whom, and ends when asked', async () => {
  const path = bench.write({ broker: 'mqtt://127.0.0.1:9' });
  const child = spawn(process.execPath, [ENGINE, '--mode', 'paper', '--config', path]);
  const ended = once(child, 'exit');
  const [line] = await once(createInterface({ input: child.stderr }), 'line');
  expect(line).toMatch(/^BROKER_UNREACHABLE mqtt:\/\/127\.0\.0\.1:9 does not answer/);
  child.kill('SIGTERM');
  expect((await ended)[0]).toBe(0);
});
