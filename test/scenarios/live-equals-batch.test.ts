import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { StatementView, TradeView } from '../../src/adapters/http/api-schema.ts';
import { applyCommand } from '../../src/domain/engine/apply-command.ts';
import type { Command } from '../../src/domain/engine/command.ts';
import { type EngineState, newEngineState } from '../../src/domain/engine/state.ts';
import type { IntervalSettlement } from '../../src/domain/settlement/interval-settlement.ts';
import { parseDecimal } from '../../src/domain/units/decimal.ts';
import { amountOf, formatMoney } from '../../src/domain/units/money.ts';
import { formatPrice } from '../../src/domain/units/price.ts';
import type { EpochMs } from '../../src/domain/units/time.ts';
import { type Replay, replayCommands } from '../../src/sim/replay-driver.ts';
import { journalCommands } from '../e2e/journal-commands.ts';
import { placesOf, StreetRun } from '../e2e/street-run.ts';

const INTERVALS = 3;

/** What a living street said of itself over HTTP, and the commands it journaled. */
interface Lived {
  readonly intervals: readonly EpochMs[];
  readonly trades: ReadonlyMap<EpochMs, readonly TradeView[]>;
  readonly statements: readonly StatementView[];
  readonly commands: readonly Command[];
}

const folder = mkdtempSync(join(tmpdir(), 'live-equals-batch-'));
let street: StreetRun | null = null;
let lived: Lived;
let batch: Replay;
let engine: EngineState;

beforeAll(async () => {
  street = new StreetRun(join(folder, 'street'), '--speed', '100', '--homes', '6');
  lived = await live(street);
  batch = replayCommands(lived.commands);
  engine = newEngineState();
  for (const command of lived.commands) applyCommand(engine, command);
});

afterAll(async () => {
  await street?.end();
  rmSync(folder, { recursive: true });
});

async function live(run: StreetRun): Promise<Lived> {
  await run.until(({ told }) => told.length === INTERVALS);
  const { dashboard } = placesOf(run.state);
  const get = async (path: string) => (await fetch(new URL(`/api/v1/${path}`, dashboard))).json();
  const intervals = run.told.map(({ interval }) => interval as EpochMs);
  const trades = new Map<EpochMs, TradeView[]>();
  for (const interval of intervals) trades.set(interval, await get(`trades?interval=${interval}`));
  const members: { readonly id: string }[] = await get('members');
  const statements = await Promise.all(members.map(({ id }): Promise<StatementView> => get(`members/${id}`)));
  await run.interrupt();
  return { intervals, trades, statements, commands: await journalCommands(join(run.state, 'engine', 'journal')) };
}

test('the street lived: orders were journaled, gates closed, and energy was traded', () => {
  const kinds = new Set(lived.commands.map(({ type }) => type));
  expect([...kinds]).toEqual(expect.arrayContaining(['terms', 'open', 'order', 'close', 'complete']));
  expect([...lived.trades.values()].flat().length).toBeGreaterThan(0);
  expect(lived.intervals).toHaveLength(INTERVALS);
});

test('the engine and the batch driver make the same of the journal', () => {
  expect([...batch.settlements.values()]).toEqual([...engine.settlements.values()]);
  expect(batch.books).toEqual({ accounts: engine.accounts, statements: engine.statements });
  for (const { start, clearing } of engine.products.values()) {
    expect(batch.clearings.get(start) ?? null).toEqual(clearing);
  }
});

test('the trades of the batch driver are those that the live engine told', () => {
  for (const [interval, told] of lived.trades) {
    const trades = batch.clearings.get(interval)?.trades ?? [];
    const views = trades.map(({ buyer, seller, energy, price }) => ({
      ...{ interval, buyer, seller, energyWh: energy },
      pricePerKwh: formatPrice(price),
      amount: formatMoney(amountOf(price, energy)),
    }));
    expect(told).toEqual(views);
  }
});

test('the postings of the batch driver are those on the live statements, to the nano', () => {
  for (const { member, lines } of lived.statements) {
    for (const interval of lived.intervals) {
      const own = lines.filter((line) => line.interval === interval);
      const told = own.reduce((sum, { amount }) => sum + BigInt(parseDecimal(amount, 9) ?? 'not exact'), 0n);
      expect(told, `${member.id} at ${interval}`).toBe(postingOf(batch.settlements.get(interval), member.id));
    }
  }
});

function postingOf(settlement: IntervalSettlement | undefined, member: string): bigint {
  const index = settlement?.positions.findIndex((position) => position.member === member) ?? -1;
  const amount = settlement?.amounts.members[index];
  if (amount === undefined) throw new Error(`${member} has no position`);
  return BigInt(amount);
}
