import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { z } from '@hono/zod-openapi';
import { expect, test } from 'vitest';
import { createStreetFeed } from '../../../test/e2e/dashboard-feed.ts';
import { createApi } from './api.ts';
import { bundleDashboard } from './bundle.ts';

const MAX_SCRIPT_BYTES = 60_000;

const schema = z.strictObject({ kind: z.string() });
const options = {
  orderSchema: schema,
  cancelSchema: schema,
  batchSchema: schema,
  host: 'localhost',
  streamId: 't',
  onBug: () => undefined,
};

test('bundles the dashboard into at most 60 kB of gzipped script, styles of the chart included', async () => {
  const assets = await bundleDashboard();
  expect([...assets.keys()].sort()).toEqual(['/', '/app.css', '/app.js', '/icon.svg', '/theme.js']);
  const scripts = [...assets].filter(([path]) => path.endsWith('.js')).map(([, { gzip }]) => gzip.length);
  expect(scripts.reduce((sum, bytes) => sum + bytes, 0)).toBeLessThanOrEqual(MAX_SCRIPT_BYTES);
  expect(new TextDecoder().decode(assets.get('/app.css')?.body)).toContain('.u-wrap');
});

test('the page asks for nothing from outside and has nothing inline', async () => {
  const assets = await bundleDashboard();
  const page = new TextDecoder().decode(assets.get('/')?.body);
  expect(page).not.toMatch(/https?:|<style|style=|\son\w+=|<script>/);
  for (const [path, { body }] of assets) {
    const text = new TextDecoder().decode(body).replaceAll(/http:\/\/www\.w3\.org\/[\w/]+/g, '');
    expect(text, path).not.toMatch(/https?:\/\//);
  }
});

test('an asset is sent compressed to who takes it, and not at all to who has it', async () => {
  const assets = await bundleDashboard();
  const { fetch, close } = createApi(createStreetFeed(1), { ...options, assets });
  const get = async (headers: Record<string, string>) =>
    fetch(new Request('http://localhost/app.js', { headers: { host: 'localhost', ...headers } }));
  const script = assets.get('/app.js');
  const plain = await get({});
  expect(plain.headers.get('content-encoding')).toBeNull();
  const zipped = await get({ 'accept-encoding': 'br, gzip;q=0.8' });
  expect(zipped.headers.get('content-encoding')).toBe('gzip');
  expect(gunzipSync(new Uint8Array(await zipped.arrayBuffer()))).toEqual(Buffer.from(await plain.arrayBuffer()));
  expect((await get({ 'accept-encoding': 'gzip;q=0' })).headers.get('content-encoding')).toBeNull();
  const known = await get({ 'if-none-match': `"other", ${script?.etag}` });
  expect([known.status, await known.text()]).toEqual([304, '']);
  close();
});

test('a dashboard that cannot be bundled is a fault that says where and why', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'dashboard-'));
  await expect(bundleDashboard(folder)).rejects.toMatchObject({ code: 'DASHBOARD_UNBUILDABLE' });
  await writeFile(join(folder, 'theme.ts'), '');
  await writeFile(join(folder, 'app.tsx'), 'const = 1;');
  await expect(bundleDashboard(folder)).rejects.toThrow(folder);
  await rm(folder, { recursive: true });
});
