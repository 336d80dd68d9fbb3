import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { closeSync, openSync, readFileSync } from 'node:fs';

/** A child as it is remembered across restarts: only a process with this pid AND this command line is ours to end. */
export interface ChildRecord {
  readonly name: string;
  readonly pid: number;
  readonly commandLine: string;
}

export interface ChildSpec {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
  readonly logPath: string;
}

export interface RunningChild {
  readonly record: ChildRecord;
  /** Resolves once with the exit code, or the signal's name. */
  readonly exited: Promise<number | string>;
}

/**
 * Starts a child in a process group of its own (a Ctrl-C at the terminal reaches the parent alone); its output goes to a
 * file. It holds one end of a channel, by which it sees the end of this process: see `untilToldToEnd`.
 */
export function startChild(spec: ChildSpec): Promise<RunningChild> {
  const log = openSync(spec.logPath, 'a');
  const child = spawn(spec.command, spec.args, { detached: true, stdio: ['ignore', log, log, 'ipc'] });
  closeSync(log);
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('spawn', () => resolve(runningChild(spec, child)));
  });
}

function runningChild(spec: ChildSpec, child: ChildProcess): RunningChild {
  const commandLine = [spec.command, ...spec.args].join(' ');
  return {
    record: { name: spec.name, pid: child.pid ?? 0, commandLine },
    exited: new Promise((resolve) => child.once('exit', (code, signal) => resolve(code ?? signal ?? 'unknown'))),
  };
}

/** SIGTERM, and SIGKILL after `graceMs`. */
export async function endChild(child: RunningChild, graceMs: number): Promise<void> {
  signalProcess(child.record.pid, 'SIGTERM');
  const timer = setTimeout(() => signalProcess(child.record.pid, 'SIGKILL'), graceMs);
  await child.exited;
  clearTimeout(timer);
}

/** Ends what an earlier run left behind, if it is still the same program, and waits until it is gone. */
export async function endLeftover(record: ChildRecord, graceMs: number): Promise<boolean> {
  if (commandLineOf(record.pid) !== record.commandLine) return false;
  signalProcess(record.pid, 'SIGTERM');
  const deadline = performance.now() + graceMs;
  while (commandLineOf(record.pid) === record.commandLine) {
    if (performance.now() > deadline) signalProcess(record.pid, 'SIGKILL');
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return true;
}

function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It ended by itself in the meantime, which is what was wanted.
  }
}

/** How a process that somebody else started is remembered; null where it has ended. */
export function recordOf(name: string, pid: number): ChildRecord | null {
  const commandLine = commandLineOf(pid);
  return commandLine === null ? null : { name, pid, commandLine };
}

/** The command line of a live process; null where there is none. Linux keeps it in /proc, elsewhere ps knows it. */
function commandLineOf(pid: number): string | null {
  try {
    const text = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replace(/\0$/, '').replaceAll('\0', ' ');
    return text === '' ? null : text;
  } catch {
    if (process.platform === 'linux') return null;
    const { stdout, status } = spawnSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' });
    return status === 0 ? stdout.trim() : null;
  }
}
