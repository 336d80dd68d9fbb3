import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { Fault } from '../../errors/fault.ts';

/** The exclusive right to a state folder. The operating system gives it up when the process ends, however it ends. */
export interface StateLock {
  release(): void;
}

/**
 * Takes `name`.lock in `folder` for this process. The lock is SQLite's file lock, so a crash leaves nothing stale.
 * @throws Fault STATE_LOCKED naming the process that holds it
 */
export function holdStateLock(folder: string, name: string): StateLock {
  mkdirSync(folder, { recursive: true });
  const path = join(folder, `${name}.lock`);
  const database = new DatabaseSync(path);
  try {
    database.exec('PRAGMA busy_timeout = 0; PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    throw new Fault('STATE_LOCKED', `${folder} is in use by process ${holderOf(path)}`, error);
  }
  writeFileSync(`${path}.pid`, `${process.pid}\n`);
  return { release: () => database.close() };
}

function holderOf(path: string): string {
  try {
    return readFileSync(`${path}.pid`, 'utf8').trim();
  } catch {
    return 'unknown';
  }
}
