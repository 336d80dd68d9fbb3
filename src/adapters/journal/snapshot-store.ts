import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { assert } from '../../domain/units/assert.ts';
import { Fault } from '../../errors/fault.ts';
import { isDiskFull, type JournalDisk, nodeDisk, readBytes } from './journal-disk.ts';

/** The state of the engine after record `sequence`, as bytes that the engine alone understands. */
export interface Snapshot {
  readonly sequence: number;
  readonly engineVersion: number;
  readonly stateHash: Uint8Array;
  readonly bytes: Uint8Array;
}

export interface SnapshotStore {
  /**
   * Resolves when it is on stable storage; then the older ones but one are removed. The journal keeps all its records.
   * `sequence`: a record that was acknowledged. @throws Fault DISK_FULL, JOURNAL_WRITE_FAILED; the older ones still stand
   */
  save(sequence: number, stateHash: Uint8Array, bytes: Uint8Array): Promise<void>;
  /** The newest that is whole, or null. */
  latest(): Promise<Snapshot | null>;
}

export interface SnapshotStoreOptions {
  readonly folder: string;
  readonly engineVersion?: number;
  /** A snapshot that cannot be used: what is wrong, with its path. The one before it stands in. */
  readonly onDamaged: (problem: string) => void;
  readonly disk?: JournalDisk;
}

const KEPT = 2;
const NAME = /^snapshot-(\d{12})\.bin$/;
const UNFINISHED = 'snapshot-unfinished.tmp';
const MAGIC = 0x4e_53_4c_45;
const FORMAT = 1;
const HEADER_BYTES = 36;
const MAX_HASH_BYTES = 64;

/** Opens the folder of one market's snapshots; what a crash left unfinished is removed. */
export async function openSnapshotStore(options: SnapshotStoreOptions): Promise<SnapshotStore> {
  const { folder, disk = nodeDisk } = options;
  await disk.makeFolder(folder);
  await disk.remove(join(folder, UNFINISHED));
  return new FileSnapshots({ engineVersion: 1, ...options, disk });
}

class FileSnapshots implements SnapshotStore {
  readonly #options: Required<SnapshotStoreOptions>;
  readonly #damaged = new Set<string>();
  #saving: Promise<unknown> = Promise.resolve();

  constructor(options: Required<SnapshotStoreOptions>) {
    this.#options = options;
  }

  save(sequence: number, stateHash: Uint8Array, bytes: Uint8Array): Promise<void> {
    assert(stateHash.length <= MAX_HASH_BYTES, `a state hash of ${stateHash.length} bytes`);
    const header = encodeHeader({ sequence, engineVersion: this.#options.engineVersion, stateHash, bytes });
    const saved = this.#saving.then(() => this.#write(snapshotName(sequence), header, bytes));
    this.#saving = saved.catch(() => undefined);
    return saved;
  }

  async latest(): Promise<Snapshot | null> {
    for (const name of await this.#names()) {
      const found = await this.#read(name);
      if (typeof found !== 'string') return found;
      this.#damaged.add(name);
      this.#options.onDamaged(`${join(this.#options.folder, name)}: ${found}`);
    }
    return null;
  }

  async #write(name: string, header: Uint8Array, bytes: Uint8Array): Promise<void> {
    const { disk, folder } = this.#options;
    const unfinished = join(folder, UNFINISHED);
    try {
      await writeWhole(disk, unfinished, [header, bytes]);
      await disk.rename(unfinished, join(folder, name));
      await disk.syncFolder(folder);
      this.#damaged.delete(name);
      await this.#removeOld(name);
    } catch (error) {
      await disk.remove(unfinished).catch(() => undefined);
      const code = isDiskFull(error) ? 'DISK_FULL' : 'JOURNAL_WRITE_FAILED';
      throw new Fault(code, `${join(folder, name)}: ${String(error)}`, error);
    }
  }

  /** What was found damaged does not count as one of those that are kept. */
  async #removeOld(newest: string): Promise<void> {
    const { disk, folder } = this.#options;
    const others = (await this.#names()).filter((name) => name !== newest);
    const kept = others.filter((name) => !this.#damaged.has(name)).slice(0, KEPT - 1);
    for (const name of others) if (!kept.includes(name)) await disk.remove(join(folder, name));
  }

  /** Newest first. */
  async #names(): Promise<string[]> {
    const names = await this.#options.disk.list(this.#options.folder);
    return names
      .filter((name) => NAME.test(name))
      .sort()
      .reverse();
  }

  /** The snapshot, or what is wrong with it. */
  async #read(name: string): Promise<Snapshot | string> {
    const { disk, folder } = this.#options;
    const file = await disk.open(join(folder, name), 'existing');
    try {
      const content = await readBytes(file, 0, await file.size());
      const snapshot = decode(content);
      return typeof snapshot === 'string' || name === snapshotName(snapshot.sequence) ? snapshot : 'is named otherwise';
    } finally {
      await file.close();
    }
  }
}

function snapshotName(sequence: number): string {
  return `snapshot-${String(sequence).padStart(12, '0')}.bin`;
}

async function writeWhole(disk: JournalDisk, path: string, parts: readonly Uint8Array[]): Promise<void> {
  const file = await disk.open(path, 'create');
  try {
    await file.truncate(0);
    let at = 0;
    for (const part of parts) {
      await file.write(part, at);
      at += part.length;
    }
    await file.sync();
  } finally {
    await file.close();
  }
}

/**
 * magic u32, format u32, engine version u32, sequence u64, length u64, length of the hash u32, crc u32 of all that and
 * all that follows; then the hash, then the state. Little endian.
 */
function encodeHeader({ sequence, engineVersion, stateHash, bytes }: Snapshot): Uint8Array {
  const header = Buffer.alloc(HEADER_BYTES + stateHash.length);
  header.writeUInt32LE(MAGIC, 0);
  header.writeUInt32LE(FORMAT, 4);
  header.writeUInt32LE(engineVersion, 8);
  header.writeBigUInt64LE(BigInt(sequence), 12);
  header.writeBigUInt64LE(BigInt(bytes.length), 20);
  header.writeUInt32LE(stateHash.length, 28);
  header.set(stateHash, HEADER_BYTES);
  header.writeUInt32LE(checksum(header, bytes), 32);
  return header;
}

/** Over everything but the place of the checksum itself. */
function checksum(header: Uint8Array, bytes: Uint8Array): number {
  return crc32(bytes, crc32(header.subarray(HEADER_BYTES), crc32(header.subarray(0, 32))));
}

function decode(content: Buffer): Snapshot | string {
  if (content.length < HEADER_BYTES || content.readUInt32LE(0) !== MAGIC) return 'is no snapshot';
  const stateAt = HEADER_BYTES + content.readUInt32LE(28);
  const length = Number(content.readBigUInt64LE(20));
  if (stateAt > HEADER_BYTES + MAX_HASH_BYTES || stateAt + length !== content.length)
    return 'has not the length it says';
  const bytes = content.subarray(stateAt);
  if (content.readUInt32LE(32) !== checksum(content.subarray(0, stateAt), bytes)) return 'does not match its checksum';
  const format = content.readUInt32LE(4);
  if (format !== FORMAT) return `has the format ${format}, which is not known here`;
  const [engineVersion, sequence] = [content.readUInt32LE(8), Number(content.readBigUInt64LE(12))];
  return { sequence, engineVersion, stateHash: content.subarray(HEADER_BYTES, stateAt), bytes };
}
