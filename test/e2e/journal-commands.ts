import { openJournal } from '../../src/adapters/journal/command-log.ts';
import type { Command } from '../../src/domain/engine/command.ts';
import { readCommands } from '../../src/domain/engine/command-reader.ts';

/** What is in the journal of an engine that has ended. */
export async function journalCommands(folder: string): Promise<readonly Command[]> {
  const journal = await openJournal({ folder });
  const records: Uint8Array[] = [];
  for await (const { record } of journal.read(1)) records.push(new Uint8Array(record));
  await journal.close();
  const commands = readCommands(records);
  if (typeof commands === 'string') throw new Error(`the journal in ${folder}: ${commands}`);
  return commands;
}
