import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { type Browser, chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { IntervalView, LedgerView, MemberView } from '../../src/adapters/http/api-schema.ts';
import { axeViolations, findChromium, overflow, shown } from './browser.ts';

/** The page in front of a whole living street: what it shows is what the terminal and the chain say. */

const WAIT = { timeout: 60_000, interval: 200 };
const executablePath = findChromium();
const START = fileURLToPath(new URL('../../bin/start.js', import.meta.url));

interface LiveStreet {
  readonly child: ChildProcess;
  readonly url: string;
  readonly told: IntervalView[];
}

async function startStreet(state: string): Promise<LiveStreet> {
  const args = [START, '--state', state, '--speed', '100', '--json'];
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const told: IntervalView[] = [];
  const lines = createInterface({ input: child.stdout });
  lines.on('line', (line) => {
    const view = JSON.parse(line);
    if (typeof view.interval === 'string') told.push({ ...view, interval: Date.parse(view.interval) });
  });
  await once(lines, 'line');
  const { url } = JSON.parse(await readFile(join(state, 'engine', 'endpoint.json'), 'utf8'));
  return { child, url, told };
}

describe.skipIf(executablePath === undefined)('the dashboard of a living street', () => {
  let browser: Browser;
  let state: string;
  let street: LiveStreet;

  beforeAll(async () => {
    if (executablePath === undefined) return;
    browser = await chromium.launch({ executablePath, headless: true });
    state = await mkdtemp(join(tmpdir(), 'street-'));
    street = await startStreet(state);
  });
  afterAll(async () => {
    if (executablePath === undefined) return;
    await browser.close();
    street.child.kill('SIGINT');
    await once(street.child, 'exit');
    await rm(state, { recursive: true });
  });

  const get = async <Value>(path: string): Promise<Value> =>
    (await (await fetch(`${street.url}api/v1/${path}`)).json()) as Value;

  test('shows the numbers of the terminal and the chain, fits a phone and is accessible', async () => {
    const page = await browser.newPage({ viewport: { width: 390, height: 844 }, locale: 'en-GB' });
    await page.goto(street.url);
    await page.waitForSelector('.contact-live', { timeout: 20_000 });
    const seen = street.told.length;
    await expect.poll(() => street.told.length, WAIT).toBeGreaterThan(seen);
    await expect
      .poll(async () => {
        const [members, ledger] = [await get<MemberView[]>('members'), await get<LedgerView>('ledger')];
        const onPage = [
          await shown(page, 'bill'),
          await shown(page, 'last-block'),
          await shown(page, 'settled-intervals'),
        ];
        const api = [
          members.map(({ bill }) => bill),
          [`${ledger.state.lastBlock}`],
          [`${ledger.state.settledIntervals}`],
        ];
        return JSON.stringify(onPage) === JSON.stringify(api);
      }, WAIT)
      .toBe(true);
    const last = street.told.at(-1);
    const entry = (await get<LedgerView>('ledger')).entries.find(({ interval }) => interval === last?.interval);
    expect(entry?.block).toBe(last?.settledBlock);
    expect(await shown(page, 'conservation-energy')).toEqual(['0']);
    expect(await shown(page, 'conservation-money')).toEqual(['0']);
    expect(await axeViolations(page)).toEqual([]);
    expect(await overflow(page)).toBe(0);
    await page.close();
  });
});
