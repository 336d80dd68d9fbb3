import { expect, test } from 'vitest';
import { applyRecord } from '../../src/domain/engine/apply-record.ts';
import { AT, decodeCommand, RECORD_KINDS } from '../../src/domain/engine/command-record.ts';
import { restoreState, snapshotState } from '../../src/domain/engine/snapshot.ts';
import { type EngineState, newEngineState } from '../../src/domain/engine/state.ts';
import { simulateMarket } from '../../src/sim/market-simulator.ts';
import { SeededRandom } from '../market/seeded-random.ts';
import { realEngine } from './market-under-faults-engine.ts';
import { settle } from './market-under-faults-run.ts';
import { mutated } from './record-mutations.ts';

/** RECORDS=1000000 is the bar; it takes some minutes. */
const RECORDS = Number(process.env.RECORDS ?? 100_000);
const SLOW_MS = 3_600_000;
/** Beyond this a record is not slow but stuck, however busy the machine. */
const STUCK_MS = 5000;
/** What the state is made of that they are applied to: products, orders and trades. */
const FIRST_RECORDS = 90;
const APPLIED_TO_ONE_STATE = 16;
const MOST_GROWTH_BYTES = 128 * 2 ** 20;
/** The simulated market ends long before. */
const END_OF_TIME = 2 ** 41;

/** The journal of a market under faults: every kind of command, as the engine wrote it. */
async function journalRecords(): Promise<readonly Uint8Array[]> {
  let journal: readonly Uint8Array[] = [];
  const start: typeof realEngine.start = (surroundings) => {
    const recovered: typeof surroundings.witness.recovered = (state, records) => {
      journal = records;
      surroundings.witness.recovered(state, records);
    };
    return realEngine.start({ ...surroundings, witness: { ...surroundings.witness, recovered } });
  };
  await simulateMarket(3, { ...realEngine, start }, settle);
  return journal;
}

/**
 * What a record leads to: a command's outcome, or the name of what is wrong with it. `stopped`: it can be read and goes
 * against what the engine holds for certain, so the engine ends and nothing is skipped. All else is thrown on: of the
 * rare commands in text, those that are no JSON have a name, and the others end the engine where they first make no sense.
 */
function outcomeOf(state: EngineState, record: Uint8Array): string {
  const command = decodeCommand(record, state.members);
  if (typeof command === 'string') return command;
  try {
    const outcome = applyRecord(state, record);
    return typeof outcome === 'string' ? outcome : 'applied';
  } catch (error) {
    if (error instanceof Error && error.message.startsWith('bug: ')) return 'stopped';
    if (record[AT.kind] === RECORD_KINDS.other) return 'stopped';
    throw error;
  }
}

function ordersIn({ products }: EngineState): number {
  return [...products.values()].reduce((sum, { book }) => sum + (book?.orderCount ?? 0), 0);
}

test(
  `${RECORDS} mutated records are read, or refused by a name: none crashes, hangs or grows anything`,
  async () => {
    const journal = await journalRecords();
    const [first, latest] = [newEngineState(), journal.slice(FIRST_RECORDS)];
    const texts = latest.filter((record) => record[AT.kind] === RECORD_KINDS.other);
    for (const record of journal.slice(0, FIRST_RECORDS)) applyRecord(first, record);
    const bytes = snapshotState(first);
    const fresh = (): EngineState => restoreState(bytes) ?? first;
    const random = new SeededRandom(RECORDS);
    const outcomes = new Map<string, number>();
    let [state, slowest, most] = [fresh(), 0, 0];
    const heapBefore = process.memoryUsage().heapUsed;

    for (let number = 0; number < RECORDS; number += 1) {
      const record = mutated(random.oneOf(random.happens(200) ? texts : latest), journal, random);
      const { sequence } = state;
      const since = performance.now();
      const outcome = outcomeOf(state, record);
      slowest = Math.max(slowest, performance.now() - since);
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      const isBroken = outcome === 'stopped' && state.sequence !== sequence;
      if (!isBroken && state.now < END_OF_TIME && number % APPLIED_TO_ONE_STATE !== 0) continue;
      most = Math.max(most, ordersIn(state) - ordersIn(first), state.products.size - first.products.size);
      state = fresh();
    }
    const growth = process.memoryUsage().heapUsed - heapBefore;
    console.log(
      `${RECORDS} records: ${JSON.stringify(Object.fromEntries(outcomes))}, slowest ${slowest.toFixed(1)} ms`,
    );
    const names = ['applied', 'malformed', 'stopped', 'unknown_kind', 'unknown_member', 'unknown_version'];
    expect([...outcomes.keys()].sort()).toEqual(names);
    expect(slowest).toBeLessThan(STUCK_MS);
    expect(most).toBeLessThanOrEqual(APPLIED_TO_ONE_STATE);
    expect(growth).toBeLessThan(MOST_GROWTH_BYTES);
  },
  SLOW_MS,
);
