import { applyCommand } from '../domain/engine/apply-command.ts';
import { applyRecord } from '../domain/engine/apply-record.ts';
import type { Command } from '../domain/engine/command.ts';
import { JournalNumbers } from '../domain/engine/command-reader.ts';
import { decodeCommand } from '../domain/engine/command-record.ts';
import type { EngineEvent } from '../domain/engine/event.ts';
import { restoreState, snapshotState } from '../domain/engine/snapshot.ts';
import { type EngineState, newEngineState } from '../domain/engine/state.ts';
import type { EpochMs } from '../domain/units/time.ts';
import { MarketAnswers } from './market-answers.ts';
import { bookProblem } from './market-book-audit.ts';
import type { MarketAnswer, MarketRequest } from './market-request.ts';
import { replayCommands } from './replay-driver.ts';

/** What a state machine under faults did that it must never do. */
export class MarketProblem extends Error {
  override readonly name = 'MarketProblem';
}

/** What the auditor hears from the engine's surroundings, and from nobody else. */
export interface EngineWitness {
  /** A record is on its way to the disk. */
  appended(record: Uint8Array): void;
  /** It was refused for want of space, and will not be there. */
  refused(record: Uint8Array): void;
  /** The engine has applied a record and says it is on the disk. */
  committed(sequence: number, record: Uint8Array, events: readonly EngineEvent[]): void;
  /** A new life begins with this state, out of these records. */
  recovered(state: EngineState, records: readonly Uint8Array[]): void;
}

/**
 * Keeps the engine's promises for it: a replica that is fed the journal's records, and every answer that was given. A
 * promise that is broken is thrown as a MarketProblem.
 */
export class MarketAuditor implements EngineWitness {
  readonly answers = new MarketAnswers();
  #replica = newEngineState();
  #audited = -1;
  #now = 0;
  readonly #numbers = new JournalNumbers();
  readonly #records: Uint8Array[] = [];
  readonly #commands: Command[] = [];
  /** Of orders and withdrawals, by place among them; null where nobody was there to hear. */
  readonly #verdicts: (string | null)[] = [];
  readonly #clearings = new Map<EpochMs, string>();
  /** Appended, and neither committed nor refused. */
  #waiting: Uint8Array[] = [];

  get commands(): number {
    return this.#commands.length;
  }

  appended(record: Uint8Array): void {
    this.#waiting.push(record);
  }

  refused(record: Uint8Array): void {
    const place = this.#waiting.indexOf(record);
    demand(place >= 0, 'a record was refused after it was committed');
    this.#waiting.splice(place, 1);
  }

