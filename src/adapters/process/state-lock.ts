import { readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Fault } from '../../errors/fault.ts';
import { openStateFolder, writeStateFile } from './state-file.ts';

/** The exclusive right to a state folder. The operating system gives it up when the process ends, however it ends. */
export interface StateLock {
  release(): void;
}

/**
 * Takes `name`.lock in `folder` for this process. The lock is SQLite's file lock, so a crash leaves nothing stale.
 * @throws Fault STATE_LOCKED naming the process that holds it; DISK_FULL, STATE_UNWRITABLE
 */
export function holdStateLock(folder: string, name: string): StateLock {
  openStateFolder(folder);
  const path = join(folder, `${name}.lock`);
  const database = openLock(path);
  writeStateFile(`${path}.pid`, `${process.pid}\n`);
  return { release: () => database.close() };
}

function openLock(path: string): DatabaseSync {
  let database: DatabaseSync | null = null;
  try {
    database = new DatabaseSync(path);
    database.exec('PRAGMA busy_timeout = 0; PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
    return database;
  } catch (error) {
    database?.close();
    if (resultCode(error) === SQLITE_BUSY)
      throw new Fault('STATE_LOCKED', `${dirname(path)} is in use by process ${holderOf(path)}`, error);
    const full = resultCode(error) === SQLITE_FULL;
    throw new Fault(
      full ? 'DISK_FULL' : 'STATE_UNWRITABLE',
      `${path}: the lock cannot be taken (${String(error)})`,
      error,
    );
  }
}

const SQLITE_BUSY = 5;
const SQLITE_FULL = 13;

/** The primary result code of SQLite: the low byte of the extended one. */
function resultCode(error: unknown): number | null {
  return error instanceof Error && 'errcode' in error ? Number(error.errcode) & 0xff : null;
}

function holderOf(path: string): string {
  try {
    return readFileSync(`${path}.pid`, 'utf8').trim();
  } catch {
    return 'unknown';
  }
}
