import { between } from './homes/prng.ts';

/** What a loss of power does with what was written and not synced: keeps it, loses it, or keeps some of it by the seed. */
export type Survival = 'all' | 'none' | 'some';

/** An open file of the simulated disk. A handle from before a loss of power fails at whatever is asked of it. */
export interface FaultyFile {
  size(): Promise<number>;
  read(into: Uint8Array, position: number): Promise<number>;
  write(bytes: Uint8Array, position: number): Promise<void>;
  sync(): Promise<void>;
  truncate(length: number): Promise<void>;
  close(): Promise<void>;
}

type FileChange =
  | { readonly kind: 'write'; readonly at: number; readonly bytes: Uint8Array }
  | { readonly kind: 'truncate'; readonly length: number };

type NameChange =
  | { readonly kind: 'link'; readonly path: string; readonly inode: Inode }
  | { readonly kind: 'unlink'; readonly path: string }
  | { readonly kind: 'rename'; readonly from: string; readonly to: string };

/** `seen` is what programs read, `kept` what is on the medium; `unsynced` leads from the one to the other. */
interface Inode {
  readonly seen: Content;
  readonly kept: Content;
  unsynced: FileChange[];
  /** A sync of it failed. Later tears keep to sectors: two faults within one sector are one too many. */
  hasFailed: boolean;
}

const SECTOR_BYTES = 512;

/**
 * A disk in memory with the faults of real ones, all from one seed. Until `sync`, a write is the power's to lose, to
 * tear at any byte or to keep sector by sector; until `syncFolder`, so is a new, changed or removed name. It fills up at
 * `capacityBytes`, and a sync that fails forgets what it should have written, as Linux does.
 */
export class FaultyDisk {
  capacityBytes = Number.POSITIVE_INFINITY;
  /** How many operations, or written bytes, the power still holds. */
  operationsLeft = Number.POSITIVE_INFINITY;
  bytesLeft = Number.POSITIVE_INFINITY;
  /** How many syncs, or writes, still succeed before one fails. */
  syncsLeft = Number.POSITIVE_INFINITY;
  writesLeft = Number.POSITIVE_INFINITY;
  /** Operations so far: what `operationsLeft` counts down from. */
  operations = 0;
  writtenBytes = 0;

  readonly #seed: number;
  #drawn = 0;
  #life = 0;
  #hasPower = true;
  #seenNames = new Map<string, Inode>();
  #keptNames = new Map<string, Inode>();
  #nameChanges: NameChange[] = [];

  constructor(seed: number) {
    this.#seed = seed;
  }

  get hasPower(): boolean {
    return this.#hasPower;
  }

