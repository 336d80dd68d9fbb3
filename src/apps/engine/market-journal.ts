import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { openJournal } from '../../adapters/journal/command-log.ts';
import { openSnapshotStore, type Snapshot, type SnapshotStore } from '../../adapters/journal/snapshot-store.ts';
import { joinParts, splitParts } from '../../domain/engine/byte-parts.ts';
import { restoreState, snapshotState } from '../../domain/engine/snapshot.ts';
import { type EngineState, newEngineState } from '../../domain/engine/state.ts';
import type { CommandLog } from '../../domain/ports.ts';
import { isFault } from '../../errors/fault.ts';
import { ENGINE_VERSION, replayJournal } from './command-writer.ts';
import { ReceiptBook, type ReceiptBookParts } from './receipt-book.ts';
import { ReceiptFeed } from './receipt-feed.ts';

/** A market's state as its disk tells it, the receipts of what it did, and where it goes on. */
export interface MarketJournal {
  readonly state: EngineState;
  readonly receipts: ReceiptFeed;
  readonly log: CommandLog;
  readonly snapshots: SnapshotKeeper;
}

/** So many commands are replayed in seconds. */
const COMMANDS_BETWEEN = 100_000;

interface JournalPlace {
  /** Of the engine's state. */
  readonly folder: string;
  readonly receipts: Omit<ReceiptBookParts, 'engineVersion'>;
  readonly tell: (line: string) => void;
  /** Commands between two snapshots. */
  readonly every?: number;
}

/**
 * State and receipts from the newest snapshot that is whole and the commands after it; without one, from all commands.
 * @throws Fault JOURNAL_CORRUPT, DISK_FULL
 */
export async function openMarketJournal(place: JournalPlace): Promise<MarketJournal> {
  const { folder, tell, every = COMMANDS_BETWEEN } = place;
  const options = { folder: join(folder, 'snapshots'), engineVersion: ENGINE_VERSION };
  const store = await openSnapshotStore({ ...options, onDamaged: (problem) => tell(`SNAPSHOT_UNUSABLE ${problem}`) });
  const { state, book } = restore(await store.latest(), { ...place.receipts, engineVersion: ENGINE_VERSION }, tell);
  const [from, receipts] = [state.sequence, new ReceiptFeed(book, state)];
  const journal = { folder: join(folder, 'journal'), engineVersion: ENGINE_VERSION, verifyFrom: from + 1 };
  const log = await openJournal(journal);
  try {
    await replayJournal(log, state, receipts);
    return { state, receipts, log, snapshots: new SnapshotKeeper(store, from, tell, every) };
  } catch (error) {
    await log.close();
    throw error;
  }
}

interface Restored {
  readonly state: EngineState;
  readonly book: ReceiptBook;
}

/** What does not come back as it was is not used; the journal holds everything that it holds. */
function restore(snapshot: Snapshot | null, parts: ReceiptBookParts, tell: (line: string) => void): Restored {
  const restored = snapshot === null ? null : readSnapshot(snapshot, parts);
  if (restored !== null && typeof restored !== 'string') return restored;
  if (restored !== null) {
    tell(`SNAPSHOT_UNUSABLE the one after record ${snapshot?.sequence} ${restored}: all commands are replayed`);
  }
  return { state: newEngineState(), book: new ReceiptBook(parts) };
}

const MAGIC = Buffer.from('el/snapshot/1');

/** A text says why not. */
function readSnapshot({ bytes, stateHash }: Snapshot, parts: ReceiptBookParts): Restored | string {
  const [magic, ofState, ofReceipts] = splitParts(bytes) ?? [];
  if (magic === undefined || !MAGIC.equals(magic) || ofState === undefined || ofReceipts === undefined) {
    return 'is of another version';
  }
  const state = restoreState(ofState);
  if (state === null || !hashOf(snapshotState(state)).equals(stateHash)) return 'is of another version';
  const book = ReceiptBook.restore(parts, ofReceipts, (product) => state.products.get(product)?.book ?? null);
  return typeof book === 'string' ? book : { state, book };
}

function hashOf(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}

/** Takes a snapshot when enough has happened since the last one. A disk that has no room for it does not stop the market. */
export class SnapshotKeeper {
  readonly #store: SnapshotStore;
  readonly #tell: (line: string) => void;
  readonly #every: number;
  #last: number;
  #saving: Promise<void> | null = null;

  constructor(store: SnapshotStore, last: number, tell: (line: string) => void, every: number) {
    this.#store = store;
    this.#last = last;
    this.#tell = tell;
    this.#every = every;
  }

  /** To be called between two commands, all of them on stable storage. */
  consider(state: EngineState, receipts: ReceiptBook): void {
    if (this.#saving !== null || state.sequence - this.#last < this.#every) return;
    this.#last = state.sequence;
    const bytes = snapshotState(state);
    const parts = joinParts([MAGIC, bytes, receipts.snapshot()]);
    this.#saving = this.#store.save(state.sequence, hashOf(bytes), parts).catch((error: unknown) => {
      if (!isFault(error)) throw error;
      this.#tell(`${error.code} ${error.message}`);
    });
    void this.#saving.finally(() => {
      this.#saving = null;
    });
  }

  /** Resolves when what was begun is written. */
  async close(): Promise<void> {
    await this.#saving;
  }
}
