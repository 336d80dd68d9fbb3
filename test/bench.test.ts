import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { measuredApart } from '../bench/market/apart.ts';
import { barRows } from '../bench/market/bars.ts';
import { closedLoop, openLoop, quantile } from '../bench/market/doors-load.ts';
import type { LoadDoor } from '../bench/market/doors-open.ts';
import { type Engine, engines } from '../bench/market/engines.ts';
import type { StreamPlan } from '../bench/market/make-stream.ts';
import { streamRows } from '../bench/market/stream-rows.ts';

type Row = Readonly<Record<string, string | number>>;

async function all(rows: AsyncIterable<Row>): Promise<Row[]> {
  const told: Row[] = [];
  for await (const row of rows) told.push(row);
  return told;
}

function expectNumbers(row: Row | undefined, names: readonly string[]): void {
  for (const name of names) expect(row, name).toHaveProperty(name, expect.any(Number));
}

describe.concurrent('the market benchmark on the engine program', () => {
  it('measures both doors, open and closed, and a flood', { timeout: 30_000 }, async () => {
    const rows = await all(measuredApart('doors', ['--tiny']));
    const doors = rows.filter(({ door }) => door !== undefined);
    const kinds = doors.map(({ door, loop }) => `${door} ${loop}`);
    expect(kinds.sort()).toEqual(['http closed', 'http open', 'mqtt closed', 'mqtt open']);
    for (const row of doors) {
      expect(row).toMatchObject({ orders: 40, refused: 0 });
      expectNumbers(row, ['ordersPerSecond', 'msP50', 'msP99', 'msP999', 'load']);
    }
    expectNumbers(
      rows.find(({ bar }) => bar === 'flood'),
      ['calmMsP99', 'floodedMsP99', 'ratio', 'measured'],
    );
  });

  it('measures from the gate to the last member told', { timeout: 30_000 }, async () => {
    const [row, ...others] = await all(measuredApart('gates', ['--tiny']));
    expect(others).toEqual([]);
    expect(row).toMatchObject({ members: 10, connections: 2, gates: 3 });
    expectNumbers(row, ['msP50', 'msP99', 'msMax', 'firstToldMsP50', 'taken', 'load']);
    expect(row?.msMax).toBeGreaterThanOrEqual(Number(row?.msP50));
    expect(row?.msP50).toBeGreaterThanOrEqual(Number(row?.firstToldMsP50));
    expect(row?.taken).toBeGreaterThan(0);
  });
});

describe('a stream', () => {
  const mix = { prefill: 300, commands: 1300, live: 300, members: 50, spread: 30, seed: 3 };
  const plan: StreamPlan = { name: 'test', books: 2, ...mix };

  it('makes the same trades in every engine', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'bench-test-'));
    try {
      const present = engines(folder).filter((engine): engine is Engine => !('missing' in engine));
      const ours = present.filter(({ name }) => ['full', 'bare', 'naive', 'own-cpp'].includes(name));
      const options = { plans: [plan], engines: ours, folder, rounds: 1, quick: false, measures: [] };
      const rows = await all(streamRows(options));
      expect(rows.map(({ engine }) => engine)).toEqual(ours.map(({ name }) => name));
      expect(new Set(rows.map(({ tradeHash, trades }) => `${tradeHash} ${trades}`)).size).toBe(1);
      for (const row of rows) expectNumbers(row, ['nsPerCommand', 'wallNsPerCommand', 'trades']);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
});

describe('the bars', () => {
  const told = 'gate to last of 1,000 members told, p99 ms';
  it.each([
    [40, 'aim'],
    [50, 'aim'],
    [200, 'at least'],
    [251, 'short'],
  ])('say of %d ms: %s', (value, met) => {
    expect(barRows([{ name: 'told', value }]).find(({ bar }) => bar === told)).toMatchObject({ met });
  });

  it('say what was not measured', () => {
    for (const row of barRows([])) expect(row).toMatchObject({ met: 'not measured' });
  });
});

describe('a load', () => {
  const orders = Array.from({ length: 12 }, (_, at) => ({ member: at % 3, clientOrderId: at, json: '{}' }));

  it('of a closed loop never has more under way than it has members', async () => {
    const { door, most } = countingDoor();
    const { refused, waits } = await closedLoop(door, orders, 3);
    expect([most(), refused, waits.length]).toEqual([3, 6, 12]);
  });

  it('of an open loop goes on whatever is unanswered', async () => {
    const { door, most } = countingDoor(() => new Promise((resolve) => setTimeout(resolve, 50)));
    await openLoop(door, orders, 1_000_000);
    expect(most()).toBe(12);
  });

  it('is told by quantiles', () => {
    const values = Array.from({ length: 200 }, (_, at) => 200 - at);
    expect([0.5, 0.99, 1].map((share) => quantile(values, share))).toEqual([100, 198, 200]);
  });
});

/** Takes every other order, after `wait`. */
function countingDoor(wait: () => Promise<unknown> = () => Promise.resolve()) {
  let [underWay, most, sent] = [0, 0, 0];
  const door: LoadDoor = {
    connections: 1,
    async send() {
      const place = sent++;
      underWay += 1;
      most = Math.max(most, underWay);
      await wait();
      underWay -= 1;
      return place % 2 === 0;
    },
    close: () => undefined,
  };
  return { door, most: () => most };
}
