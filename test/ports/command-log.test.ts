import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { type JournalDisk, openJournal } from '../../src/adapters/journal/command-log.ts';
import { createMemoryLog } from '../../src/sim/memory-log.ts';
import { commandLogSuite, contents } from './command-log.suite.ts';

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
});

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'journal-'));
  folders.push(folder);
  return folder;
}

function onlySegment(folder: string): string {
  return join(folder, readdirSync(folder)[0] ?? '');
}

async function journalOf(folder: string, ...texts: string[]): Promise<void> {
  const log = await openJournal({ folder });
  for (const text of texts) await log.append(Buffer.from(text));
  await log.close();
}

describe('memory log', () => commandLogSuite(async () => createMemoryLog()));
describe('journal on disk', () => commandLogSuite(() => openJournal({ folder: newFolder() })));

describe('journal on disk, across restarts', () => {
  test('a torn tail is cut at every byte, and what was acknowledged stays', async () => {
    const folder = newFolder();
    await journalOf(folder, 'one', 'two', 'three');
    const whole = readFileSync(onlySegment(folder));
    for (let length = 0; length <= whole.length; length++) {
      writeFileSync(onlySegment(folder), whole.subarray(0, length));
      const log = await openJournal({ folder });
      const found = await contents(log, 1);
      expect(['1:one', '2:two', '3:three'].slice(0, found.length)).toEqual(found);
      expect(await log.append(Buffer.from('next'))).toBe(found.length + 1);
      await log.close();
    }
  });

  test('a flipped bit before the end is reported and never skipped', async () => {
    const folder = newFolder();
    await journalOf(folder, 'one', 'two', 'three');
    const whole = readFileSync(onlySegment(folder));
    const lastFrame = whole.length - (9 + 4 + 'three'.length);
    for (let bit = 0; bit < lastFrame * 8; bit++) {
      const damaged = Buffer.from(whole);
      const at = bit >> 3;
      damaged.writeUInt8(damaged.readUInt8(at) ^ (1 << (bit & 7)), at);
      writeFileSync(onlySegment(folder), damaged);
      await expect(openJournal({ folder })).rejects.toMatchObject({ code: 'JOURNAL_CORRUPT' });
    }
  });

  test('segments rotate, and a damaged earlier segment is reported', async () => {
    const folder = newFolder();
    const log = await openJournal({ folder, segmentBytes: 30 });
    for (const text of ['aaaaaaaaaa', 'bbbbbbbbbb', 'cccccccccc', 'dddddddddd']) await log.append(Buffer.from(text));
    await log.close();
    expect(readdirSync(folder).length).toBeGreaterThan(1);
    const again = await openJournal({ folder, segmentBytes: 30 });
    expect((await contents(again, 4))[0]).toBe('4:dddddddddd');
    await again.close();
    appendFileSync(onlySegment(folder), 'x');
    await expect(openJournal({ folder })).rejects.toMatchObject({ code: 'JOURNAL_CORRUPT' });
  });

  test('a segment that is gone is reported, whichever it is but the last', async () => {
    for (const gone of [0, 1]) {
      const folder = newFolder();
      const log = await openJournal({ folder, segmentBytes: 20 });
      for (const text of ['aaaaaaaaaa', 'bbbbbbbbbb', 'cccccccccc']) await log.append(Buffer.from(text));
      await log.close();
      const segments = readdirSync(folder).sort();
      expect(segments).toHaveLength(3);
      rmSync(join(folder, segments[gone] ?? ''));
      await expect(openJournal({ folder })).rejects.toMatchObject({ code: 'JOURNAL_CORRUPT' });
    }
  });

  test('a record that came just before closing is on the disk', async () => {
    const folder = newFolder();
    const log = await openJournal({ folder });
    const appended = log.append(Buffer.from('one'));
    await log.close();
    const again = await openJournal({ folder });
    expect(await contents(again, await appended)).toEqual(['1:one']);
    await again.close();
  });
});

interface FailingDisk extends JournalDisk {
  bytes: Buffer;
  synced: number;
}

/** A disk with room for `capacity` bytes that writes what fits before it fails, and may refuse to sync. */
function failingDisk(capacity: number, syncFails: () => boolean): FailingDisk {
  const disk: FailingDisk = {
    bytes: Buffer.alloc(0),
    synced: 0,
    syncFolder: () => undefined,
    open: async () => ({
      async write(bytes, position) {
        const fits = bytes.subarray(0, Math.max(0, capacity - position));
        disk.bytes = Buffer.concat([disk.bytes.subarray(0, position), fits]);
        if (fits.length < bytes.length) throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
      },
      async sync() {
        if (syncFails()) throw Object.assign(new Error('input/output error'), { code: 'EIO' });
        disk.synced = disk.bytes.length;
      },
      async truncate(length) {
        disk.bytes = disk.bytes.subarray(0, length);
      },
      close: async () => undefined,
    }),
  };
  return disk;
}

describe('journal on a failing disk', () => {
  test('a full disk refuses the record, keeps the acknowledged ones and accepts no more', async () => {
    const disk = failingDisk(40, () => false);
    const log = await openJournal({ folder: newFolder(), disk });
    await log.append(Buffer.from('first'));
    await expect(log.append(Buffer.alloc(100))).rejects.toMatchObject({ code: 'DISK_FULL' });
    await expect(log.append(Buffer.from('late'))).rejects.toMatchObject({ code: 'DISK_FULL' });
    expect(disk.bytes.length).toBe(9 + 4 + 5);
    await log.close();
  });

  test('no answer leaves before its bytes are synced, and a failed sync ends the journal', async () => {
    let fails = false;
    const disk = failingDisk(10_000, () => fails);
    const log = await openJournal({ folder: newFolder(), disk });
    await log.append(Buffer.from('first'));
    expect(disk.synced).toBe(disk.bytes.length);
    fails = true;
    await expect(log.append(Buffer.from('second'))).rejects.toMatchObject({ code: 'JOURNAL_WRITE_FAILED' });
    fails = false;
    await expect(log.append(Buffer.from('third'))).rejects.toMatchObject({ code: 'JOURNAL_WRITE_FAILED' });
    await log.close();
  });
});
