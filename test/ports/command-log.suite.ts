import { expect, test } from 'vitest';
import type { CommandLog } from '../../src/domain/ports.ts';

/** What every command log keeps: total order, an answer for each record, and all of it readable again. */
export function commandLogSuite(open: () => Promise<CommandLog>): void {
  test('numbers records from 1 in the order of the calls', async () => {
    const log = await open();
    const sequences = await Promise.all(['a', 'b', 'c'].map((text) => log.append(Buffer.from(text))));
    expect(sequences).toEqual([1, 2, 3]);
    expect(await contents(log, 1)).toEqual(['1:a', '2:b', '3:c']);
    await log.close();
  });

  test('reads from any sequence and keeps empty and large records', async () => {
    const log = await open();
    await log.append(new Uint8Array(0));
    await log.append(new Uint8Array(200_000).fill(7));
    await log.append(Buffer.from('end'));
    const lengths: number[] = [];
    for await (const { record } of log.read(2)) lengths.push(record.length);
    expect(lengths).toEqual([200_000, 3]);
    await log.close();
  });

  test('a record changed by its owner after the call is not changed in the log', async () => {
    const log = await open();
    const record = Buffer.from('kept');
    const appended = log.append(record);
    record.fill(0);
    await appended;
    expect(await contents(log, 1)).toEqual(['1:kept']);
    await log.close();
  });

  test('a batch stands together and is answered with its last sequence', async () => {
    const log = await open();
    const first = log.append(Buffer.from('a'));
    const batch = log.appendAll([Buffer.from('b'), Buffer.from(''), Buffer.from('c')]);
    const last = log.append(Buffer.from('d'), { urgent: true });
    expect(await Promise.all([first, batch, last])).toEqual([1, 4, 5]);
    expect(await log.appendAll([])).toBe(5);
    expect(await contents(log, 1)).toEqual(['1:a', '2:b', '3:', '4:c', '5:d']);
    await log.close();
    await expect(log.appendAll([Buffer.from('e')])).rejects.toMatchObject({ code: 'JOURNAL_WRITE_FAILED' });
  });

  test('batches of a read are the same records, with the version of the engine', async () => {
    const log = await open();
    await log.appendAll(['a', 'b', 'c'].map((text) => Buffer.from(text)));
    await log.append(Buffer.from('d'));
    const found: string[] = [];
    for await (const { firstSequence, records, engineVersion } of log.readBatches(2)) {
      expect(engineVersion).toBe(1);
      found.push(...records.map((record, index) => `${firstSequence + index}:${Buffer.from(record).toString()}`));
    }
    expect(found).toEqual(['2:b', '3:c', '4:d']);
    for await (const batch of log.readBatches(5)) expect(batch).toBe('nothing');
    await log.close();
  });

  test('closing answers what was appended before and refuses what comes after', async () => {
    const log = await open();
    const before = log.append(Buffer.from('before'));
    const closed = log.close();
    await expect(log.append(Buffer.from('after'))).rejects.toMatchObject({ code: 'JOURNAL_WRITE_FAILED' });
    expect(await before).toBe(1);
    await closed;
    expect(await contents(log, 1)).toEqual(['1:before']);
  });
}

export async function contents(log: CommandLog, from: number): Promise<string[]> {
  const texts: string[] = [];
  for await (const { sequence, record } of log.read(from)) texts.push(`${sequence}:${Buffer.from(record).toString()}`);
  return texts;
}
