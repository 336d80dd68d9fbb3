import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, readdir, rename, rm, statfs } from 'node:fs/promises';
import { dirname } from 'node:path';

/** What journal and snapshots need of a disk; the simulated one fills up, tears, forgets and fails. */
export interface JournalDisk {
  /** Makes the folder and those above it, on stable storage. */
  makeFolder(folder: string): Promise<void>;
  /** The names in the folder, in no order. */
  list(folder: string): Promise<string[]>;
  /** For reading and writing. `create` makes a missing file; its name is on stable storage after `syncFolder`. */
  open(path: string, mode: 'existing' | 'create'): Promise<JournalFile>;
  /** Replaces what is at `to`. */
  rename(from: string, to: string): Promise<void>;
  /** A file that is not there is no error. */
  remove(path: string): Promise<void>;
  syncFolder(folder: string): Promise<void>;
  space(folder: string): Promise<{ readonly freeBytes: number; readonly totalBytes: number }>;
}

export interface JournalFile {
  size(): Promise<number>;
  /** How many bytes were read; 0 at the end. */
  read(into: Uint8Array, position: number): Promise<number>;
  /** May write less than asked and throw, as disks do. */
  write(bytes: Uint8Array, position: number): Promise<void>;
  sync(): Promise<void>;
  truncate(length: number): Promise<void>;
  close(): Promise<void>;
}

/** No space, no quota, or a limit on the size of a file. */
export function isDiskFull(error: unknown): boolean {
  return error instanceof Error && 'code' in error && ['ENOSPC', 'EDQUOT', 'EFBIG'].includes(String(error.code));
}

/** What the step gives, or the error when the disk was full; any other error is thrown. */
export async function unlessFull<Value>(step: Promise<Value>): Promise<Value | Error> {
  try {
    return await step;
  } catch (error) {
    if (error instanceof Error && isDiskFull(error)) return error;
    throw error;
  }
}

/** Null when the step succeeds, the error when the disk was full; any other error is thrown. */
export async function fullDiskOf(step: Promise<void>): Promise<Error | null> {
  return (await unlessFull(step)) ?? null;
}

/** The bytes from `from` on, fewer than `length` where the file ends. Memory of its own. */
export async function readBytes(file: JournalFile, from: number, length: number): Promise<Buffer> {
  const bytes = Buffer.allocUnsafeSlow(Math.max(0, length));
  let filled = 0;
  for (let got = -1; got !== 0 && filled < bytes.length; filled += got) {
    got = await file.read(bytes.subarray(filled), from + filled);
  }
  return bytes.subarray(0, filled);
}

export const nodeDisk: JournalDisk = {
  async makeFolder(folder) {
    const first = await mkdir(folder, { recursive: true });
    if (first === undefined) return;
    for (let made = folder; made.length >= first.length; made = dirname(made)) await syncFolder(dirname(made));
  },
  list: (folder) => readdir(folder),
  async open(path, mode) {
    const flags = mode === 'create' ? constants.O_RDWR | constants.O_CREAT : constants.O_RDWR;
    return new NodeJournalFile(await open(path, flags, 0o644));
  },
  rename,
  remove: (path) => rm(path, { force: true }),
  syncFolder,
  async space(folder) {
    const { bavail, blocks, bsize } = await statfs(folder);
    return { freeBytes: bavail * bsize, totalBytes: blocks * bsize };
  },
};

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Larger single writes were seen to be several times slower on ext4. */
const PIECE_BYTES = 256 * 2 ** 10;

class NodeJournalFile implements JournalFile {
  readonly #handle: FileHandle;

  constructor(handle: FileHandle) {
    this.#handle = handle;
  }

  async size(): Promise<number> {
    return (await this.#handle.stat()).size;
  }

  async read(into: Uint8Array, position: number): Promise<number> {
    return (await this.#handle.read(into, 0, into.length, position)).bytesRead;
  }

  async write(bytes: Uint8Array, position: number): Promise<void> {
    for (let done = 0; done < bytes.length; ) {
      const piece = Math.min(PIECE_BYTES, bytes.length - done);
      done += (await this.#handle.write(bytes, done, piece, position + done)).bytesWritten;
    }
  }

  sync(): Promise<void> {
    return this.#handle.datasync();
  }

  truncate(length: number): Promise<void> {
    return this.#handle.truncate(length);
  }

  close(): Promise<void> {
    return this.#handle.close();
  }
}
