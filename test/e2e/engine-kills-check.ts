import { applyCommand } from '../../src/domain/engine/apply-command.ts';
import { snapshotState } from '../../src/domain/engine/snapshot.ts';
import { newEngineState } from '../../src/domain/engine/state.ts';
import { ask, type Sent, type SentEntry, tell } from './engine-kills-load.ts';
import { journalCommands } from './journal-commands.ts';

/** Acknowledged answers, and those of them that a fresh process does not give again. */
export class Findings {
  acknowledged = 0;
  compared = 0;
  readonly lost: string[] = [];
  readonly doubled: string[] = [];

  /** `again`: what the fresh process says of an entry that was told something before. */
  compare(entry: SentEntry, again: { readonly code: string; readonly sequence?: number } | undefined): void {
    const { told } = entry;
    if (told === null || !isLasting(entry)) return;
    this.compared += 1;
    const isOk = told.sequence !== undefined;
    if (isOk ? again?.code === 'exists' && again.sequence === told.sequence : again?.code === told.code) return;
    const line = `${describe(entry)} was told ${JSON.stringify(told)}, and now ${JSON.stringify(again)}`;
    (again?.sequence === undefined ? this.lost : this.doubled).push(line);
  }
}

/** A refused withdrawal says how things stood at that moment; what it found may come, end or see its gate close later. */
function isLasting({ kind, told }: SentEntry): boolean {
  return kind === 'order' || told?.sequence !== undefined;
}

function describe({ kind, member, product, clientOrderId }: Omit<SentEntry, 'told'>): string {
  return `${kind} ${clientOrderId} of ${member} for ${product}`;
}

const AT_ONCE = 12;

/** Sends everything to a fresh process again: what was told must be told again; what was not is told now. */
export async function askAgain(url: string, messages: readonly Sent[], findings: Findings): Promise<void> {
  const waiting = messages.values();
  const lane = async (): Promise<void> => {
    for (const sent of waiting) {
      const answers = await ask(url, sent);
      for (const [place, entry] of sent.entries.entries()) {
        const again = answers?.[place];
        if (entry.told === null) tell(entry, again);
        else findings.compare(entry, again);
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
}

/** Against the journal alone: every acknowledged answer stands in it, at its place, and once. */
export async function compareWithJournal(
  folder: string,
  messages: readonly Sent[],
  findings: Findings,
): Promise<{ commands: number; hashesAgree: boolean }> {
  const commands = await journalCommands(folder);
  const [state, twice] = [newEngineState(), newEngineState()];
  const granted = new Map<string, number[]>();
  for (const [index, command] of commands.entries()) {
    applyCommand(twice, command);
    for (const event of applyCommand(state, command)) {
      if (event.type !== 'answered' || !event.verdict.ok || event.verdict.code === 'exists') continue;
      const name = describe(event);
      granted.set(name, [...(granted.get(name) ?? []), index + 1]);
    }
  }
  const owners = new Map<number, string>();
  for (const entry of messages.flatMap(({ entries }) => entries)) {
    const name = describe(entry);
    const places = granted.get(name) ?? [];
    if (entry.told !== null) findings.acknowledged += 1;
    if (places.length > 1) findings.doubled.push(`${name} was granted at ${places}`);
    const sequence = entry.told?.sequence;
    if (sequence === undefined) continue;
    if (places[0] !== sequence) findings.lost.push(`${name} was granted at ${sequence}, in the journal at ${places}`);
    const owner = owners.get(sequence);
    if (owner !== undefined && owner !== name)
      findings.doubled.push(`${sequence} is the place of ${owner} and ${name}`);
    owners.set(sequence, name);
  }
  const [bytes, again] = [snapshotState(state), snapshotState(twice)];
  return { commands: commands.length, hashesAgree: Buffer.from(bytes).equals(again) };
}
