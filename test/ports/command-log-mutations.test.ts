import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { isFault } from '../../src/errors/fault.ts';
import { FaultyDisk } from '../../src/sim/faulty-disk.ts';
import { between, hash32 } from '../../src/sim/homes/prng.ts';
import { FOLDER, openOn, textsOf } from './command-log-bench.ts';

/** More where there is time: JOURNAL_MUTATIONS=1000000. */
const MUTATIONS = Number(process.env.JOURNAL_MUTATIONS ?? 200_000);
const FIXTURE = fileURLToPath(new URL('./fixtures/journal-v1/', import.meta.url));

/** A whole journal, and where the last frame of its last segment begins: what is cut there may have been torn. */
interface Sample {
  readonly files: ReadonlyMap<string, Uint8Array>;
  readonly texts: readonly string[];
  readonly last: string;
  readonly lastFrameAt: number;
}

function placed(files: ReadonlyMap<string, Uint8Array>): FaultyDisk {
  const disk = new FaultyDisk(1);
  for (const [path, bytes] of files) disk.place(path, bytes);
  return disk;
}

async function sampleOf(
  files: ReadonlyMap<string, Uint8Array>,
  groups: readonly (readonly string[])[],
): Promise<Sample> {
  const disk = placed(files);
  const log = await openOn(disk, { segmentBytes: 300, reserveBytes: 64 });
  let lastFrameAt = 0;
  for (const group of groups) {
    const [path = ''] = disk
      .paths()
      .filter((name) => name.includes('commands-'))
      .slice(-1);
    const before = disk.contentOf(path).length;
    await log.appendAll(group.map((text) => Buffer.from(text)));
    lastFrameAt = disk.paths().includes(path) ? before : 32;
  }
  const texts = await textsOf(log);
  await log.close();
  const names = disk.paths().filter((name) => name.includes('commands-'));
  const last = names.at(-1) ?? '';
  if (disk.contentOf(last).length <= lastFrameAt) lastFrameAt = 32;
  return { files: new Map(disk.paths().map((path) => [path, disk.contentOf(path)])), texts, last, lastFrameAt };
}

function formatOne(): Map<string, Uint8Array> {
  const path = (name: string): string => join(FOLDER, name.replace('.bin', '.log'));
  return new Map(readdirSync(FIXTURE).map((name) => [path(name), readFileSync(join(FIXTURE, name))]));
}

async function samples(): Promise<Sample[]> {
  const groups = Array.from({ length: 8 }, (_, group) =>
    Array.from({ length: 1 + (group % 3) }, (_, index) => `record ${group}-${index} ${'z'.repeat(group * 11)}`),
  );
  const mixed = await sampleOf(formatOne(), groups.slice(0, 3));
  const files = formatOne();
  const [last, bytes] = [...files].at(-1) ?? ['', new Uint8Array(0)];
  const old: Sample = { files, texts: mixed.texts.slice(0, 20), last, lastFrameAt: 0 };
  expect(bytes.length).toBe(22);
  return [await sampleOf(new Map(), groups), mixed, old, await sampleOf(new Map(), [['one'], ['two', 'three']])];
}

/** What a mutation did: the bytes, from where to where they changed, and whether it left something out. */
interface Mutation {
  readonly bytes: Uint8Array;
  readonly to: number;
  readonly lacks: boolean;
}

const KINDS = ['flip', 'overwrite', 'insert', 'delete', 'zero', 'truncate', 'repeat', 'append', 'swap'] as const;

/** Frames of format 1 have no number: whole ones that change places are the one thing that it cannot see. */
const BLIND_SPOTS_OF_FORMAT_1: readonly string[] = ['repeat', 'swap'];

/** Anything but zeros, which stand for what was never written. */
const NOISE = Buffer.from(Array.from({ length: 2000 }, (_, index) => 1 + (hash32(index) % 255)));

