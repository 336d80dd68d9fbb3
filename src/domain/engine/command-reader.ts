import type { MemberId } from '../units/identity.ts';
import type { Command } from './command.ts';
import { decodeCommand, type MemberNumbers, type RecordProblem } from './command-record.ts';

/** Numbers members as the engine does: in the order in which the journal's terms first name them. */
export class JournalNumbers implements MemberNumbers {
  readonly #numbers = new Map<MemberId, number>();
  readonly #ids: MemberId[] = [];

  /** `ids`: who has a number already, by number. */
  constructor(ids: readonly MemberId[] = []) {
    for (const id of ids) this.#give(id);
  }

  /** Takes note of a command, in journal order. */
  see(command: Command): void {
    if (command.type !== 'terms') return;
    for (const { id } of command.terms.members) if (!this.#numbers.has(id)) this.#give(id);
  }

  numberOf(member: MemberId): number | undefined {
    return this.#numbers.get(member);
  }

  idOf(number: number): MemberId | undefined {
    return this.#ids[number];
  }

  #give(id: MemberId): void {
    this.#numbers.set(id, this.#ids.push(id) - 1);
  }
}

/** The commands of a journal's records, from the first on. A record that can't be read ends it with its problem. */
export function readCommands(records: Iterable<Uint8Array>): readonly Command[] | RecordProblem {
  const numbers = new JournalNumbers();
  const commands: Command[] = [];
  for (const record of records) {
    const command = decodeCommand(record, numbers);
    if (typeof command === 'string') return command;
    numbers.see(command);
    commands.push(command);
  }
  return commands;
}
