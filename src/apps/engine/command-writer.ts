import { applyCommand } from '../../domain/engine/apply-command.ts';
import { type Command, commandText, parseCommand } from '../../domain/engine/command.ts';
import type { EngineEvent } from '../../domain/engine/event.ts';
import { type EngineState, newEngineState } from '../../domain/engine/state.ts';
import type { CommandLog, MarketClock } from '../../domain/ports.ts';
import type { EpochMs } from '../../domain/units/time.ts';
import { Fault } from '../../errors/fault.ts';

/** A command before it has its place in time; the writer stamps it. */
export type Draft = Command extends infer Each ? (Each extends Command ? Omit<Each, 'at'> : never) : never;

/** The one writer of a market: journal first, state second, answer last. */
export interface CommandWriter {
  readonly state: EngineState;
  /** Resolves with the events when the command is on stable storage and applied. Commands apply in the order of the calls. */
  commit(draft: Draft): Promise<EngineEvent[]>;
}

/** Rebuilds the state from the journal. `onEvents` sees what every command led to, as it did when it was live. */
export async function replayJournal(log: CommandLog, onEvents: (events: EngineEvent[]) => void): Promise<EngineState> {
  const state = newEngineState();
  for await (const { record, sequence } of log.read(1)) {
    const command = parseCommand(Buffer.from(record).toString('utf8'));
    if (command === 'unknown_version') {
      throw new Fault('JOURNAL_CORRUPT', `record ${sequence} was written by a later version of the engine`);
    }
    onEvents(applyCommand(state, command));
  }
  return state;
}

export function createCommandWriter(
  log: CommandLog,
  state: EngineState,
  clock: MarketClock,
  onEvents: (events: EngineEvent[], sequence: number) => void,
): CommandWriter {
  let lastAt: EpochMs = state.now;
  let tail: Promise<unknown> = Promise.resolve();
  return {
    state,
    commit(draft) {
      lastAt = Math.max(lastAt, Math.floor(clock.now())) as EpochMs;
      const command = { ...draft, at: lastAt } as Command;
      const written = log.append(Buffer.from(commandText(command)));
      const applied = tail.then(async () => {
        await written;
        const events = applyCommand(state, command);
        onEvents(events, state.sequence);
        return events;
      });
      tail = applied.catch(() => undefined);
      written.catch(() => undefined);
      return applied;
    },
  };
}