  committed(sequence: number, record: Uint8Array, events: readonly EngineEvent[]): void {
    demand(this.#waiting.shift() === record, `record ${sequence} is applied out of its order`);
    demand(sequence === this.#records.length + 1, `record ${sequence} follows record ${this.#records.length}`);
    this.#take(record, events);
    if (events.some(({ type }) => type === 'cleared')) this.#compareWithTwin();
  }

  answered(request: MarketRequest, answer: MarketAnswer): void {
    const problem = this.answers.take(request, answer);
    demand(problem === null, problem ?? '');
  }

  recovered(state: EngineState, records: readonly Uint8Array[]): void {
    demand(
      records.length >= this.#records.length,
      `${this.#records.length} records were on the disk, ${records.length} are`,
    );
    for (const [index, record] of this.#records.entries())
      demand(isSame(record, records[index]), `record ${index + 1} is not what was written`);
    for (const record of records.slice(this.#records.length)) this.#takeUnanswered(record);
    this.#waiting = [];
    this.#audited = -1;
    this.#compareReplays(state);
    this.#compareWithTwin();
    const problem = this.answers.problemIn(state);
    demand(problem === null, `after a restart ${problem}`);
    this.check(state);
  }

  /** After every event. */
  check(state: EngineState): void {
    demand(state.now >= this.#now, `market time went back from ${this.#now} to ${state.now}`);
    this.#now = state.now;
    demand(
      state.sequence === this.#records.length,
      `the state is at ${state.sequence}, the journal at ${this.#records.length}`,
    );
    demand(sizesOf(state) === sizesOf(this.#replica), 'the books are not those of their journal');
    if (this.#audited === state.sequence) return;
    this.#audited = state.sequence;
    demand(isSame(snapshotState(state), snapshotState(this.#replica)), 'the state is not that of its journal');
    const problem = bookProblem(state);
    demand(problem === null, problem ?? '');
  }

  #take(record: Uint8Array, events: readonly EngineEvent[] | null): void {
    const outcome = applyRecord(this.#replica, record);
    demand(typeof outcome !== 'string', `record ${this.#records.length + 1} can't be read: ${outcome}`);
    const command = decodeCommand(record, this.#numbers);
    if (typeof command === 'string') throw new MarketProblem(`record ${this.#records.length + 1}: ${command}`);
    this.#numbers.see(command);
    this.#records.push(Uint8Array.from(record));
    this.#commands.push(command);
    for (const event of events ?? []) {
      if (event.type === 'cleared') this.#clearings.set(event.product, JSON.stringify(event.clearing));
    }
    if (command.type !== 'order' && command.type !== 'cancel') return;
    const [answered] = events ?? [];
    this.#verdicts.push(answered?.type === 'answered' ? JSON.stringify(answered.verdict) : null);
  }

  /** It was on its way when the engine ended: it is there as it was sent, and in its order, or not at all. */
  #takeUnanswered(record: Uint8Array): void {
    const place = this.#waiting.findIndex((waiting) => isSame(waiting, record));
    demand(place >= 0, `record ${this.#records.length + 1} is nobody's`);
    this.#waiting.splice(0, place + 1);
    this.#take(record, null);
  }

  /** Snapshot and the rest of the journal, all of the journal by records, all of it by commands: one state. */
  #compareReplays(state: EngineState): void {
    const [byRecords, byCommands] = [newEngineState(), newEngineState()];
    for (const record of this.#records) applyRecord(byRecords, record);
    for (const command of this.#commands) applyCommand(byCommands, command);
    const bytes = snapshotState(state);
    demand(isSame(snapshotState(byRecords), bytes), 'snapshot and replay differ from the replay of all records');
    demand(isSame(snapshotState(byCommands), bytes), 'snapshot and replay differ from the replay of all commands');
    const again = restoreState(bytes);
    demand(again !== null && isSame(snapshotState(again), bytes), 'the state does not come back from its snapshot');
    this.#replica = byRecords;
  }

  #compareWithTwin(): void {
    const { verdicts, clearings } = replayCommands(this.#commands);
    demand(verdicts.length === this.#verdicts.length, 'the twin counts other answers');
    for (const [place, verdict] of this.#verdicts.entries()) {
      const expected = JSON.stringify(verdicts[place]);
      demand(verdict === null || verdict === expected, `answer ${place} is ${verdict}, the twin's ${expected}`);
    }
    for (const { start, clearing } of this.#replica.products.values()) {
      if (clearing !== null) this.#clearings.set(start, this.#clearings.get(start) ?? JSON.stringify(clearing));
    }
    for (const [product, clearing] of this.#clearings)
      demand(clearing === JSON.stringify(clearings.get(product)), `product ${product} cleared otherwise than its twin`);
  }
}

function demand(condition: boolean, problem: string): asserts condition {
  if (!condition) throw new MarketProblem(problem);
}

/** Between two commands nothing may change; this is quick to see. */
function sizesOf({ products }: EngineState): string {
  const sizes = [...products.values()].map(({ book }) => `${book?.orderCount} ${book?.tradeCount} ${book?.isClosed}`);
  return sizes.join();
}

function isSame(bytes: Uint8Array, others: Uint8Array | undefined): boolean {
  if (bytes.length !== others?.length) return false;
  for (let index = 0; index < bytes.length; index += 1) if (bytes[index] !== others[index]) return false;
  return true;
}
