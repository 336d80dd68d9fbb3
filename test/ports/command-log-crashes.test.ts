import { describe, expect, test } from 'vitest';
import type { JournalWriter } from '../../src/adapters/journal/command-log.ts';
import { isFault } from '../../src/errors/fault.ts';
import { FaultyDisk, type Survival } from '../../src/sim/faulty-disk.ts';
import { between, unit } from '../../src/sim/homes/prng.ts';
import { openOn, textsOf } from './command-log-bench.ts';

const SLOW_MS = 600_000;
/** Above the usual number of seeds where there is time: JOURNAL_SEEDS=100000. */
const SEEDS = Number(process.env.JOURNAL_SEEDS ?? 1500);

/** What was asked for, and what became of it. A batch is in the journal as a whole or not at all. */
interface Asked {
  readonly texts: readonly string[];
  fate: 'unanswered' | 'acknowledged' | 'refused';
}

/** What the journal must hold: everything that was acknowledged, then perhaps what nobody was answered for. */
class Expectation {
  acknowledged: string[] = [];
  asked: Asked[] = [];

  ask(log: JournalWriter, texts: readonly string[], urgent: boolean): Promise<void> {
    const asked: Asked = { texts, fate: 'unanswered' };
    this.asked.push(asked);
    const records = texts.map((text) => Buffer.from(text));
    const [only] = records;
    const answer = records.length === 1 && only ? log.append(only, { urgent }) : log.appendAll(records, { urgent });
    return answer.then(
      (sequence) => {
        asked.fate = 'acknowledged';
        this.acknowledged.push(...texts);
        expect(sequence).toBe(this.acknowledged.length);
      },
      (error) => {
        if (isFault(error, 'DISK_FULL')) asked.fate = 'refused';
      },
    );
  }

  /** After a restart: what is found from now on counts as acknowledged, since it was acted on. */
  meet(found: readonly string[], context: string): void {
    expect(found.slice(0, this.acknowledged.length), context).toEqual(this.acknowledged);
    let rest = found.slice(this.acknowledged.length);
    for (const { texts, fate } of this.asked) {
      if (fate === 'unanswered' && texts.every((text, index) => rest[index] === text)) rest = rest.slice(texts.length);
    }
    expect(rest, `${context}: neither acknowledged nor unanswered`).toEqual([]);
    this.acknowledged = [...found];
    this.asked = [];
  }
}

const RECORDS = 240;

/** Some hundred records in groups of one to twelve, over several segments, until the power goes. */
async function writeUntilPowerGoes(disk: FaultyDisk, expected: Expectation): Promise<void> {
  const log = await openOn(disk).catch(() => null);
  if (log === null) return;
  for (let number = 1; number <= RECORDS && disk.hasPower; ) {
    const group: Promise<void>[] = [];
    for (let more = 1 + (number % 12); more > 0 && number <= RECORDS; more -= 1, number += 1) {
      group.push(expected.ask(log, [`${number}${'x'.repeat(number % 9)}`], false));
    }
    await Promise.all(group);
  }
  await log.close();
}

async function crashAndLook(limit: (disk: FaultyDisk) => void, survival: Survival, context: string): Promise<void> {
  const disk = new FaultyDisk(1);
  limit(disk);
  const expected = new Expectation();
  await writeUntilPowerGoes(disk, expected);
  disk.restart(survival);
  const log = await openOn(disk);
  expected.meet(await textsOf(log), context);
  await expected.ask(log, ['next'], false);
  expected.meet(await textsOf(log), context);
  await log.close();
}

async function wholeRun(): Promise<FaultyDisk> {
  const disk = new FaultyDisk(1);
  const expected = new Expectation();
  await writeUntilPowerGoes(disk, expected);
  expect(expected.acknowledged).toHaveLength(RECORDS);
  expect(disk.paths().length).toBeGreaterThan(3);
  return disk;
}

