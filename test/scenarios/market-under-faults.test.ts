import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { PLANTED_FAULTS } from './market-under-faults-planted.ts';
import { runSeed } from './market-under-faults-run.ts';

/** Seeds that once failed. They stay. */
const KEPT_SEEDS: readonly number[] = [];
/** More where there is time: MARKET_SEEDS=5000. One alone: MARKET_SEED=17. */
const SEEDS = Number(process.env.MARKET_SEEDS ?? 20);
const ONE = process.env.MARKET_SEED === undefined ? null : Number(process.env.MARKET_SEED);
const LONG_MS = 24 * 3_600_000;

/** What must have happened in a run that is worth its name. */
const OCCASIONS = [
  ...['answer: accepted', 'answer: exists', 'answer: cancelled', 'answer: exists_with_different_energy'],
  ...['answer: disk_full', 'answer: gate_closed', 'answer: self_cross', 'answer: exceeds_collateral'],
  ...['event: cleared', 'event: traded', 'event: settled', 'event: halted', 'event: terms_changed'],
  ...['crash: kill', 'crash: some', 'crash: none', 'failed: JOURNAL_CORRUPT', 'failed: JOURNAL_WRITE_FAILED'],
];

test(
  'whatever fails around it, the engine keeps what it acknowledged',
  async () => {
    const seeds = ONE === null ? [...KEPT_SEEDS, ...Array.from({ length: SEEDS }, (_, place) => place + 1)] : [ONE];
    const seen = new Set<string>();
    let [events, answers, lives] = [0, 0, 0];
    for (const seed of seeds) {
      const run = await runSeed(seed);
      events += run.events;
      answers += run.answers;
      lives += run.lives;
      for (const what of run.seen.keys()) seen.add(what);
    }
    console.log(`${seeds.length} seeds, ${events} events, ${answers} answers, ${lives} lives`);
    if (ONE === null) expect(OCCASIONS.filter((what) => !seen.has(what))).toEqual([]);
  },
  LONG_MS,
);

test.runIf(ONE === null)('a seed is one run, whenever it is run; another seed is another', async () => {
  const [first, second, other] = [await runSeed(3), await runSeed(3), await runSeed(4)];
  expect(second).toEqual(first);
  expect(other.hash).not.toBe(first.hash);
});

describe.runIf(ONE === null)('a fault that is planted', () => {
  const ROOT = fileURLToPath(new URL('../../', import.meta.url));
  const FOLDERS = ['src/domain', 'src/errors', 'src/sim', 'src/adapters/journal', 'src/apps/engine'];
  const OWN = ['engine', 'run', 'search'].map((part) => `test/scenarios/market-under-faults-${part}.ts`);
  const ENOUGH_SEEDS = 24;
  let copy: string;

  beforeAll(() => {
    copy = mkdtempSync(join(tmpdir(), 'market-under-faults-'));
    const filter = (source: string) => !source.endsWith('.test.ts');
    for (const path of [...FOLDERS, ...OWN]) cpSync(join(ROOT, path), join(copy, path), { recursive: true, filter });
    writeFileSync(join(copy, 'package.json'), '{ "type": "module" }');
  });
  afterAll(() => rmSync(copy, { recursive: true }));

  function search(seeds: number): { status: number | null; text: string } {
    const options = { encoding: 'utf8', timeout: 150_000 } as const;
    const { status, stdout, stderr } = spawnSync(process.execPath, [join(copy, OWN[2] ?? ''), String(seeds)], options);
    return { status, text: stdout + stderr };
  }

  test('is not there as long as nobody planted it', () => {
    expect(search(2)).toEqual({ status: 0, text: 'no problem in 2 seeds\n' });
  });

  test.each(PLANTED_FAULTS.map((fault) => [fault.name, fault] as const))('is found: %s', (_, { file, from, to }) => {
    const path = join(copy, file);
    const source = readFileSync(path, 'utf8');
    expect(source.split(from), `the text to change is there once: ${from}`).toHaveLength(2);
    try {
      writeFileSync(
        path,
        source.replace(from, () => to),
      );
      const { status, text } = search(ENOUGH_SEEDS);
      expect(text).toMatch(/^seed \d+: /);
      expect(status).toBe(1);
    } finally {
      writeFileSync(path, source);
    }
  });
});
