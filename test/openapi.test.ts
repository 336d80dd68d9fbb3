import { readFile, writeFile } from 'node:fs/promises';
import { expect, test } from 'vitest';
import { createApi } from '../src/adapters/http/api.ts';
import { batchMessage, cancelMessage, orderMessage } from '../src/adapters/mqtt/wire.ts';
import { createStreetFeed } from './e2e/dashboard-feed.ts';

const DOCUMENT = new URL('../docs/reference/openapi.json', import.meta.url);

/** To renew the document: `UPDATE_OPENAPI=1 npx vitest run --project unit test/openapi.test.ts && npm run fix`. */
test('docs/reference/openapi.json is the document that the engine serves', async () => {
  const api = createApi(createStreetFeed(0), {
    orderSchema: orderMessage,
    cancelSchema: cancelMessage,
    batchSchema: batchMessage,
    host: 'localhost',
    streamId: 't',
    onBug: () => undefined,
  });
  const url = 'http://localhost/api/v1/openapi.json';
  const served: unknown = await (await api.fetch(new Request(url, { headers: { host: 'localhost' } }))).json();
  api.close();
  if (process.env.UPDATE_OPENAPI === '1') await writeFile(DOCUMENT, `${JSON.stringify(served, null, 2)}\n`);
  expect(JSON.parse(await readFile(DOCUMENT, 'utf8'))).toEqual(served);
});
