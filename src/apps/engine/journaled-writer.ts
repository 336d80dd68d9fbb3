import type { EngineEvent } from '../../domain/engine/event.ts';
import type { MarketClock } from '../../domain/ports.ts';
import { isFault } from '../../errors/fault.ts';
import { type CommandWriter, createCommandWriter } from './command-writer.ts';
import type { LateWatch } from './late-watch.ts';
import type { MarketJournal } from './market-journal.ts';
import type { ReceiptDesk } from './receipt-desk.ts';

interface JournaledParts {
  readonly market: MarketJournal;
  readonly clock: MarketClock;
  readonly desk: ReceiptDesk;
  readonly watch: LateWatch;
  onEvent(event: EngineEvent): void;
  /** The engine can't go on. */
  onFailure(error: unknown): void;
}

/**
 * The writer of a market with everything that follows a command: its events are told, its receipt is due, and now and
 * then there is a snapshot. A journal that fails fails the engine: what was not answered is sent again by its owner. A
 * full disk does not: new orders are refused until there is space, and what closes, withdraws and completes is written.
 */
export function journaledWriter({ market, clock, desk, watch, onEvent, onFailure }: JournaledParts): CommandWriter {
  const { log, state, receipts, snapshots } = market;
  const writer = createCommandWriter({
    ...{ log, state, clock, receipts },
    onCommitted: ({ events, command }) => {
      events.forEach(onEvent);
      desk.noticed();
      if (command.type !== 'complete') return;
      desk.completed();
      snapshots.consider(state, receipts.book);
    },
  });
  const commit: CommandWriter['commit'] = async (draft) => {
    const done = watch.begin(`a command of the kind ${draft.type}`);
    try {
      return await writer.commit(draft);
    } catch (error) {
      if (draft.type !== 'order' || !isFault(error, 'DISK_FULL')) onFailure(error);
      throw error;
    } finally {
      done();
    }
  };
  return { state, commit };
}
