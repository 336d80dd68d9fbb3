import { cpSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { applyCommand } from '../../src/domain/engine/apply-command.ts';
import { applyRecord } from '../../src/domain/engine/apply-record.ts';
import type { Command } from '../../src/domain/engine/command.ts';
import { JournalNumbers } from '../../src/domain/engine/command-reader.ts';
import { encodeCommand } from '../../src/domain/engine/command-record.ts';
import type { EngineEvent } from '../../src/domain/engine/event.ts';
import { restoreState, snapshotState } from '../../src/domain/engine/snapshot.ts';
import { newEngineState } from '../../src/domain/engine/state.ts';
import type { Amount, SettlementAmounts } from '../../src/domain/settlement/interval-settlement.ts';
import { replayCommands } from '../../src/sim/replay-driver.ts';
import { journalCommands } from '../e2e/journal-commands.ts';

/** Written by the engine whose journal was text: 433 commands, and what that engine made of them. */
const FIXTURE = fileURLToPath(new URL('../fixtures/journal-v1', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'previous-version-'));
const expected = JSON.parse(readFileSync(join(FIXTURE, 'expected.json'), 'utf8'));
let commands: readonly Command[];

beforeAll(async () => {
  cpSync(FIXTURE, folder, { recursive: true });
  commands = await journalCommands(folder);
});
afterAll(() => rmSync(folder, { recursive: true }));

/** As they were before there were grid fees. */
function plainAmounts({ members, community, utility, grid = 0 as Amount }: SettlementAmounts) {
  expect(Number(grid)).toBe(0);
  return { members: members.map(Number), community: Number(community), utility: Number(utility) };
}

function lived() {
  const state = newEngineState();
  const events: EngineEvent[] = [];
  for (const command of commands) events.push(...applyCommand(state, command));
  return { state, events };
}

describe('a journal of the previous version', () => {
  test('has all its commands', () => {
    expect(commands).toHaveLength(expected.commands);
  });

  test('gets the answers that were given', () => {
    const answers = lived().events.flatMap((event) =>
      event.type === 'answered'
        ? [
            [
              ...[event.kind, event.product, event.member, event.clientOrderId],
              ...[event.verdict.code, event.verdict.ok ? event.verdict.sequence : null],
            ],
          ]
        : [],
    );
    expect(answers).toEqual(expected.answers);
  });

  test('clears at the same prices, with the same trades and fates', () => {
    const clearings = lived().events.flatMap((event) => {
      if (event.type !== 'cleared') return [];
      const { price, traded, trades, fills } = event.clearing;
      return [
        {
          ...{ product: event.product, price, traded },
          trades: trades.map((each) => [each.buyer, each.buyOrder, each.seller, each.sellOrder, each.energy]),
          fills: fills.map(({ member, clientOrderId, filled, fate }) => [member, clientOrderId, filled, fate]),
        },
      ];
    });
    expect(clearings).toEqual(expected.clearings);
  });

  test('settles to the same positions and amounts', () => {
    const settlements = lived().events.flatMap((event) => {
      if (event.type !== 'settled') return [];
      const { interval, positions, amounts } = event.settlement;
      return [
        {
          interval: interval.start,
          positions: positions.map((each) => [
            ...[each.member, each.bought, each.sold, each.imported, each.exported],
            ...[each.balancedLong, each.balancedShort, each.origin],
          ]),
          amounts: plainAmounts(amounts),
        },
      ];
    });
    expect(settlements).toEqual(expected.settlements);
  });

  test('comes to the same state when it is written anew and read record by record', () => {
    const numbers = new JournalNumbers();
    const state = newEngineState();
    for (const command of commands) {
      numbers.see(command);
      const outcome = applyRecord(state, encodeCommand(command, numbers));
      expect(outcome === null || typeof outcome === 'number').toBe(true);
    }
    expect(snapshotState(state)).toEqual(snapshotState(lived().state));
  });

  test('comes to the same state from a snapshot anywhere in it and the rest', () => {
    const whole = snapshotState(lived().state);
    for (const half of [1, 50, 200, 300, 432]) {
      const first = newEngineState();
      for (const command of commands.slice(0, half)) applyCommand(first, command);
      const second = restoreState(snapshotState(first));
      if (second === null) throw new Error('a snapshot of another version');
      for (const command of commands.slice(half)) applyCommand(second, command);
      expect(snapshotState(second)).toEqual(whole);
    }
  });

  test('is answered alike by the slow books of the replay', () => {
    const { verdicts, settlements } = replayCommands(commands);
    expect(verdicts.map(({ code }) => code)).toEqual(expected.answers.map((answer: unknown[]) => answer[4]));
    expect([...settlements.values()].map(({ amounts }) => plainAmounts(amounts))).toEqual(
      expected.settlements.map(({ amounts }: { amounts: unknown }) => amounts),
    );
  });
});
