import { type JournalFile, readBytes } from './journal-disk.ts';

const CHUNK_BYTES = 2 ** 20;

/** Reads a file forward, a chunk at a time. Every chunk is memory of its own, so what was given out stays as it was. */
export class SegmentBytes {
  readonly #file: JournalFile;
  readonly size: number;
  #chunk: Buffer = Buffer.alloc(0);
  #chunkAt = 0;

  /** Only the first `size` bytes are there for the reader. */
  constructor(file: JournalFile, size: number) {
    this.#file = file;
    this.size = size;
  }

  /** The bytes from `at`, fewer than `length` only at the end of the file. */
  async from(at: number, length: number): Promise<Buffer> {
    const wanted = Math.max(0, Math.min(length, this.size - at));
    const offset = at - this.#chunkAt;
    if (offset < 0 || offset + wanted > this.#chunk.length) {
      await this.#load(at, Math.min(Math.max(wanted, CHUNK_BYTES), this.size - at));
      return this.#chunk.subarray(0, wanted);
    }
    return this.#chunk.subarray(offset, offset + wanted);
  }

  /** The rest of the file from `at`, in pieces that overlap by `overlap` bytes. */
  async *rest(at: number, overlap: number): AsyncGenerator<{ at: number; bytes: Buffer }> {
    for (let next = at; next < this.size; next += CHUNK_BYTES - overlap) {
      yield { at: next, bytes: await this.from(next, CHUNK_BYTES) };
      if (next + CHUNK_BYTES >= this.size) return;
    }
  }

  async #load(at: number, length: number): Promise<void> {
    this.#chunk = await readBytes(this.#file, at, length);
    this.#chunkAt = at;
  }
}
