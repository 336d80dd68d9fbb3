import type { FaultyDisk, FaultyFile } from './faulty-disk.ts';
import type { MarketChance } from './market-chance.ts';
import type { MarketSchedule } from './market-schedule.ts';

const LONGEST_WRITE_MS = 4;
const LONGEST_SYNC_MS = 30;

/**
 * The faulty disk as one life of a program sees it. What changes the disk takes time, during which other things happen;
 * whether it was done at the beginning of that time or at its end, only a crash would tell. When the life ends, nothing
 * it asked for is answered any more.
 */
export class MarketDisk {
  readonly #disk: FaultyDisk;
  readonly #schedule: MarketSchedule;
  readonly #chance: MarketChance;
  #hasEnded = false;

  constructor(disk: FaultyDisk, schedule: MarketSchedule, chance: MarketChance) {
    this.#disk = disk;
    this.#schedule = schedule;
    this.#chance = chance;
  }

  end(): void {
    this.#hasEnded = true;
  }

  makeFolder(folder: string): Promise<void> {
    return this.#alive(() => this.#disk.makeFolder(folder));
  }

  list(folder: string): Promise<string[]> {
    return this.#alive(() => this.#disk.list(folder));
  }

  async open(path: string, mode: 'existing' | 'create'): Promise<FaultyFile> {
    const file = await this.#alive(() => this.#disk.open(path, mode));
    return {
      size: () => this.#alive(() => file.size()),
      read: (into, position) => this.#alive(() => file.read(into, position)),
      write: (bytes, position) => this.#write(file, bytes, position),
      sync: () => this.#slow('sync', LONGEST_SYNC_MS, () => file.sync()),
      truncate: (length) => this.#slow('truncate', LONGEST_WRITE_MS, () => file.truncate(length)),
      close: () => this.#alive(() => file.close()),
    };
  }

  rename(from: string, to: string): Promise<void> {
    return this.#slow('rename', LONGEST_WRITE_MS, () => this.#disk.rename(from, to));
  }

  remove(path: string): Promise<void> {
    return this.#alive(() => this.#disk.remove(path));
  }

  syncFolder(folder: string): Promise<void> {
    return this.#slow('sync folder', LONGEST_SYNC_MS, () => this.#disk.syncFolder(folder));
  }

  space(folder: string): Promise<{ freeBytes: number; totalBytes: number }> {
    return this.#alive(() => this.#disk.space(folder));
  }

  /** Its bytes are the writer's again when it is answered, and not before. */
  #write(file: FaultyFile, bytes: Uint8Array, position: number): Promise<void> {
    return this.#slow('write', LONGEST_WRITE_MS, () => file.write(bytes, position));
  }

  #alive<Value>(operation: () => Promise<Value>): Promise<Value> {
    return this.#hasEnded ? new Promise(() => undefined) : operation();
  }

  async #slow(name: string, longestMs: number, operation: () => Promise<void>): Promise<void> {
    if (this.#chance.happens(300)) return this.#alive(operation);
    const early = !this.#hasEnded && this.#chance.happens(500) ? operation() : null;
    early?.catch(() => undefined);
    await new Promise<void>((resolve) => {
      if (this.#hasEnded) return;
      const delayMs = this.#chance.between(0, longestMs);
      this.#schedule.after(delayMs, `disk: ${name}`, () => {
        if (!this.#hasEnded) resolve();
      });
    });
    await (early ?? operation());
  }
}
