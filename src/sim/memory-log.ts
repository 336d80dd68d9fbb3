import type { CommandLog } from '../domain/ports.ts';

/** The command log in memory: the batch driver's journal. Nothing survives the process. */
export function createMemoryLog(): CommandLog {
  const records: Uint8Array[] = [];
  return {
    append: async (record) => records.push(new Uint8Array(record)),
    async *read(fromSequence) {
      for (const [index, record] of records.entries())
        if (index + 1 >= fromSequence) yield { sequence: index + 1, record };
    },
    close: async () => undefined,
  };
}
