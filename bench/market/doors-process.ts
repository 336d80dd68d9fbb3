import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

/** A program under load that has told where it listens. */
export interface LoadedProcess {
  readonly url: string;
  /** Of the processors, all threads, since it began; NaN where the system has no `/proc`. */
  cpuMs(): number;
  close(): Promise<void>;
}

/** Starts a program whose first line is a JSON object with its `url`. @throws where it ends before that */
export async function startLoaded(argv: readonly string[]): Promise<LoadedProcess> {
  const child = spawn(process.execPath, argv, { stdio: ['pipe', 'pipe', 'pipe'] });
  const said: string[] = [];
  child.stderr.on('data', (chunk) => said.push(String(chunk)));
  const ended = once(child, 'close');
  const [line] = await Promise.race([once(createInterface({ input: child.stdout }), 'line'), ended]);
  if (typeof line !== 'string') throw new Error(`${argv.join(' ')} ended: ${said.join('')}`);
  const { url } = JSON.parse(line) as { readonly url: string };
  return {
    url,
    cpuMs: () => cpuMsOf(child),
    async close() {
      child.stdin.end();
      child.kill('SIGTERM');
      await ended;
    },
  };
}

const MS_PER_TICK = 10;

/** Fields 14 and 15 of proc_pid_stat(5), counted after the name, which may hold anything. */
function cpuMsOf({ pid }: ChildProcess): number {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) * MS_PER_TICK;
  } catch {
    return Number.NaN;
  }
}
