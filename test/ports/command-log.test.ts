import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, test } from 'vitest';
import { openJournal } from '../../src/adapters/journal/command-log.ts';
import { FaultyDisk } from '../../src/sim/faulty-disk.ts';
import { createMemoryLog } from '../../src/sim/memory-log.ts';
import { commandLogSuite, contents } from './command-log.suite.ts';
import { FOLDER, openOn, textsOf } from './command-log-bench.ts';

const folders: string[] = [];
const mounted: string[] = [];
afterEach(() => {
  for (const folder of mounted.splice(0)) spawnSync('umount', [folder]);
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'journal-'));
  folders.push(folder);
  return folder;
}

const segmentsOn = (disk: FaultyDisk): string[] => disk.paths().filter((path) => path.includes('commands-'));

async function journalOn(disk: FaultyDisk, ...texts: string[]): Promise<void> {
  const log = await openOn(disk);
  for (const text of texts) await log.append(Buffer.from(text));
  await log.close();
}

describe('memory log', () => commandLogSuite(async () => createMemoryLog()));
describe('journal on disk', () => commandLogSuite(() => openJournal({ folder: newFolder() })));
describe('journal on a simulated disk', () => commandLogSuite(() => openOn(new FaultyDisk(1))));

describe('journal on disk, across restarts', () => {
  test('any single flipped bit is reported with file, byte and record, in the last frame too', async () => {
    const disk = new FaultyDisk(1);
    await journalOn(disk, 'one', 'two', 'three');
    const [path = ''] = segmentsOn(disk);
    const whole = disk.contentOf(path);
    for (let bit = 0; bit < whole.length * 8; bit += 1) {
      disk.place(path, whole);
      disk.flipBit(path, bit);
      const record = Math.max(0, Math.floor((bit / 8 - 32) / 64));
      const place = bit < 32 * 8 ? 'byte 0, after record 0' : `byte ${32 + 64 * record}, after record ${record}`;
      const message = `${path}: damaged at ${place}`;
      await expect(openOn(disk)).rejects.toMatchObject({ code: 'JOURNAL_CORRUPT', message });
    }
  });

  test('a bit that flips while the journal is open is reported by the read', async () => {
    const disk = new FaultyDisk(1);
    const log = await openOn(disk);
    await log.appendAll([Buffer.from('one'), Buffer.from('two')]);
    disk.flipBit(segmentsOn(disk)[0] ?? '', 70 * 8);
    await expect(textsOf(log)).rejects.toMatchObject({ code: 'JOURNAL_CORRUPT' });
    await log.close();
  });

  test('segments rotate, and a damaged earlier segment is reported', async () => {
    const folder = newFolder();
    const log = await openJournal({ folder, segmentBytes: 30 });
    for (const text of ['aaaaaaaaaa', 'bbbbbbbbbb', 'cccccccccc', 'dddddddddd']) await log.append(Buffer.from(text));
    await log.close();
    const segments = readdirSync(folder).filter((name) => name.startsWith('commands-'));
    expect(segments).toHaveLength(4);
    const again = await openJournal({ folder, segmentBytes: 30 });
    expect((await contents(again, 4))[0]).toBe('4:dddddddddd');
    await again.close();
    writeFileSync(join(folder, segments.sort()[0] ?? ''), 'x', { flag: 'a' });
    await expect(openJournal({ folder })).rejects.toMatchObject({ code: 'JOURNAL_CORRUPT' });
  });

  test.each([0, 1])('a segment that is gone is reported, whichever it is but the last (%i)', async (gone) => {
    const disk = new FaultyDisk(1);
    const log = await openOn(disk, { segmentBytes: 20 });
    for (const text of ['aaaaaaaaaa', 'bbbbbbbbbb', 'cccccccccc']) await log.append(Buffer.from(text));
    await log.close();
    await disk.remove(segmentsOn(disk)[gone] ?? '');
    await expect(openOn(disk)).rejects.toMatchObject({ code: 'JOURNAL_CORRUPT' });
  });

  test('with a snapshot, segments before it are neither opened nor missed', async () => {
    const disk = new FaultyDisk(1);
    const log = await openOn(disk, { segmentBytes: 20 });
    for (const text of ['one', 'two', 'three', 'four']) await log.append(Buffer.from(text));
    await log.close();
    const [first = '', second = ''] = segmentsOn(disk);
    await disk.remove(first);
    disk.flipBit(second, 300);
    const again = await openOn(disk, { verifyFrom: 3 });
    expect(await textsOf(again, 3)).toEqual(['three', 'four']);
    expect(again.lastSequence).toBe(4);
    await expect(textsOf(again, 2)).rejects.toMatchObject({ code: 'JOURNAL_CORRUPT' });
    await again.close();
  });

  test('a journal that ends before its snapshot is reported', async () => {
    const disk = new FaultyDisk(1);
    await journalOn(disk, 'one');
    await (await openOn(disk, { verifyFrom: 2 })).close();
    await expect(openOn(disk, { verifyFrom: 3 })).rejects.toMatchObject({ code: 'JOURNAL_CORRUPT' });
  });

  test('every record tells the version of the engine that wrote it', async () => {
    const disk = new FaultyDisk(1);
    for (const engineVersion of [3, 3, 4]) {
      const log = await openOn(disk, { engineVersion });
      await log.append(Buffer.from('x'));
      await log.close();
    }
    const log = await openOn(disk, { engineVersion: 4 });
    const versions: number[] = [];
    for await (const { engineVersion } of log.readBatches(1)) versions.push(engineVersion);
    expect(versions).toEqual([3, 3, 4]);
    expect(segmentsOn(disk)).toHaveLength(2);
    await log.close();
  });
});

