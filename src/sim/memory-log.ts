import type { CommandLog } from '../domain/ports.ts';
import { Fault } from '../errors/fault.ts';

/** The command log in memory: the batch driver's journal. Nothing survives the process. */
export function createMemoryLog(engineVersion = 1): CommandLog {
  const records: Uint8Array[] = [];
  let closed = false;
  const keep = (record: Uint8Array): number => records.push(new Uint8Array(record));
  const refuseWhenClosed = (): void => {
    if (closed) throw new Fault('JOURNAL_WRITE_FAILED', 'the journal is closed');
  };
  return {
    async append(record) {
      refuseWhenClosed();
      return keep(record);
    },
    async appendAll(batch) {
      refuseWhenClosed();
      for (const record of batch) keep(record);
      return records.length;
    },
    async *read(fromSequence) {
      for (const [index, record] of records.entries())
        if (index + 1 >= fromSequence) yield { sequence: index + 1, record };
    },
    async *readBatches(fromSequence) {
      const firstSequence = Math.max(1, fromSequence);
      const found = records.slice(firstSequence - 1);
      if (found.length > 0) yield { firstSequence, records: found, engineVersion };
    },
    async close() {
      closed = true;
    },
  };
}
