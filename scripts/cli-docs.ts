import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const COULD_NOT_RUN = 3;

/** What people type, and the launcher behind it, in the order of the page. */
const COMMANDS: readonly { readonly typed: string; readonly launcher: string }[] = [
  { typed: 'npm start --', launcher: 'start' },
  { typed: 'npm run simulate --', launcher: 'simulate' },
  { typed: 'npx p2p-cli', launcher: 'p2p-cli' },
  { typed: 'npx p2p-audit', launcher: 'p2p-audit' },
  { typed: 'npx engine', launcher: 'engine' },
  { typed: 'npx gateway', launcher: 'gateway' },
  { typed: 'npx energy-relay', launcher: 'energy-relay' },
  { typed: 'npx street', launcher: 'street' },
  { typed: 'npm run bench --', launcher: 'bench' },
];

const INTRODUCTION = `# Commands

<!-- Written by \`npm run fix\` from what each command prints for --help. -->

Results go to stdout, messages to stderr. Exit codes: 0 ok, 1 failed, 2 usage or configuration, 3 could not run.
\`NO_COLOR\` is respected. \`npx\` works inside the clone; services use the absolute path of the launcher in \`bin/\`.
`;

/** The whole of `docs/reference/cli.md`. */
export async function commandReference(): Promise<string> {
  const sections = await Promise.all(COMMANDS.map(section));
  return [INTRODUCTION, ...sections].join('\n');
}

async function section({ typed, launcher }: { typed: string; launcher: string }): Promise<string> {
  const { code, stdout, stderr } = await help(launcher);
  if (code === COULD_NOT_RUN) return `## ${launcher}\n\nNot built yet.\n`;
  if (code !== 0) throw new Error(`${launcher} --help ended with ${code}: ${stderr}`);
  return `## ${launcher}\n\n\`${typed} --help\`\n\n\`\`\`\n${stdout.trimEnd()}\n\`\`\`\n`;
}

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function help(launcher: string): Promise<Ended> {
  const file = fileURLToPath(new URL(`../bin/${launcher}.js`, import.meta.url));
  const env = { ...process.env, NO_COLOR: '1', COLUMNS: '120' };
  try {
    const { stdout, stderr } = await promisify(execFile)(process.execPath, [file, '--help'], { env });
    return { code: 0, stdout, stderr };
  } catch (error) {
    const { code, stdout, stderr } = error as Ended;
    return { code, stdout, stderr };
  }
}
