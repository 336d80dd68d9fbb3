import type { CommandLog } from '../domain/ports.ts';
import { Fault } from '../errors/fault.ts';

/** The command log in memory: the batch driver's journal. Nothing survives the process. */
export function createMemoryLog(): CommandLog {
  const records: Uint8Array[] = [];
  let closed = false;
  return {
    async append(record) {
      if (closed) throw new Fault('JOURNAL_WRITE_FAILED', 'the journal is closed');
      return records.push(new Uint8Array(record));
    },
    async *read(fromSequence) {
      for (const [index, record] of records.entries())
        if (index + 1 >= fromSequence) yield { sequence: index + 1, record };
    },
    async close() {
      closed = true;
    },
  };
}
