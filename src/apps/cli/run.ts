import { didYouMean } from '../../adapters/config/nearest-name.ts';
import { isFault } from '../../errors/fault.ts';
import { exitCodeOf, faultReport } from '../../errors/fault-report.ts';
import { clear } from './clear.ts';
import { ledger } from './ledger.ts';
import { EXIT, type Terminal } from './terminal.ts';

interface Command {
  readonly summary: string;
  /** Absent: not built yet. */
  readonly run?: (argv: readonly string[], terminal: Terminal) => Promise<number>;
}

const COMMANDS: Readonly<Record<string, Command>> = {
  clear: { summary: 'clear one product from a CSV of orders', run: clear },
  'refresh-peers': { summary: 'search the mesh anew and forget cached routes' },
  peers: { summary: 'list the peers of the mesh' },
  init: { summary: 'write a first configuration' },
  migrate: { summary: 'put the settlement contract on a network' },
  orders: { summary: "list a member's orders" },
  book: { summary: 'show a product after its clearing' },
  ledger: { summary: 'verify the clearing of an interval against its signed root', run: ledger },
  bill: { summary: "print a member's bill" },
  vault: { summary: 'manage keys' },
  export: { summary: 'export trades and settlements' },
};

/** Runs one command. Faults of the files that it was given become messages and exit codes here. */
export async function run(argv: readonly string[], terminal: Terminal): Promise<number> {
  const [name, ...rest] = argv;
  if (name === '--help' || name === '-h') return say(terminal.out(usage()), EXIT.ok);
  if (name === undefined) return say(terminal.err(usage()), EXIT.usage);
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined;
  if (command === undefined) return say(terminal.err(unknown(name)), EXIT.usage);
  if (command.run === undefined) return notBuilt(name, command, rest, terminal);
  try {
    return await command.run(rest, terminal);
  } catch (error) {
    if (!isFault(error)) throw error;
    return say(terminal.err(faultReport(error, rest.includes('--json'))), exitCodeOf(error));
  }
}

async function notBuilt(name: string, { summary }: Command, rest: readonly string[], terminal: Terminal) {
  if (rest.includes('--help') || rest.includes('-h')) {
    return say(terminal.out(`p2p-cli ${name}: ${summary}. It is not built yet.\n`), EXIT.ok);
  }
  return say(terminal.err(`p2p-cli ${name} is not built yet.\n`), EXIT.couldNotRun);
}

async function say(written: Promise<void>, code: number): Promise<number> {
  await written;
  return code;
}

function unknown(name: string): string {
  const what = name.startsWith('-') ? `the command comes first, ${name} is none` : `unknown command "${name}"`;
  return `${what}${didYouMean(name, Object.keys(COMMANDS))}\nSee "p2p-cli --help".\n`;
}

function usage(): string {
  const rows = Object.entries(COMMANDS).map(([name, { summary, run: built }]) => {
    return `  ${name.padEnd(14)} ${summary}${built === undefined ? ' (not built yet)' : ''}`;
  });
  return `Usage: p2p-cli COMMAND [options]\n\nCommands:\n${rows.join('\n')}\n\n"p2p-cli COMMAND --help" tells more.\n`;
}