describe('a journal of format 1', () => {
  const FIXTURE = fileURLToPath(new URL('./fixtures/journal-v1/', import.meta.url));
  const written = [
    ...[1, 2, 3, 4].map((n) => `record ${n}`),
    '',
    ...[6, 7, 8].map((n) => `record ${n}`),
    '\t'.repeat(150),
    ...Array.from({ length: 11 }, (_, index) => `record ${10 + index}`),
  ];

  function fixture(): string {
    const folder = newFolder();
    for (const name of readdirSync(FIXTURE))
      copyFileSync(join(FIXTURE, name), join(folder, name.replace('.bin', '.log')));
    return folder;
  }

  test('is read as it was written, and goes on in a segment of the present format', async () => {
    const folder = fixture();
    for (const next of [21, 22]) {
      const log = await openJournal({ folder });
      expect(await textsOf(log)).toEqual(written);
      expect(await log.append(Buffer.from(`record ${next}`))).toBe(next);
      written.push(`record ${next}`);
      await log.close();
    }
    const segments = readdirSync(folder).filter((name) => name.startsWith('commands-'));
    expect(segments.sort().at(-1)).toBe('commands-000000000021.log');
    expect(segments).toHaveLength(4);
  });

  test('with a torn last frame is cut, and with a flipped bit before it is refused', async () => {
    const name = join(FOLDER, 'commands-000000000001.log');
    const whole = readFileSync(join(FIXTURE, 'commands-000000000001.bin'));
    const lastFrame = whole.length - (9 + 4 + 150);
    for (let length = 0; length <= whole.length; length += 1) {
      const disk = new FaultyDisk(1);
      disk.place(name, whole.subarray(0, length));
      const log = await openOn(disk);
      const found = await textsOf(log);
      expect(found).toEqual(written.slice(0, found.length));
      expect(found.length >= 8).toBe(length >= lastFrame);
      await log.append(Buffer.from('next'));
      expect(await textsOf(log)).toEqual([...found, 'next']);
      await log.close();
    }
    for (let bit = 0; bit < lastFrame * 8; bit += 1) {
      const disk = new FaultyDisk(1);
      disk.place(name, whole);
      disk.flipBit(name, bit);
      await expect(openOn(disk)).rejects.toMatchObject({ code: 'JOURNAL_CORRUPT' });
    }
  });
});

const refused = { code: 'DISK_FULL', message: expect.stringContaining('ENOSPC') };

