import { expect, test } from 'vitest';
import { FaultyDisk, type Survival } from '../../sim/faulty-disk.ts';
import { openSnapshotStore, type Snapshot, type SnapshotStore } from './snapshot-store.ts';

const FOLDER = '/snapshots';
const HASH = Uint8Array.from({ length: 32 }, (_, index) => index);

async function storeOn(disk: FaultyDisk, problems: string[] = []): Promise<SnapshotStore> {
  const onDamaged = (problem: string): void => void problems.push(problem);
  return openSnapshotStore({ folder: FOLDER, disk, engineVersion: 7, onDamaged });
}

const state = (sequence: number): Uint8Array => new Uint8Array(1500).fill(sequence);
const pathOf = (sequence: number): string => `${FOLDER}/snapshot-${String(sequence).padStart(12, '0')}.bin`;
const sequenceOf = (snapshot: Snapshot | null): number | null => {
  if (snapshot !== null) expect(new Uint8Array(snapshot.bytes)).toEqual(state(snapshot.sequence));
  return snapshot?.sequence ?? null;
};

test('the newest comes back as it was saved, and two are kept', async () => {
  const disk = new FaultyDisk(1);
  const store = await storeOn(disk);
  expect(await store.latest()).toBeNull();
  await Promise.all([1, 2, 3].map((sequence) => store.save(sequence, HASH, state(sequence))));
  const latest = await store.latest();
  expect(sequenceOf(latest)).toBe(3);
  expect(latest).toMatchObject({ engineVersion: 7, stateHash: Buffer.from(HASH) });
  expect(disk.paths()).toEqual([pathOf(2), pathOf(3)]);
  await store.save(4, new Uint8Array(0), new Uint8Array(0));
  expect(await store.latest()).toMatchObject({ sequence: 4, bytes: Buffer.alloc(0) });
});

test('any flipped bit is told, and the older one stands in and is not thrown away', async () => {
  const disk = new FaultyDisk(1);
  const problems: string[] = [];
  const store = await storeOn(disk, problems);
  for (const sequence of [1, 2]) await store.save(sequence, HASH, state(sequence));
  const whole = disk.contentOf(pathOf(2));
  for (let bit = 0; bit < whole.length * 8; bit += 1) {
    disk.place(pathOf(2), whole);
    disk.flipBit(pathOf(2), bit);
    expect((await store.latest())?.sequence).toBe(1);
    expect(problems.splice(0)).toEqual([expect.stringContaining(`${pathOf(2)}: `)]);
  }
  await store.save(3, HASH, state(3));
  expect(disk.paths()).toEqual([pathOf(1), pathOf(3)]);
});

test('one of any other length, or under another name, is told', async () => {
  const disk = new FaultyDisk(1);
  const problems: string[] = [];
  const store = await storeOn(disk, problems);
  await store.save(1, HASH, state(1));
  const whole = disk.contentOf(pathOf(1));
  for (let length = 0; length < whole.length; length += 1) {
    disk.place(pathOf(1), whole.subarray(0, length));
    expect(await store.latest()).toBeNull();
  }
  disk.place(pathOf(1), Buffer.concat([whole, Buffer.from('x')]));
  expect(await store.latest()).toBeNull();
  disk.place(pathOf(2), whole);
  expect(await store.latest()).toBeNull();
  expect(problems).toHaveLength(whole.length + 3);
});

test.each<Survival>(['all', 'some', 'none'])(
  'a crash at any operation leaves the newest that was saved, or the one that was being saved (%s)',
  async (survival) => {
    for (let operation = 0; ; operation += 1) {
      const disk = new FaultyDisk(operation);
      const store = await storeOn(disk);
      disk.operationsLeft = operation;
      let saved = 0;
      for (let sequence = 1; sequence <= 4 && disk.hasPower; sequence += 1) {
        await store.save(sequence, HASH, state(sequence)).then(
          () => {
            saved = sequence;
          },
          () => undefined,
        );
      }
      if (disk.hasPower) return;
      disk.restart(survival);
      const found = sequenceOf(await (await storeOn(disk)).latest()) ?? 0;
      expect([saved, saved + 1]).toContain(found);
      expect(disk.paths().filter((path) => path.endsWith('.tmp'))).toEqual([]);
    }
  },
);

test('a full disk or a failed sync refuses the new one and keeps the old one', async () => {
  const disk = new FaultyDisk(1);
  const store = await storeOn(disk);
  await store.save(1, HASH, state(1));
  disk.capacityBytes = 2000;
  await expect(store.save(2, HASH, state(2))).rejects.toMatchObject({ code: 'DISK_FULL' });
  disk.capacityBytes = Number.POSITIVE_INFINITY;
  disk.syncsLeft = 0;
  await expect(store.save(2, HASH, state(2))).rejects.toMatchObject({ code: 'JOURNAL_WRITE_FAILED' });
  expect(disk.paths()).toEqual([pathOf(1)]);
  disk.restart('none');
  expect(sequenceOf(await (await storeOn(disk)).latest())).toBe(1);
});
