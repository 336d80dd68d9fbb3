import { join } from 'node:path';
import { type JournalDisk, type JournalFile, readBytes } from './journal-disk.ts';
import { isZero } from './torn-tail.ts';

const RESERVE_BYTES = 2 ** 20;
/** On a small volume the reserve takes no more than this part of it. */
const VOLUME_PARTS = 16;
const BLOCK_BYTES = 4096;
const NAME = 'reserved-for-full-disk.log';
const UNFINISHED = 'reserved-for-full-disk.tmp';

/**
 * Space for the urgent when the disk is full: a file of written zeros that becomes the next segment by a rename, so that
 * nothing has to be given back to the disk first, where another program could take it. Its name is as long as a
 * segment's: the rename needs no room in the folder either. On a volume that copies on write or compresses, zeros hold
 * no space, and the reserve promises nothing.
 */
export class SpaceReserve {
  readonly #disk: JournalDisk;
  readonly #folder: string;
  readonly bytes: number;
  isWhole = false;

  private constructor(disk: JournalDisk, folder: string, bytes: number) {
    this.#disk = disk;
    this.#folder = folder;
    this.bytes = bytes;
  }

  /** Finds what is there; makes nothing. */
  static async find(disk: JournalDisk, folder: string, bytes: number | undefined): Promise<SpaceReserve> {
    const reserve = new SpaceReserve(disk, folder, bytes ?? (await usualBytes(disk, folder)));
    await disk.remove(join(folder, UNFINISHED));
    if (!(await disk.list(folder)).includes(NAME)) return reserve;
    const file = await disk.open(join(folder, NAME), 'existing');
    const isSized = (await file.size()) === reserve.bytes;
    reserve.isWhole = isSized && isZero(await readBytes(file, 0, reserve.bytes));
    await file.close();
    return reserve;
  }

  /** Writes it anew. What was written is taken back when the disk is full. */
  async restore(): Promise<void> {
    const unfinished = join(this.#folder, UNFINISHED);
    const file = await this.#disk.open(unfinished, 'create');
    try {
      await file.write(new Uint8Array(this.bytes), 0);
      await file.sync();
    } catch (error) {
      await file.close();
      await this.#disk.remove(unfinished);
      throw error;
    }
    await file.close();
    await this.#disk.rename(unfinished, join(this.#folder, NAME));
    await this.#disk.syncFolder(this.#folder);
    this.isWhole = true;
  }

  /** Becomes the segment at `path`: the header is on the disk before the name is. */
  async spend(path: string, header: Uint8Array): Promise<JournalFile> {
    const reserved = join(this.#folder, NAME);
    const file = await this.#disk.open(reserved, 'existing');
    await file.write(header, 0);
    await file.sync();
    await this.#disk.rename(reserved, path);
    await this.#disk.syncFolder(this.#folder);
    this.isWhole = false;
    return file;
  }
}

async function usualBytes(disk: JournalDisk, folder: string): Promise<number> {
  const { totalBytes } = await disk.space(folder);
  const share = Math.floor(totalBytes / VOLUME_PARTS / BLOCK_BYTES) * BLOCK_BYTES;
  return Math.max(BLOCK_BYTES, Math.min(RESERVE_BYTES, share));
}
