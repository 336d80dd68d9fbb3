import { parseCommandLine } from '../../adapters/config/arguments.ts';

const COMMAND = {
  name: 'p2p-audit',
  summary: 'The diagnostic of the whole stack. Not built yet.',
  options: {
    'check-all': { kind: 'flag', help: 'every check there is' },
    json: { kind: 'flag', help: 'one JSON object a check' },
  },
} as const;

/** It comes with a later release; until then it says so. */
export async function main(argv: readonly string[]): Promise<number> {
  const line = parseCommandLine(COMMAND, argv);
  if (line.kind === 'help') {
    process.stdout.write(line.text);
    return 0;
  }
  process.stderr.write(line.kind === 'refusal' ? `${line.message}\n` : 'p2p-audit is not built yet.\n');
  return line.kind === 'refusal' ? 2 : 3;
}
