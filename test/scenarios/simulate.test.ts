import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { kpisOf, nano, PROJECT, simulate } from './simulate-command.ts';

const STREET = join(PROJECT, 'examples/street/community.yaml');
const folder = mkdtempSync(join(tmpdir(), 'energy-logic-simulate-'));
afterAll(() => {
  rmSync(folder, { recursive: true });
});

describe('the example street', () => {
  test('comes to its golden KPIs', async () => {
    const { seconds, ...kpis } = await kpisOf(STREET, '--forecast', 'yesterday');
    const golden: unknown = JSON.parse(readFileSync(join(PROJECT, 'examples/street/golden-kpis.json'), 'utf8'));
    expect(kpis).toEqual(golden);
    expect(seconds).toBeGreaterThan(0);
  });

  test('is what its script makes', () => {
    execFileSync(process.execPath, [join(PROJECT, 'scripts/make-example-street.ts'), folder]);
    for (const name of ['home-01.csv', 'home-04.csv', 'home-08.csv']) {
      expect(readFileSync(join(folder, name), 'utf8')).toBe(
        readFileSync(join(PROJECT, 'examples/street', name), 'utf8'),
      );
    }
  });

  test('under feed-in nothing is traded and nobody saves', async () => {
    const kpis = await kpisOf(STREET, '--mechanism', 'feed-in');
    expect(kpis.energy).toMatchObject({ tradedWh: 0, balancedWh: 0 });
    expect(kpis.bills).toMatchObject({ saving: '0', communityAccount: '0', losers: 0 });
    expect(kpis.price).toEqual({ mean: null, min: null, max: null });
  });

  test('without batteries no forecast changes what the community saves in all', async () => {
    const [perfect, yesterday] = await Promise.all(
      ['perfect', 'yesterday'].map((forecast) => kpisOf(STREET, '--no-battery', '--forecast', forecast)),
    );
    expect(perfect?.bills.communityAccount).toBe('0');
    expect(nano(yesterday?.bills.saving ?? '') + nano(yesterday?.bills.communityAccount ?? '')).toBe(
      nano(perfect?.bills.saving ?? '1'),
    );
  });

  test('its days are local: one day is 96 quarter-hours, and days add up to the fortnight', async () => {
    const run = (...days: string[]) => kpisOf(STREET, '--no-battery', '--forecast', 'perfect', ...days);
    const parts = await Promise.all([
      run('--from', '2025-06-09', '--to', '2025-06-10'),
      run('--from', '2025-06-10'),
      run('--from', '2025-06-09', '--to', '2025-06-23'),
    ]);
    expect(parts.map(({ intervals }) => intervals)).toEqual([96, 1248, 1344]);
    const [first, rest, all] = parts.map(({ bills }) => nano(bills.saving));
    expect((first ?? 0n) + (rest ?? 0n)).toBe(all);
  });

  test('for people it prints tables with what the forecast cost each member', async () => {
    const { code, stdout, stderr } = await simulate(STREET, '--forecast', 'yesterday');
    expect([code, stderr]).toEqual([0, '']);
    expect(stdout).toMatch(/self-sufficiency +\d+\.\d{3} % +\d+\.\d{3} %/);
    expect(stdout).toMatch(/member +alone +bill +bought +sold +shortfall +forecast cost/);
    expect(stdout).toMatch(/home-03 +31\.92 .* 0\.0 kWh +0\.0 kWh +3\.\d\d\n/);
    expect(stdout).toContain('Conservation: 0 Wh, 0 EUR');
  });
});

describe('other mechanisms', () => {
  test.each([['continuous'], ['fixed'], ['fixed', '--fixed-price', '0.21']])(
    '%s %s %s adds up and shares as much as the pool, for given dispatch',
    async (mechanism, ...more) => {
      const args = ['--no-battery', '--forecast', 'perfect', '--json'];
      const run = async (...chosen: string[]) => JSON.parse((await simulate(STREET, ...args, ...chosen)).stdout);
      const [kpis, pool] = [await run('--mechanism', mechanism, ...more), await run('--mechanism', 'mid-market')];
      expect(kpis.conservation).toEqual({ energyWh: '0', money: '0' });
      expect(kpis.energy.tradedWh).toBe(pool.energy.tradedWh);
      expect(kpis.bills.saving).toBe(pool.bills.saving);
    },
  );
});

describe('a stranger', () => {
  const REFUSED: [string, string[], number, RegExp][] = [
    ['who asks for help gets it', ['--help'], 0, /^Usage: simulate FILE\.yaml \[options\]/],
    ['who misspells an option', [STREET, '--mechanisn', 'call'], 2, /did you mean "--mechanism"\?/],
    ['who names no file', [], 2, /FILE\.yaml is missing/],
    ['who names an unknown mechanism', [STREET, '--mechanism', 'auction'], 2, /--mechanism must be one of call, /],
    ['who asks for agents to come', [STREET, '--agents', 'mpc'], 3, /^--agents mpc is not built yet\.$/m],
    [
      'who fixes a price for an auction',
      [STREET, '--fixed-price', '0.2'],
      2,
      /--fixed-price goes with --mechanism fixed/,
    ],
    [
      'who asks for days outside the data',
      [STREET, '--from', '2024-01-01'],
      2,
      /--from 2024-01-01 is outside the data: the profiles hold 2025-06-08T22:00Z to 2025-06-22T22:00Z/,
    ],
    [
      'who asks for days backwards',
      [STREET, '--from', '2025-06-12', '--to', '2025-06-11'],
      2,
      /must come after --from/,
    ],
    ['who gives no date', [STREET, '--from', '2025-02-30'], 2, /--from 2025-02-30 is no date like/],
    ['who names a file that is not there', [join(folder, 'none.yaml')], 2, /none\.yaml: cannot be read \(ENOENT\)/],
  ];
  test.each(REFUSED)('%s', async (_, args, code, message) => {
    const ran = await simulate(...args);
    expect(ran.code).toBe(code);
    expect(code === 0 ? ran.stdout : ran.stderr).toMatch(message);
  });

  test('with a broken profile is told the file, line and column', async () => {
    cpSync(join(PROJECT, 'examples/street'), join(folder, 'street'), { recursive: true });
    const profile = join(folder, 'street/home-03.csv');
    writeFileSync(profile, readFileSync(profile, 'utf8').replace(/,\d+,0\n/, ',-3,0\n'));
    const { code, stderr, stdout } = await simulate(join(folder, 'street/community.yaml'));
    expect([code, stdout]).toEqual([2, '']);
    expect(stderr).toMatch(/CONFIG_INVALID: .*home-03\.csv:2:19 consumption_wh: -3 is negative/);
  });

  test('who asks for supply: allocated is told that it is not built yet', async () => {
    const yaml = readFileSync(STREET, 'utf8').replace(/profile: /g, `profile: ${join(PROJECT, 'examples/street')}/`);
    writeFileSync(join(folder, 'allocated.yaml'), `${yaml}supply: allocated\n`);
    const { code, stderr } = await simulate(join(folder, 'allocated.yaml'));
    expect([code, stderr]).toEqual([3, 'supply: allocated is not built yet.\n']);
  });
});
