import { applyCommand } from '../../domain/engine/apply-command.ts';
import { applyRecord } from '../../domain/engine/apply-record.ts';
import type { Command } from '../../domain/engine/command.ts';
import { JournalNumbers } from '../../domain/engine/command-reader.ts';
import { decodeCommand, encodeCommand, type RecordProblem } from '../../domain/engine/command-record.ts';
import type { EngineEvent } from '../../domain/engine/event.ts';
import { type EngineState, newEngineState } from '../../domain/engine/state.ts';
import { VERDICTS, type VerdictName } from '../../domain/market/verdict.ts';
import type { CommandLog, MarketClock } from '../../domain/ports.ts';
import { assert } from '../../domain/units/assert.ts';
import type { EpochMs } from '../../domain/units/time.ts';
import { Fault } from '../../errors/fault.ts';
import type { ReceiptFeed } from './receipt-feed.ts';

/** Written into every segment of the journal. 1: commands were text; 2: fixed records. */
export const ENGINE_VERSION = 2;

/** A command before it has its place in time; the writer stamps it. */
export type Draft = Command extends infer Each ? (Each extends Command ? Omit<Each, 'at'> : never) : never;

/** A command as it stands in the journal, with what it led to. */
export interface Committed {
  readonly sequence: number;
  readonly command: Command;
  readonly record: Uint8Array;
  readonly events: readonly EngineEvent[];
}

/** The one writer of a market: journal first, state second, answer last. */
export interface CommandWriter {
  readonly state: EngineState;
  /** Resolves with the events when the command is on stable storage and applied. Commands apply in the order of the calls. */
  commit(draft: Draft): Promise<readonly EngineEvent[]>;
}

/**
 * Brings the state, and with it the receipts, up to the end of the journal: from nothing, or from where a snapshot left
 * them. @throws Fault
 */
export async function replayJournal(
  log: CommandLog,
  state: EngineState = newEngineState(),
  receipts: ReceiptFeed | null = null,
): Promise<EngineState> {
  for await (const { firstSequence, records } of log.readBatches(state.sequence + 1)) {
    assert(firstSequence === state.sequence + 1, `record ${firstSequence} follows ${state.sequence}`);
    for (const record of records) {
      const outcome = receipts === null ? applyRecord(state, record) : applyWithReceipt(state, record, receipts);
      if (typeof outcome !== 'string') continue;
      throw new Fault('JOURNAL_CORRUPT', `record ${state.sequence + 1} of the journal can't be read: ${outcome}`);
    }
    receipts?.book.passOver();
  }
  return state;
}

function applyWithReceipt(
  state: EngineState,
  record: Uint8Array,
  receipts: ReceiptFeed,
): ReturnType<typeof applyRecord> | RecordProblem {
  const command = receipts.headOf(record) ?? decodeCommand(record, state.members);
  if (typeof command === 'string') return command;
  const reserved = receipts.reservedBefore(command);
  const outcome = applyRecord(state, record);
  if (typeof outcome === 'string') return outcome;
  receipts.take(command, record, reserved, outcome === null ? null : (VERDICTS[outcome] ?? null));
  return outcome;
}

export interface WriterParts {
  readonly log: CommandLog;
  readonly state: EngineState;
  readonly clock: MarketClock;
  readonly receipts: ReceiptFeed | null;
  /** Told of every command once it is on stable storage and applied, in journal order. */
  readonly onCommitted: (committed: Committed) => void;
}

export function createCommandWriter({ log, state, clock, receipts, onCommitted }: WriterParts): CommandWriter {
  const numbers = new JournalNumbers(state.members.ids);
  let lastAt: EpochMs = state.now;
  let tail: Promise<unknown> = Promise.resolve();
  return {
    state,
    commit(draft) {
      lastAt = Math.max(lastAt, Math.floor(clock.now())) as EpochMs;
      const command = { ...draft, at: lastAt } as Command;
      numbers.see(command);
      const record = encodeCommand(command, numbers);
      const written = log.append(record, { urgent: command.type !== 'order' });
      const applied = tail.then(async () => {
        const sequence = await written;
        const reserved = receipts?.reservedBefore(command) ?? null;
        const events = applyCommand(state, command);
        assert(state.sequence === sequence, `command ${state.sequence} is record ${sequence} of the journal`);
        receipts?.take(command, record, reserved, verdictIn(events));
        onCommitted({ sequence, command, record, events });
        return events;
      });
      tail = applied.catch(() => undefined);
      written.catch(() => undefined);
      return applied;
    },
  };
}

function verdictIn(events: readonly EngineEvent[]): VerdictName | null {
  for (const event of events) if (event.type === 'answered') return event.verdict.code;
  return null;
}