describe('journal on a full disk', () => {
  test('refuses what is ordinary, writes what is urgent, and goes on when there is space', async () => {
    const disk = new FaultyDisk(1);
    const log = await openOn(disk, { reserveBytes: 1024 });
    await log.append(Buffer.from('first'));
    disk.capacityBytes = 0;
    const mixed = [
      log.append(Buffer.from('no 1')),
      log.append(Buffer.from('cancel 1'), { urgent: true }),
      log.append(Buffer.from('no 2')),
      log.append(Buffer.from('cancel 2'), { urgent: true }),
    ];
    const answers = await Promise.allSettled(mixed);
    expect(answers.map(({ status }) => status)).toEqual(['rejected', 'fulfilled', 'rejected', 'fulfilled']);
    expect(await Promise.all([mixed[1], mixed[3]])).toEqual([2, 3]);
    await expect(log.append(Buffer.from('no 3'))).rejects.toMatchObject(refused);
    expect(await log.append(Buffer.from('close'), { urgent: true })).toBe(4);
    disk.capacityBytes = Number.POSITIVE_INFINITY;
    expect(await log.append(Buffer.from('again'))).toBe(5);
    expect(disk.contentOf(join(FOLDER, 'reserved-for-full-disk.log'))).toEqual(new Uint8Array(1024));
    const all = ['first', 'cancel 1', 'cancel 2', 'close', 'again'];
    expect(await textsOf(log)).toEqual(all);
    await log.close();
    expect(await textsOf(await openOn(disk))).toEqual(all);
  });

  test('has no more for the urgent than was kept, and says so; the disk is full after a restart too', async () => {
    const disk = new FaultyDisk(1);
    let log = await openOn(disk, { reserveBytes: 512 });
    await log.append(Buffer.from('first'));
    disk.capacityBytes = 0;
    let written = 0;
    const urgent = (): Promise<boolean> =>
      log.append(Buffer.alloc(20, 'u'), { urgent: true }).then(
        () => true,
        () => false,
      );
    while (written < 3 && (await urgent())) written += 1;
    await log.close();
    disk.restart('none');
    disk.capacityBytes = 0;
    log = await openOn(disk, { reserveBytes: 512 });
    await expect(log.append(Buffer.from('no'))).rejects.toMatchObject(refused);
    while (await urgent()) written += 1;
    expect(written).toBe(7);
    await expect(log.append(Buffer.from('no'), { urgent: true })).rejects.toMatchObject(refused);
    disk.capacityBytes = Number.POSITIVE_INFINITY;
    expect(await log.append(Buffer.from('last'))).toBe(9);
    await log.close();
    expect(await textsOf(await openOn(disk, { reserveBytes: 512 }))).toHaveLength(9);
  });

  test('takes ordinary records only when the reserve is whole again', async () => {
    const disk = new FaultyDisk(1);
    const log = await openOn(disk, { reserveBytes: 1024 });
    disk.capacityBytes = 0;
    await log.append(Buffer.from('urgent'), { urgent: true });
    const used = disk.paths().reduce((sum, path) => sum + disk.contentOf(path).length, 0);
    for (const free of [0, 1, 1024, 2047]) {
      disk.capacityBytes = used + free;
      await expect(log.append(Buffer.from('no'))).rejects.toMatchObject(refused);
    }
    disk.capacityBytes = used + 2048;
    expect(await log.append(Buffer.from('yes'))).toBe(2);
    await log.close();
  });

  test('a real one: nothing corrupt, urgent records written, ordinary ones again with space', async ({ skip }) => {
    const folder = newFolder();
    if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=512k', 'tmpfs', folder]).status !== 0)
      skip('mounting a small disk needs the rights of root');
    mounted.push(folder);
    const journal = join(folder, 'journal');
    mkdirSync(journal);
    const log = await openJournal({ folder: journal });
    const ballast = join(folder, 'ballast');
    writeFileSync(ballast, Buffer.alloc(256 * 1024));
    const kept: string[] = [];
    for (let n = 1; n < 1000; n += 1) {
      const text = `${n}${'o'.repeat(1000)}`;
      const answer = await log.append(Buffer.from(text)).catch((error) => error);
      if (typeof answer !== 'number') {
        expect(answer).toMatchObject(refused);
        break;
      }
      kept.push(text);
    }
    expect(kept.length).toBeGreaterThan(100);
    for (let n = 1; n <= 100; n += 1) {
      kept.push(`urgent ${n}`);
      expect(await log.append(Buffer.from(`urgent ${n}`), { urgent: true })).toBe(kept.length);
      await expect(log.append(Buffer.from('no'))).rejects.toMatchObject(refused);
    }
    rmSync(ballast);
    kept.push('with space');
    expect(await log.append(Buffer.from('with space'))).toBe(kept.length);
    await log.close();
    const again = await openJournal({ folder: journal });
    expect(await textsOf(again)).toEqual(kept);
    await again.close();
  });
});

describe('journal on a failing disk', () => {
  test('no answer leaves before its bytes are synced', async () => {
    const disk = new FaultyDisk(1);
    const log = await openOn(disk);
    await log.append(Buffer.from('first'));
    disk.restart('none');
    expect(await textsOf(await openOn(disk))).toEqual(['first']);
  });

  test.each(['syncsLeft', 'writesLeft'] as const)(
    'a failure (%s) ends the journal and is not tried again',
    async (left) => {
      const disk = new FaultyDisk(1);
      const log = await openOn(disk);
      await log.append(Buffer.from('first'));
      disk[left] = 0;
      await expect(log.append(Buffer.from('second'))).rejects.toMatchObject({ code: 'JOURNAL_WRITE_FAILED' });
      disk[left] = Number.POSITIVE_INFINITY;
      const { operations } = disk;
      await expect(log.append(Buffer.from('third'))).rejects.toMatchObject({ code: 'JOURNAL_WRITE_FAILED' });
      expect(disk.operations).toBe(operations);
      await log.close();
      disk.restart('none');
      expect(await textsOf(await openOn(disk))).toEqual(['first']);
    },
  );
});
