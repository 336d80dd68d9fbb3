import { createHash } from 'node:crypto';
import { openJournal } from '../../src/adapters/journal/command-log.ts';
import { openSnapshotStore, type Snapshot, type SnapshotStore } from '../../src/adapters/journal/snapshot-store.ts';
import {
  type CommandWriter,
  createCommandWriter,
  ENGINE_VERSION,
  replayJournal,
} from '../../src/apps/engine/command-writer.ts';
import { catchUp, type LoopParts, runMarket } from '../../src/apps/engine/market-loop.ts';
import { canonicalJson } from '../../src/domain/engine/command.ts';
import { restoreState, snapshotState } from '../../src/domain/engine/snapshot.ts';
import { type EngineState, newEngineState } from '../../src/domain/engine/state.ts';
import type { CommandLog } from '../../src/domain/ports.ts';
import { isFault } from '../../src/errors/fault.ts';
import type { MarketAnswer } from '../../src/sim/market-request.ts';
import type { EngineLife, EngineProgram, EngineSurroundings } from '../../src/sim/market-simulator.ts';
import { TARIFF } from '../../src/sim/market-terms.ts';

const SNAPSHOT_EVERY = 30;
/** Small, so that a run turns over several segments and the reserve is soon spent. */
const SEGMENT_BYTES = 8192;
const RESERVE_BYTES = 4096;

/** The engine's live path without its doors: journal, snapshots, writer, state machine and market loop as they are. */
export const realEngine: EngineProgram = {
  start,
  isWorldsFault: (error) => isFault(error, 'DISK_FULL') || isFault(error, 'JOURNAL_WRITE_FAILED') || isDiskError(error),
  isDamage: (error) => isFault(error, 'JOURNAL_CORRUPT'),
};

async function start(surroundings: EngineSurroundings): Promise<EngineLife> {
  const { clock, terms, witness, failed } = surroundings;
  const { state, log, snapshots } = await recover(surroundings);
  const writer = createCommandWriter({
    ...{ log: watched(log, surroundings), state, clock, receipts: null },
    onCommitted: ({ sequence, command, record, events }) => {
      witness.committed(sequence, record, events);
      if (command.type === 'complete') snapshots.consider(state);
    },
  });
  const loop = loopOf(writer, surroundings);
  if (canonicalJson(state.terms) !== canonicalJson(terms)) await writer.commit({ type: 'terms', terms });
  await catchUp(loop);
  const stopped = new AbortController();
  runMarket(loop, stopped.signal).catch(failed);
  return { state, submit: (request) => submit(writer, request, failed), stop: () => stopped.abort() };
}

async function recover({ disk, drawSalt, witness }: EngineSurroundings) {
  const options = { engineVersion: ENGINE_VERSION, disk };
  const onDamaged = () => undefined;
  const store = await openSnapshotStore({ ...options, folder: 'snapshots', onDamaged });
  const restored = restore(await store.latest());
  const sizes = { segmentBytes: SEGMENT_BYTES, reserveBytes: RESERVE_BYTES };
  const verifyFrom = restored.sequence + 1;
  const snapshots = new Snapshots(store, restored.sequence);
  const log = await openJournal({ ...options, ...sizes, folder: 'journal', drawSalt, verifyFrom });
  const state = await replayJournal(log, restored);
  const records: Uint8Array[] = [];
  for await (const { record } of log.read(1)) records.push(Uint8Array.from(record));
  witness.recovered(state, records);
  return { state, log, snapshots };
}

function restore(snapshot: Snapshot | null): EngineState {
  const restored = snapshot === null ? null : restoreState(snapshot.bytes);
  if (snapshot === null || restored === null) return newEngineState();
  return hashOf(snapshotState(restored)).equals(snapshot.stateHash) ? restored : newEngineState();
}

/** As the engine keeps them, without its receipts. */
class Snapshots {
  readonly #store: SnapshotStore;
  #last: number;
  #isSaving = false;

  constructor(store: SnapshotStore, last: number) {
    this.#store = store;
    this.#last = last;
  }

  consider(state: EngineState): void {
    if (this.#isSaving || state.sequence - this.#last < SNAPSHOT_EVERY) return;
    this.#last = state.sequence;
    this.#isSaving = true;
    const bytes = snapshotState(state);
    const saved = this.#store.save(state.sequence, hashOf(bytes), bytes);
    const done = () => {
      this.#isSaving = false;
    };
    saved.then(done, done);
  }
}

function hashOf(bytes: Uint8Array): Buffer {
  return createHash('sha256').update(bytes).digest();
}

/** The journal, with the auditor looking on. */
function watched(log: CommandLog, { witness }: EngineSurroundings): CommandLog {
  return {
    append(record, options) {
      witness.appended(record);
      const written = log.append(record, options);
      written.catch((error: unknown) => {
        if (isFault(error, 'DISK_FULL')) witness.refused(record);
      });
      return written;
    },
    appendAll: (records, options) => log.appendAll(records, options),
    read: (from) => log.read(from),
    readBatches: (from) => log.readBatches(from),
    close: () => log.close(),
  };
}

function loopOf(writer: CommandWriter, { clock, meters, feeder, terms }: EngineSurroundings): LoopParts {
  return {
    ...{ writer, feeder, terms },
    meters: { at: (meter, boundary) => meters.at(meter, boundary), record: () => undefined, latest: () => null },
    clock: { now: () => clock.now(), until: (at) => clock.until(at), release: () => undefined },
    roll: { ready: async () => undefined },
    tariffAt: () => TARIFF,
    onProducts: async () => undefined,
    onGate: async () => undefined,
  };
}

async function submit(
  writer: CommandWriter,
  request: Parameters<EngineLife['submit']>[0],
  failed: (error: unknown) => void,
): Promise<MarketAnswer | null> {
  try {
    const [event] = await writer.commit(request);
    return event?.type === 'answered' ? event.verdict : null;
  } catch (error) {
    if (request.type === 'order' && isFault(error, 'DISK_FULL')) return { ok: false, code: 'disk_full' };
    failed(error);
    return null;
  }
}

/** Of what is read before the journal is open; the journal names its own. */
function isDiskError(error: unknown): boolean {
  return error instanceof Error && 'code' in error && ['EIO', 'ENOSPC'].includes(String(error.code));
}
