import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { Fault } from '../../errors/fault.ts';

/** Creates a state folder, for the owner alone. @throws Fault DISK_FULL, STATE_UNWRITABLE */
export function openStateFolder(path: string): void {
  attempt(path, () => mkdirSync(path, { recursive: true, mode: 0o700 }));
}

/** Replaces a small file whole: after a crash it is the old one or the new one. @throws Fault DISK_FULL, STATE_UNWRITABLE */
export function writeStateFile(path: string, text: string): void {
  attempt(path, () => {
    writeFileSync(`${path}.new`, text, { flush: true, mode: 0o600 });
    renameSync(`${path}.new`, path);
  });
}

function attempt(path: string, write: () => unknown): void {
  try {
    write();
  } catch (error) {
    const reason = error instanceof Error && 'code' in error ? String(error.code) : String(error);
    const code = reason === 'ENOSPC' || reason === 'EDQUOT' || reason === 'EFBIG' ? 'DISK_FULL' : 'STATE_UNWRITABLE';
    throw new Fault(code, `${path}: cannot be written (${reason})`, error);
  }
}
