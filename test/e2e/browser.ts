import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import type { Page } from 'playwright-core';

const candidates = [process.env.CHROMIUM_PATH, '/usr/bin/chromium-headless-shell', '/usr/bin/chromium'];

/** Debian's browser, or undefined after one plain line; in CI its absence is a failure. */
export function findChromium(): string | undefined {
  const path = candidates.find((each) => each !== undefined && existsSync(each));
  if (path !== undefined) return path;
  if (process.env.CI === 'true') throw new Error('no Chromium: install chromium-headless-shell or set CHROMIUM_PATH');
  console.warn('dashboard tests skipped: no Chromium (install chromium-headless-shell or set CHROMIUM_PATH)');
  return undefined;
}

/** What the page shows under each name, as the API sent it. */
export async function shown(page: Page, name: string): Promise<(string | null)[]> {
  return page.$$eval(`[data-name="${name}"]`, (elements) =>
    elements.map((element) => element.getAttribute('value') ?? element.getAttribute('data-value')),
  );
}

export async function axeViolations(page: Page): Promise<string[]> {
  const source = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
  const script = 'axe.run().then(({ violations }) => violations.map(({ id, nodes }) => id + " " + nodes[0].html))';
  return page.evaluate<string[]>(`${source};${script}`);
}

export const overflow = (page: Page): Promise<number> =>
  page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