function mutate(bytes: Uint8Array, seed: number): Mutation {
  const draw = (lowest: number, highest: number, which: number): number => between(lowest, highest, seed, which);
  const drawn = KINDS[draw(0, KINDS.length - 1, 1)] ?? 'flip';
  const kind = bytes[0] === 1 && BLIND_SPOTS_OF_FORMAT_1.includes(drawn) ? 'flip' : drawn;
  const at = draw(0, Math.max(0, bytes.length - 1), 2);
  const to = Math.min(bytes.length, at + draw(1, [3, 40, 700][draw(0, 2, 4)] ?? 1, 3));
  const noise = Buffer.alloc(to - at, NOISE.subarray(hash32(seed, 5) % 1000));
  const changed = Buffer.from(bytes);
  const joined = (...parts: Uint8Array[]): Uint8Array => Buffer.concat(parts);
  const [head, piece, tail] = [changed.subarray(0, at), changed.subarray(at, to), changed.subarray(to)];
  switch (kind) {
    case 'flip':
      for (let n = draw(1, 3, 6); n > 0; n -= 1) {
        const bit = draw(0, Math.max(0, bytes.length * 8 - 1), 6 + n);
        changed[bit >> 3] = (changed[bit >> 3] ?? 0) ^ (1 << (bit & 7));
      }
      return { bytes: changed, to: bytes.length, lacks: false };
    case 'overwrite':
      return { bytes: joined(head, noise, tail), to, lacks: false };
    case 'insert':
      return { bytes: joined(head, noise, piece, tail), to: at, lacks: false };
    case 'delete':
      return { bytes: joined(head, tail), to, lacks: true };
    case 'zero':
      return { bytes: joined(head, Buffer.alloc(to - at), tail), to, lacks: true };
    case 'truncate':
      return { bytes: head, to: bytes.length, lacks: true };
    case 'repeat':
      return { bytes: joined(head, piece, piece, tail), to, lacks: false };
    case 'append':
      return { bytes: joined(changed, noise), to: bytes.length, lacks: false };
    default:
      return { bytes: joined(tail, piece, head), to: bytes.length, lacks: false };
  }
}

/** Null when the journal was refused. Every other failure than JOURNAL_CORRUPT is thrown. */
async function readMutated(sample: Sample, path: string, bytes: Uint8Array): Promise<string[] | null> {
  const disk = placed(sample.files);
  disk.place(path, bytes);
  try {
    const log = await openOn(disk, { segmentBytes: 300, reserveBytes: 64 });
    const texts = await textsOf(log);
    await log.append(Buffer.from('next'));
    await log.close();
    expect(await textsOf(log)).toEqual([...texts, 'next']);
    return texts;
  } catch (error) {
    if (isFault(error, 'JOURNAL_CORRUPT')) return null;
    throw error;
  }
}

function verdict(sample: Sample, path: string, mutation: Mutation, found: readonly string[]): string {
  if (found.some((text, index) => text !== sample.texts[index])) return 'altered';
  if (found.length === sample.texts.length) return 'whole';
  if (path !== sample.last) return 'missing';
  // In format 1 a length had no checksum of its own, so that a wrong one looks like the end of what was written.
  if (sample.lastFrameAt === 0) return 'cut';
  return mutation.lacks && mutation.to > sample.lastFrameAt ? 'cut' : 'missing';
}

test(`${MUTATIONS} mutated journals: read as written, cut where torn, or refused; nothing altered, nothing missing`, async () => {
  const all = await samples();
  const only = process.env.JOURNAL_MUTATION;
  const seen: Record<string, number> = {};
  let [memoryBytes, slowestMs] = [0, 0];
  for (let n = 0; n < MUTATIONS; n += 1) {
    const seed = only === undefined ? n : Number(only);
    const sample = all[hash32(seed, 0) % all.length] ?? all[0];
    const path = [...(sample?.files.keys() ?? [])][hash32(seed, 99) % (sample?.files.size ?? 1)];
    if (sample === undefined || path === undefined) throw new Error('no sample');
    const mutation = mutate(sample.files.get(path) ?? new Uint8Array(0), seed);
    const started = performance.now();
    const found = await readMutated(sample, path, mutation.bytes);
    slowestMs = Math.max(slowestMs, performance.now() - started);
    const outcome = found === null ? 'refused' : verdict(sample, path, mutation, found);
    seen[outcome] = (seen[outcome] ?? 0) + 1;
    if (outcome === 'altered' || outcome === 'missing') expect.fail(`JOURNAL_MUTATION=${seed}, ${path}: ${outcome}`);
    if (n === Math.floor(MUTATIONS / 4)) memoryBytes = process.memoryUsage().rss;
    if (only !== undefined) break;
  }
  const grownBytes = process.memoryUsage().rss - memoryBytes;
  if (process.env.JOURNAL_MUTATIONS !== undefined) console.log(JSON.stringify({ ...seen, slowestMs, grownBytes }));
  if (only !== undefined) return;
  for (const outcome of ['whole', 'refused', 'cut']) expect(seen[outcome], outcome).toBeGreaterThan(MUTATIONS / 50);
  expect(grownBytes).toBeLessThan(128 * 2 ** 20);
  expect(slowestMs).toBeLessThan(10_000);
}, 3_600_000);