describe('a crash', () => {
  test.each<Survival>(['all', 'some'])(
    'at every byte that is written loses nothing acknowledged (of the unsynced the disk keeps %s)',
    async (survival) => {
      const { writtenBytes } = await wholeRun();
      for (let byte = 0; byte <= writtenBytes; byte += 1) {
        const limit = (disk: FaultyDisk): void => {
          disk.bytesLeft = byte;
        };
        await crashAndLook(limit, survival, `power lost at byte ${byte}`);
      }
    },
    SLOW_MS,
  );

  test.each<Survival>(['all', 'some', 'none'])(
    'at every operation loses nothing acknowledged (of the unsynced the disk keeps %s)',
    async (survival) => {
      const { operations } = await wholeRun();
      for (let operation = 0; operation <= operations; operation += 1) {
        const limit = (disk: FaultyDisk): void => {
          disk.operationsLeft = operation;
        };
        await crashAndLook(limit, survival, `power lost at operation ${operation}`);
      }
    },
    SLOW_MS,
  );

  test.each<Survival>(['all', 'some'])(
    'while a torn frame in the reserve is being repaired, at every byte, is repaired too (%s)',
    async (survival) => {
      for (const torn of [10, 31, 40, 300, 1100]) {
        for (let byte = 0, isOver = false; !isOver; byte += 1) {
          const disk = new FaultyDisk(byte);
          const expected = new Expectation();
          const log = await openOn(disk, { reserveBytes: 4096 });
          disk.capacityBytes = 0;
          await expected.ask(log, ['kept'], true);
          disk.bytesLeft = torn;
          await expected.ask(log, ['torn'.repeat(300)], true);
          disk.restart('all');
          disk.bytesLeft = byte;
          isOver = (await openOn(disk, { reserveBytes: 4096 }).catch(() => null)) !== null;
          disk.restart(survival);
          const again = await openOn(disk, { reserveBytes: 4096 });
          expected.meet(await textsOf(again), `${torn} bytes were torn, power lost at byte ${byte} of the repair`);
          await expected.ask(again, ['urgent'], true);
          expect(expected.acknowledged).toEqual(['kept', 'urgent']);
        }
      }
    },
    SLOW_MS,
  );

  test('cuts a journal at every byte: what stands before the cut is read, and writing goes on', async () => {
    const written = await wholeRun();
    const path =
      written
        .paths()
        .filter((name) => name.includes('commands'))
        .at(-1) ?? '';
    const [content, whole] = [written.contentOf(path), await textsOf(await openOn(written))];
    let longest = 0;
    for (let length = 0; length <= content.length; length += 1) {
      written.place(path, content.subarray(0, length));
      const log = await openOn(written);
      const found = await textsOf(log);
      expect(whole.slice(0, found.length)).toEqual(found);
      expect(found.length).toBeGreaterThanOrEqual(longest);
      longest = found.length;
      expect(await log.append(Buffer.from('next'))).toBe(found.length + 1);
      await log.close();
    }
    expect(longest).toBe(whole.length);
  });
});

function nullUnlessCorrupt(error: unknown): null {
  if (isFault(error, 'JOURNAL_CORRUPT')) throw error;
  return null;
}

/** One life of a journal: every kind of fault, drawn from the seed, against what must be there. */
async function liveThrough(seed: number, seen: Record<string, number> = {}): Promise<void> {
  const disk = new FaultyDisk(seed);
  const expected = new Expectation();
  let [step, log]: [number, JournalWriter | null] = [0, null];
  const chance = (share: number): boolean => unit(seed, step, ++draws) < share;
  const pick = (lowest: number, highest: number): number => between(lowest, highest, seed, step, ++draws);
  let draws = 0;
  const context = (): string => `JOURNAL_SEED=${seed}, step ${step}`;
  let number = 0;

  for (step = 1; step <= 40; step += 1) {
    if (log === null) {
      if (chance(0.3)) disk.operationsLeft = pick(0, 30);
      const opened = await openOn(disk, { engineVersion: pick(1, 12) === 1 ? 2 : 1 }).catch(nullUnlessCorrupt);
      const found = opened === null ? null : await textsOf(opened).catch(nullUnlessCorrupt);
      if (found !== null) {
        expected.meet(found, context());
        log = opened;
      } else if (!disk.hasPower) disk.restart('some');
      else disk.capacityBytes = Number.POSITIVE_INFINITY;
      continue;
    }
    if (chance(0.1)) disk.capacityBytes = chance(0.5) ? Number.POSITIVE_INFINITY : pick(0, 6000);
    if (chance(0.08)) disk.syncsLeft = pick(0, 4);
    if (chance(0.04)) disk.writesLeft = pick(0, 4);
    if (chance(0.1)) disk.operationsLeft = pick(0, 12);
    const group = Array.from({ length: pick(1, 5) }, () => {
      const texts = Array.from(
        { length: chance(0.3) ? pick(2, 4) : 1 },
        () => `${++number}${'y'.repeat(pick(0, 300))}`,
      );
      return expected.ask(log as JournalWriter, texts, chance(0.3));
    });
    await Promise.all(group);
    const fates = new Set(expected.asked.slice(-group.length).map(({ fate }) => fate));
    const kind = [...fates].sort().join(' and ');
    seen[kind] = (seen[kind] ?? 0) + 1;
    if (!disk.hasPower || chance(0.15)) {
      disk.restart('some');
      log = null;
    } else if (chance(0.1)) {
      if (chance(0.5)) await log.close();
      log = null;
    }
    if (log === null) disk.syncsLeft = disk.writesLeft = Number.POSITIVE_INFINITY;
  }
}

describe('a life full of faults', () => {
  test(
    `${SEEDS} seeds: crashes, torn and lost writes, full disks, failed syncs, lost names`,
    async () => {
      const only = process.env.JOURNAL_SEED;
      if (only !== undefined) return liveThrough(Number(only));
      const seen: Record<string, number> = {};
      for (let seed = 1; seed <= SEEDS; seed += 1)
        await liveThrough(seed, seen).catch((error) => {
          throw new Error(`JOURNAL_SEED=${seed}`, { cause: error });
        });
      for (const kind of ['acknowledged', 'refused', 'unanswered', 'acknowledged and refused'])
        expect(seen[kind], `groups that were ${kind}`).toBeGreaterThan(SEEDS / 10);
    },
    SLOW_MS,
  );
});
