import { once } from 'node:events';
import { mkdtemp } from 'node:fs/promises';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { createApi } from '../../src/adapters/http/api.ts';
import type { NowView } from '../../src/adapters/http/api-schema.ts';
import { type Asset, bundleDashboard } from '../../src/adapters/http/bundle.ts';
import { type HttpServer, serveApi } from '../../src/adapters/http/serve.ts';
import { batchMessage, cancelMessage, orderMessage } from '../../src/adapters/mqtt/wire.ts';
import { axeViolations, findChromium, overflow, shown } from './browser.ts';
import { createStreetFeed, type StreetFeed } from './dashboard-feed.ts';

/** The real server and the real page in a real browser; the market behind it is cleared and settled by the domain. */

const HEARTBEAT_MS = 250;
const WAIT = { timeout: 20_000 };
const executablePath = findChromium();

interface Street {
  readonly feed: StreetFeed;
  readonly url: string;
  readonly server: HttpServer;
  /** The engine falls silent without closing anything. */
  silence(): void;
  stop(): Promise<void>;
}

let browser: Browser;
let assets: ReadonlyMap<string, Asset>;
let screenshots: string;
const streets: Street[] = [];
const pages: Page[] = [];

async function openStreet(feed: StreetFeed, port = 0): Promise<Street> {
  const bugs: unknown[] = [];
  const api = createApi(feed, {
    orderSchema: orderMessage,
    cancelSchema: cancelMessage,
    batchSchema: batchMessage,
    host: '127.0.0.1',
    assets,
    streamId: `street${streets.length}`,
    onBug: (bug) => bugs.push(bug),
  });
  const server = await serveApi(api, { host: '127.0.0.1', port });
  const heart = setInterval(() => feed.tick(), HEARTBEAT_MS);
  const silence = () => clearInterval(heart);
  const stop = async () => {
    silence();
    await server.close();
    expect(bugs).toEqual([]);
  };
  const street = { feed, url: server.url, server, silence, stop };
  streets.push(street);
  return street;
}

async function openPage(street: Street, options: BrowserContextOptions = {}): Promise<Page> {
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 }, locale: 'en-GB', ...options });
  pages.push(page);
  await page.goto(street.url);
  await page.waitForSelector('.contact-live', WAIT);
  return page;
}

/** A wire between page and server that can be cut and mended. */
async function openLink(target: number) {
  const sockets = new Set<Socket>();
  let isWhole = true;
  const link = createServer((near) => {
    if (!isWhole) return void near.destroy();
    const far = connect(target, '127.0.0.1');
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(from);
      from.pipe(to);
      from.on('error', () => to.destroy());
      from.on('close', () => to.destroy());
    }
  });
  link.listen(0, '127.0.0.1');
  await once(link, 'listening');
  const address = link.address();
  const cut = () => {
    isWhole = false;
    for (const socket of sockets) socket.destroy();
  };
  const mend = () => {
    isWhole = true;
  };
  const close = async () => {
    cut();
    link.close();
    await once(link, 'close');
  };
  return { port: typeof address === 'object' && address !== null ? address.port : 0, cut, mend, close };
}