  /** The power goes, if it had not gone already, and comes back: what was not synced meets its fate. */
  restart(survival: Survival): void {
    for (const change of this.#surviving(this.#nameChanges, survival)) rename(this.#keptNames, change);
    this.#nameChanges = [];
    this.#seenNames = new Map(this.#keptNames);
    for (const inode of new Set(this.#seenNames.values())) {
      for (const change of inode.unsynced) {
        if (inode.hasFailed && survival === 'some') this.#keepWholeSectors(inode.kept, change);
        else this.#keepSome(inode.kept, change, survival);
      }
      inode.unsynced = [];
      inode.seen.become(inode.kept);
    }
    this.#life += 1;
    this.#hasPower = true;
    this.operationsLeft = Number.POSITIVE_INFINITY;
    this.bytesLeft = Number.POSITIVE_INFINITY;
  }

  /** The paths that programs see, in the order of their names. */
  paths(): string[] {
    return [...this.#seenNames.keys()].sort();
  }

  /** What programs read there; empty where there is nothing. */
  contentOf(path: string): Uint8Array {
    return this.#seenNames.get(path)?.seen.copy() ?? new Uint8Array(0);
  }

  /** Puts a file on the medium as it is, past all faults: what rot, a thief or a clumsy copy leaves behind. */
  place(path: string, bytes: Uint8Array): void {
    const inode: Inode = { seen: new Content(bytes), kept: new Content(bytes), unsynced: [], hasFailed: false };
    this.#seenNames.set(path, inode);
    this.#keptNames.set(path, inode);
  }

  /** One bit rots on the medium. */
  flipBit(path: string, bit: number): void {
    const inode = this.#seenNames.get(path);
    inode?.seen.flip(bit);
    inode?.kept.flip(bit);
  }

  async makeFolder(_folder: string): Promise<void> {
    this.#operate();
  }

  async list(folder: string): Promise<string[]> {
    this.#operate();
    const prefix = `${folder}/`;
    return [...this.#seenNames.keys()]
      .filter((path) => path.startsWith(prefix))
      .map((path) => path.slice(prefix.length));
  }

  async open(path: string, mode: 'existing' | 'create'): Promise<FaultyFile> {
    this.#operate();
    const inode = this.#seenNames.get(path) ?? (mode === 'create' ? this.#create(path) : null);
    if (inode === null) throw failure('ENOENT', `no such file, open '${path}'`);
    return this.#handle(inode, this.#life);
  }

  async rename(from: string, to: string): Promise<void> {
    this.#operate();
    if (!this.#seenNames.has(from)) throw failure('ENOENT', `no such file, rename '${from}'`);
    this.#changeNames({ kind: 'rename', from, to });
  }

  async remove(path: string): Promise<void> {
    this.#operate();
    if (this.#seenNames.has(path)) this.#changeNames({ kind: 'unlink', path });
  }

  async syncFolder(_folder: string): Promise<void> {
    this.#operate();
    this.#spendSync();
    for (const change of this.#nameChanges) rename(this.#keptNames, change);
    this.#nameChanges = [];
  }

  async space(_folder: string): Promise<{ freeBytes: number; totalBytes: number }> {
    this.#operate();
    const totalBytes = Math.min(this.capacityBytes, Number.MAX_SAFE_INTEGER);
    return { freeBytes: Math.max(0, totalBytes - this.#usedBytes()), totalBytes };
  }

  #create(path: string): Inode {
    const inode: Inode = { seen: new Content(), kept: new Content(), unsynced: [], hasFailed: false };
    this.#changeNames({ kind: 'link', path, inode });
    return inode;
  }

  #changeNames(change: NameChange): void {
    rename(this.#seenNames, change);
    this.#nameChanges.push(change);
  }

  #handle(inode: Inode, life: number): FaultyFile {
    const operate = (): void => {
      if (life !== this.#life) throw failure('EIO', 'the power was gone');
      this.#operate();
    };
    return {
      size: async () => {
        operate();
        return inode.seen.length;
      },
      read: async (into, position) => {
        operate();
        return inode.seen.read(into, position);
      },
      write: async (bytes, position) => {
        operate();
        this.#write(inode, bytes, position);
      },
      sync: async () => {
        operate();
        this.#sync(inode);
      },
      truncate: async (length) => {
        operate();
        this.#change(inode, { kind: 'truncate', length });
      },
      close: async () => undefined,
    };
  }

  #write(inode: Inode, bytes: Uint8Array, at: number): void {
    if (this.writesLeft <= 0) throw failure('EIO', 'input/output error, write');
    this.writesLeft -= 1;
    const free = this.capacityBytes - this.#usedBytes();
    const fits = Math.max(0, Math.min(bytes.length, Math.max(inode.seen.length, inode.seen.length + free) - at));
    const written = Math.min(fits, this.bytesLeft);
    this.bytesLeft -= written;
    this.writtenBytes += written;
    if (written > 0) this.#change(inode, { kind: 'write', at, bytes: new Uint8Array(bytes.subarray(0, written)) });
    if (written < fits) this.#losePower();
    if (fits < bytes.length) throw failure('ENOSPC', 'no space left on device, write');
  }

  #change(inode: Inode, change: FileChange): void {
    apply(inode.seen, change);
    inode.unsynced.push(change);
  }

  #sync(inode: Inode): void {
    try {
      this.#spendSync();
    } catch (error) {
      for (const change of inode.unsynced) this.#keepWholeSectors(inode.kept, change);
      inode.hasFailed = true;
      inode.unsynced = [];
      throw error;
    }
    for (const change of inode.unsynced) apply(inode.kept, change);
    inode.unsynced = [];
  }

  #spendSync(): void {
    this.syncsLeft -= 1;
    if (this.syncsLeft >= 0) return;
    this.syncsLeft = Number.POSITIVE_INFINITY;
    throw failure('EIO', 'input/output error, fsync');
  }

  #operate(): void {
    if (!this.#hasPower) throw failure('EIO', 'the power is gone');
    if (this.operationsLeft <= 0) this.#losePower();
    this.operationsLeft -= 1;
    this.operations += 1;
  }

  #losePower(): never {
    this.#hasPower = false;
    throw failure('EIO', 'the power is gone');
  }

  #usedBytes(): number {
    if (this.capacityBytes === Number.POSITIVE_INFINITY) return 0;
    let used = 0;
    for (const inode of new Set(this.#seenNames.values())) used += inode.seen.length;
    return used;
  }

  #keepSome(kept: Content, change: FileChange, survival: Survival): void {
    const fate = survival === 'some' ? this.#draw(4) : survival === 'all' ? 1 : 0;
    if (fate === 0) return;
    if (fate === 1 || change.kind === 'truncate') apply(kept, change);
    else if (fate === 2)
      apply(kept, { ...change, bytes: change.bytes.subarray(0, this.#draw(change.bytes.length + 1)) });
    else this.#keepSectors(kept, change.at, change.bytes);
  }

  /** A system that gives up on a write gives up on whole sectors; only the power tears within one. */
  #keepWholeSectors(kept: Content, change: FileChange): void {
    if (change.kind === 'write') this.#keepSectors(kept, change.at, change.bytes);
    else if (this.#draw(2) === 0) apply(kept, change);
  }

  #keepSectors(kept: Content, at: number, bytes: Uint8Array): void {
    for (let from = 0; from < bytes.length; ) {
      const to = Math.min(bytes.length, from + SECTOR_BYTES - ((at + from) % SECTOR_BYTES));
      if (this.#draw(2) === 0) kept.write(bytes.subarray(from, to), at + from);
      from = to;
    }
  }

  /** Names change in the order in which they were changed, so a crash loses the last of the changes. */
  #surviving<Change>(changes: readonly Change[], survival: Survival): readonly Change[] {
    if (survival === 'some') return changes.slice(0, this.#draw(changes.length + 1));
    return survival === 'all' ? changes : [];
  }

  #draw(below: number): number {
    this.#drawn += 1;
    return between(0, below - 1, this.#seed, this.#drawn);
  }
}

class Content {
  #bytes: Uint8Array;
  length: number;

  constructor(bytes: Uint8Array = new Uint8Array(0)) {
    this.#bytes = new Uint8Array(bytes);
    this.length = bytes.length;
  }

  copy(): Uint8Array {
    return this.#bytes.slice(0, this.length);
  }

  become(other: Content): void {
    this.#bytes = other.copy();
    this.length = other.length;
  }

  read(into: Uint8Array, at: number): number {
    const piece = this.#bytes.subarray(Math.min(at, this.length), Math.min(at + into.length, this.length));
    into.set(piece);
    return piece.length;
  }

  /** A hole before `at` reads as zeros. */
  write(bytes: Uint8Array, at: number): void {
    const end = at + bytes.length;
    if (end > this.#bytes.length) {
      const larger = new Uint8Array(Math.max(end, 2 * this.#bytes.length));
      larger.set(this.#bytes.subarray(0, this.length));
      this.#bytes = larger;
    }
    this.#bytes.set(bytes, at);
    this.length = Math.max(this.length, end);
  }

  truncate(length: number): void {
    if (length > this.length) this.write(new Uint8Array(length - this.length), this.length);
    this.#bytes.fill(0, length);
    this.length = length;
  }

  flip(bit: number): void {
    const at = bit >> 3;
    if (at < this.length) this.#bytes[at] = (this.#bytes[at] ?? 0) ^ (1 << (bit & 7));
  }
}

function apply(content: Content, change: FileChange): void {
  if (change.kind === 'write') content.write(change.bytes, change.at);
  else content.truncate(change.length);
}

function rename(names: Map<string, Inode>, change: NameChange): void {
  if (change.kind === 'link') names.set(change.path, change.inode);
  if (change.kind === 'unlink') names.delete(change.path);
  const moved = change.kind === 'rename' ? names.get(change.from) : undefined;
  if (change.kind !== 'rename' || moved === undefined) return;
  names.delete(change.from);
  names.set(change.to, moved);
}

function failure(code: string, message: string): Error {
  return Object.assign(new Error(`${code}: ${message}`), { code });
}
