import { type JournalOptions, type JournalWriter, openJournal } from '../../src/adapters/journal/command-log.ts';
import type { JournalDisk } from '../../src/adapters/journal/journal-disk.ts';
import type { FaultyDisk } from '../../src/sim/faulty-disk.ts';

/** Where the simulated disk has its journal. */
export const FOLDER = '/journal';

/** Small segments and a small reserve, so that rotation and shortage come often. */
export function openOn(disk: FaultyDisk, options: Partial<JournalOptions> = {}): Promise<JournalWriter> {
  const journalDisk: JournalDisk = disk;
  let salt = 0;
  const drawSalt = (): number => (0x5eed_0000 + ++salt) >>> 0;
  return openJournal({
    folder: FOLDER,
    disk: journalDisk,
    segmentBytes: 2048,
    reserveBytes: 1024,
    drawSalt,
    ...options,
  });
}

export async function textsOf(log: JournalWriter, from = 1): Promise<string[]> {
  const texts: string[] = [];
  for await (const { records } of log.readBatches(from)) {
    for (const record of records) texts.push(Buffer.from(record.buffer, record.byteOffset, record.length).toString());
  }
  return texts;
}