describe.skipIf(executablePath === undefined)('the dashboard', () => {
  beforeAll(async () => {
    if (executablePath === undefined) return;
    browser = await chromium.launch({ executablePath, headless: true });
    assets = await bundleDashboard();
    screenshots = await mkdtemp(join(tmpdir(), 'dashboard-'));
  });
  afterEach(async () => {
    for (const page of pages.splice(0)) await page.context().close();
    for (const street of streets.splice(0)) await street.stop();
  });
  afterAll(async () => {
    await browser?.close();
    if (screenshots !== undefined) console.info(`screenshots in ${screenshots}`);
  });

  describe.each([
    { width: 1280, height: 900, colorScheme: 'light' },
    { width: 1280, height: 900, colorScheme: 'dark' },
    { width: 390, height: 844, colorScheme: 'light' },
    { width: 390, height: 844, colorScheme: 'dark' },
  ] as const)('at $width x $height, $colorScheme', ({ width, height, colorScheme }) => {
    test('is whole, fits, is accessible, and asks for nothing from outside', async () => {
      const street = await openStreet(createStreetFeed(20));
      const page = await openPage(street, { viewport: { width, height }, colorScheme });
      const complaints: string[] = [];
      page.on('console', (message) => complaints.push(message.text()));
      page.on('pageerror', (error) => complaints.push(error.message));
      page.on('request', (request) => request.url().startsWith(street.url) || complaints.push(request.url()));
      await page.reload();
      await page.waitForSelector('.ribbons', WAIT);
      await page.waitForSelector('.u-wrap canvas', WAIT);
      await page.waitForSelector('.meeting', WAIT);
      expect(await page.$$eval('h2', (titles) => titles.length)).toBe(7);
      expect(await overflow(page)).toBe(0);
      expect(await axeViolations(page)).toEqual([]);
      await page.screenshot({ path: join(screenshots, `${width}-${colorScheme}.png`), fullPage: true });
      await page.$$eval('details', (all) => {
        for (const each of all) each.setAttribute('open', '');
      });
      expect(await overflow(page)).toBe(0);
      expect(await axeViolations(page)).toEqual([]);
      expect(complaints).toEqual([]);
    });
  });

  test('fits a phone of 360 pixels', async () => {
    const page = await openPage(await openStreet(createStreetFeed(20)), { viewport: { width: 360, height: 740 } });
    await page.waitForSelector('.ribbons', WAIT);
    expect(await overflow(page)).toBe(0);
  });

  test('shows the numbers of the API, to the last digit, in the words of the reader', async () => {
    const street = await openStreet(createStreetFeed(20));
    const page = await openPage(street);
    street.silence();
    street.feed.tick();
    const { feed } = street;
    const now = feed.now();
    const { flow } = now;
    const rows: [string, unknown[]][] = [
      ['price-now', [now.pricePerKwh]],
      ['clearing-price', [feed.clearing()?.pricePerKwh]],
      ['clearing-traded', [feed.clearing()?.tradedWh]],
      ['flow-sun', [flow.pvW]],
      ['flow-grid', [flow.gridW]],
      ['flow-battery', [flow.batteryW]],
      ['flow-home', [flow.loadW]],
      ['flow-neighbours', [flow.neighboursW]],
      ['home-power', now.homes.flatMap(({ powerW }) => powerW ?? [])],
      ['home-traded', now.homes.flatMap(({ tradedWh }) => (tradedWh === 0 ? [] : [tradedWh]))],
      ['bill', feed.members().map(({ bill }) => bill)],
      ['saving', feed.members().map(({ saving }) => saving)],
      ['settled-intervals', [now.ledger.settledIntervals]],
      ['last-block', [now.ledger.lastBlock]],
      ['community', [feed.ledger().community]],
      ['utility', [feed.ledger().utility]],
      ['conservation-energy', ['0']],
      ['conservation-money', ['0']],
    ];
    for (const [name, values] of rows) await expect.poll(() => shown(page, name), WAIT).toEqual(values.map(String));
    const [trade] = feed.trades();
    await page.click('.panel-trades summary');
    const cells = await page.$$eval('.panel-trades tbody tr:first-child td', (all) =>
      all.map((each) => each.textContent),
    );
    expect(cells.slice(0, 2)).toEqual([trade?.seller, trade?.buyer]);
    expect(cells[2]).toBe(`${((trade?.energyWh ?? 0) / 1000).toFixed(3)} kWh`);
    expect(await page.textContent('.clock-time')).toContain('10:5');
  });

  test('draws homes that are stale, offline or grid-only, with words', async () => {
    const page = await openPage(await openStreet(createStreetFeed(20)));
    const text = (home: string) => page.textContent(`[data-home="${home}"]`);
    expect(await text('home-07')).toContain('offline');
    expect(await text('home-09')).toContain('stale');
    expect(await text('home-09')).toContain('blink 5: meter');
    expect(await text('home-05')).toContain('open, grid-only');
    expect(await text('home-05')).toContain('blink 3: voltage');
    const ground = (home: string) =>
      page.$eval(`[data-home="${home}"]`, (element) => getComputedStyle(element).backgroundImage);
    expect(await ground('home-09')).toContain('gradient');
    expect(await ground('home-01')).toBe('none');
    expect(await page.textContent('.panel-power .note')).toContain('2 of 12 homes do not report');
  });

  test('follows the market: a new interval changes price, chart, trades, bills and ledger', async () => {
    const { feed, url, server } = await openStreet(createStreetFeed(8));
    const page = await openPage({ feed, url, server, silence: () => undefined, stop: async () => undefined });
    await page.waitForSelector('.ribbons', WAIT);
    feed.nextInterval();
    await expect.poll(() => shown(page, 'price-now'), WAIT).toEqual([feed.now().pricePerKwh]);
    await expect.poll(() => shown(page, 'bill'), WAIT).toEqual(feed.members().map(({ bill }) => bill));
    await expect.poll(() => shown(page, 'settled-intervals'), WAIT).toEqual(['8']);
    await expect.poll(() => page.textContent('.panel-trades .hint'), WAIT).toContain('08:00');
    await expect.poll(() => page.$$eval('.panel-history tbody tr', (rows) => rows.length), WAIT).toBe(8);
  });

  test('says since when there is no contact, keeps what it knows, and catches up with an engine that restarted', async () => {
    const street = await openStreet(createStreetFeed(8));
    const page = await openPage(street);
    await page.waitForSelector('.ribbons', WAIT);
    await street.stop();
    await page.waitForSelector('.banner', WAIT);
    expect(await page.textContent('.banner')).toMatch(/No contact with the engine since \d\d:\d\d:\d\d/);
    expect(await page.textContent('.contact')).toContain('No contact');
    expect(await shown(page, 'price-now')).toEqual([street.feed.now().pricePerKwh]);
    expect(await page.$eval('.panel', (panel) => getComputedStyle(panel).filter)).toBe('grayscale(1)');
    expect(await axeViolations(page)).toEqual([]);
    await page.screenshot({ path: join(screenshots, 'lost.png') });
    street.feed.nextInterval();
    await openStreet(street.feed, street.server.port);
    await page.waitForSelector('.contact-live', WAIT);
    await expect.poll(() => page.$$('.banner').then(({ length }) => length), WAIT).toBe(0);
    await expect.poll(() => shown(page, 'settled-intervals'), WAIT).toEqual(['8']);
    await expect.poll(() => page.$$eval('.panel-history tbody tr', (rows) => rows.length), WAIT).toBe(8);
  });

  test('resumes after the last event when only the connection broke', async () => {
    const street = await openStreet(createStreetFeed(8));
    const link = await openLink(street.server.port);
    const page = await openPage({ ...street, url: `http://127.0.0.1:${link.port}/` });
    await page.waitForSelector('.ribbons', WAIT);
    link.cut();
    street.feed.nextInterval();
    await page.waitForSelector('.banner', WAIT);
    const asked: string[] = [];
    page.on('request', (request) => asked.push(new URL(request.url()).pathname));
    link.mend();
    await page.waitForSelector('.contact-live', WAIT);
    await expect.poll(() => page.$$eval('.panel-history tbody tr', (rows) => rows.length), WAIT).toBe(8);
    await expect.poll(() => shown(page, 'bill'), WAIT).toEqual(street.feed.members().map(({ bill }) => bill));
    expect(asked).not.toContain('/api/v1/intervals');
    await link.close();
  });

  test('notices an engine that falls silent on an open connection', async () => {
    const street = await openStreet(createStreetFeed(8));
    const page = await openPage(street);
    street.silence();
    await page.waitForSelector('.banner', WAIT);
    street.feed.tick();
    await page.waitForSelector('.contact-live', WAIT);
  });

  test('a street that has not cleared anything yet is drawn as such', async () => {
    const page = await openPage(await openStreet(createStreetFeed(0)));
    await page.waitForSelector('.panel-clearing .empty', WAIT);
    expect(await page.$$eval('.empty', (all) => all.length)).toBe(4);
    expect(await page.textContent('.price-big')).toContain('no trade');
    expect(await axeViolations(page)).toEqual([]);
    await page.screenshot({ path: join(screenshots, 'empty.png'), fullPage: true });
  });

  test('a held clock, paper, an old tariff, a parked ledger and books that do not add up are all said', async () => {
    const trouble: Partial<NowView> = {
      heldFor: ['home-07'],
      mode: 'paper',
      interlock: false,
      tariffAgeMs: 5_400_000,
      ledger: { state: 'parked', pending: 3, lastBlock: 41, settledIntervals: 2 },
      conservation: { energyWh: '-1', money: '-0.0003' },
    };
    const page = await openPage(await openStreet(createStreetFeed(4, trouble)));
    expect(await page.textContent('.badges')).toMatch(/clock held for home-07.*60×.*paper.*no interlock/);
    expect(await page.textContent('.panel-price-now')).toContain('90 min old');
    expect(await page.textContent('.panel-ledger')).toContain('Settlements wait in the outbox');
    expect(await page.textContent('.seal-broken')).toMatch(/Does not add up.*-1 Wh.*-0\.0003 €/);
    expect(await axeViolations(page)).toEqual([]);
    await page.screenshot({ path: join(screenshots, 'trouble.png'), fullPage: true });
  });

  test('the reader chooses the colours and finds them again', async () => {
    const page = await openPage(await openStreet(createStreetFeed(4)), { colorScheme: 'light' });
    const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    const light = await ground();
    await page.click('button[aria-label="Switch to dark colours"]');
    const dark = await ground();
    expect(dark).not.toBe(light);
    await page.reload();
    await page.waitForSelector('button[aria-label="Switch to light colours"]', WAIT);
    expect(await ground()).toBe(dark);
  });

  test('nothing moves for a reader who does not want motion', async () => {
    const page = await openPage(await openStreet(createStreetFeed(20)), { reducedMotion: 'reduce' });
    await page.waitForSelector('.flow', WAIT);
    expect(await page.evaluate(() => document.getAnimations().length)).toBe(0);
    expect(await page.$$eval('.edge-arrow', (arrows) => arrows.length)).toBeGreaterThan(0);
  });
});
