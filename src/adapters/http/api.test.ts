import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { once } from 'node:events';
import { request } from 'node:http';
import { connect, type Socket } from 'node:net';
import { z } from '@hono/zod-openapi';
import { afterEach, describe, expect, test } from 'vitest';
import { createStreetFeed, type StreetFeed } from '../../../test/e2e/dashboard-feed.ts';
import { PRODUCT, ProofMarket, terms } from '../../../test/market-proof/proof-market.ts';
import { readArtefact } from '../../domain/proof/read-artefact.ts';
import type { MemberId } from '../../domain/units/identity.ts';
import type { EpochMs } from '../../domain/units/time.ts';
import { Fault } from '../../errors/fault.ts';
import { type Api, createApi } from './api.ts';
import {
  artefactView,
  clearingView,
  intervalView,
  ledgerView,
  memberView,
  nowView,
  statementView,
  tradeView,
  whyView,
} from './api-schema.ts';
import { type HttpServer, serveApi } from './serve.ts';
import type { ApiViews } from './views.ts';

/** The rules of the wire are tested with the wire; here any strict object will do. */
const orderSchema = z.strictObject({ kind: z.literal('order'), clientOrderId: z.int().min(0) });
const cancelSchema = z.strictObject({ kind: z.literal('cancel'), clientOrderId: z.int().min(0) });
const batchSchema = z.strictObject({ kind: z.literal('batch'), entries: z.array(cancelSchema).max(2) });

const opened: HttpServer[] = [];
afterEach(async () => {
  for (const server of opened.splice(0)) await server.close();
});

interface Street {
  readonly feed: StreetFeed;
  readonly api: Api;
  readonly server: HttpServer;
  readonly bugs: unknown[];
  get(path: string, init?: RequestInit): Promise<Response>;
  post(path: string, body: string, type?: string, headers?: Record<string, string>): Promise<Response>;
}

async function openStreet(change: Partial<ApiViews<{ kind: string }>> = {}, intervals = 6): Promise<Street> {
  const feed = createStreetFeed(intervals);
  const bugs: unknown[] = [];
  const options = {
    orderSchema,
    cancelSchema,
    batchSchema,
    host: '127.0.0.1',
    streamId: 't',
    onBug: (bug: unknown) => bugs.push(bug),
  };
  const api = createApi({ ...feed, ...change }, options);
  const server = await serveApi(api, { host: '127.0.0.1', port: 0 });
  opened.push(server);
  const get = (path: string, init?: RequestInit) => fetch(new URL(path, server.url), init);
  const post = (path: string, body: string, type = 'application/json', headers = {}) =>
    get(path, { method: 'POST', body, headers: { 'content-type': type, ...headers } });
  return { feed, api, server, bugs, get, post };
}

async function expectProblem(response: Response, status: number, code: string): Promise<Record<string, unknown>> {
  const body = (await response.json()) as Record<string, unknown>;
  expect({ status: response.status, code: body.code, type: response.headers.get('content-type') }).toEqual({
    status,
    code,
    type: 'application/problem+json',
  });
  expect(body.type).toBe(`urn:energy-logic:problem:${code.toLowerCase()}`);
  expect(response.headers.get('content-security-policy')).toContain("default-src 'none'");
  return body;
}

describe('what the API answers', () => {
  test('every view has the form that its schema promises', async () => {
    const { get } = await openStreet();
    const forms = [
      ['/api/v1/now', nowView],
      ['/api/v1/clearing', clearingView],
      ['/api/v1/intervals', z.array(intervalView)],
      ['/api/v1/trades', z.array(tradeView)],
      ['/api/v1/members', z.array(memberView)],
      ['/api/v1/members/home-01', statementView],
      ['/api/v1/ledger', ledgerView],
    ] as const;
    for (const [path, form] of forms) {
      const response = await get(path);
      expect(response.status, path).toBe(200);
      expect(response.headers.get('cache-control')).toBe('no-store');
      form.parse(await response.json());
    }
  });

  test('an interval is asked for by its start, and the latest intervals by their number', async () => {
    const { get, feed } = await openStreet();
    const first = feed.intervals(9)[0]?.interval ?? 0;
    expect(await (await get(`/api/v1/clearing?interval=${first}`)).json()).toEqual(feed.clearing(first));
    expect(await (await get(`/api/v1/trades?interval=${first}`)).json()).toEqual(feed.trades(first));
    expect(await (await get('/api/v1/intervals?limit=2')).json()).toEqual(feed.intervals(2));
  });

  test('why a price is what it is, in the form that its schema promises', async () => {
    const { get, feed } = await openStreet();
    const first = feed.intervals(9)[0]?.interval ?? 0;
    const answer = await (await get(`/api/v1/clearing/${first}/why?member=home-01`)).json();
    expect(whyView.parse(answer)).toMatchObject({ interval: first, member: 'home-01' });
  });

  test('an artefact, whole and as one member sees it', async () => {
    const market = new ProofMarket().start(terms(2), PRODUCT);
    market.order({ member: 0, clientOrderId: 1, side: 'sell', limit: 90_000, energy: 5 });
    await market.close();
    const { get } = await openStreet({
      artefact: (interval, id) => market.book.artefact(interval as EpochMs, (id as MemberId | undefined) ?? null),
    });
    for (const [query, viewer] of [['', null] as const, ['?member=home-01', 'home-01'] as const]) {
      const text = await (await get(`/api/v1/clearing/${PRODUCT}/artefact${query}`)).text();
      expect(readArtefact(text)).toEqual(await market.artefact(viewer as MemberId | null));
      expect(artefactView.parse(JSON.parse(text))).toEqual(JSON.parse(text));
    }
  });

  test('a HEAD request is answered without a body and opens no stream', async () => {
    const { get, api } = await openStreet();
    const response = await get('/api/v1/events', { method: 'HEAD' });
    expect(response.status).toBe(200);
    expect(api.openStreams()).toBe(0);
  });

  test('a market that has not cleared anything says so', async () => {
    const { get } = await openStreet({}, 0);
    await expectProblem(await get('/api/v1/clearing'), 404, 'not_cleared');
    expect(await (await get('/api/v1/trades')).json()).toEqual([]);
  });
});

describe('what the API refuses', () => {
  test.each([
    ['/api/v1/nothing', 404, 'unknown_route'],
    ['/nothing', 404, 'unknown_route'],
    ['/api/v1/members/nobody', 404, 'unknown_member'],
    ['/api/v1/clearing?interval=noon', 400, 'invalid_request'],
    ['/api/v1/clearing?interval=1', 404, 'not_cleared'],
    ['/api/v1/clearing/1/why', 404, 'not_cleared'],
    ['/api/v1/clearing/1/artefact', 404, 'not_cleared'],
    ['/api/v1/clearing/noon/artefact', 400, 'invalid_request'],
    ['/api/v1/clearing/1/artefact?member=Home/1', 400, 'invalid_request'],
    ['/api/v1/clearing/1/why?member=home-99', 404, 'unknown_member'],
    ['/api/v1/intervals?limit=0', 400, 'invalid_request'],
    ['/api/v1/intervals?limit=99999', 400, 'invalid_request'],
    ['/api/v1/now?later=1', 400, 'invalid_request'],
    ['/api/v1/../../etc/passwd', 404, 'unknown_route'],
    ['/api/v1/members/%E0%A4%A', 404, 'unknown_member'],
  ])('GET %s is %i %s', async (path, status, code) => {
    const { get } = await openStreet();
    await expectProblem(await get(path), status, code);
  });

  test('a wrong method names the right ones', async () => {
    const { get } = await openStreet();
    const response = await get('/api/v1/members/home-01', { method: 'DELETE' });
    await expectProblem(response, 405, 'method_not_allowed');
    expect(response.headers.get('allow')).toBe('GET, HEAD');
    const orders = await get('/api/v1/orders');
    expect(orders.headers.get('allow')).toBe('POST');
  });

  test('a body that is no JSON, another type, or wrong in places', async () => {
    const { post, feed } = await openStreet();
    await expectProblem(await post('/api/v1/orders', '{"kind":'), 400, 'invalid_json');
    await expectProblem(await post('/api/v1/orders', '{}', 'text/plain'), 415, 'not_json');
    const wrong = JSON.stringify({ kind: 'order', clientOrderId: -1, member: 'Home/1' });
    const { errors } = await expectProblem(await post('/api/v1/orders', wrong), 400, 'invalid_request');
    expect((errors as { pointer: string }[]).map(({ pointer }) => pointer).sort()).toEqual([
      '/clientOrderId',
      '/member',
    ]);
    const more = JSON.stringify({ kind: 'order', clientOrderId: 1, member: 'home-01', price: 1 });
    await expectProblem(await post('/api/v1/orders', more), 400, 'invalid_request');
    const cancel = JSON.stringify({ kind: 'cancel', clientOrderId: 1, member: 'home-01' });
    await expectProblem(await post('/api/v1/orders', cancel), 400, 'invalid_request');
    expect(feed.submitted).toEqual([]);
  });

  test('a body above 64 kB, and one of unknown length', async () => {
    const { post, server } = await openStreet();
    await expectProblem(await post('/api/v1/orders', `"${'x'.repeat(70_000)}"`), 413, 'body_too_large');
    const headers = { 'content-type': 'application/json', 'transfer-encoding': 'chunked' };
    const chunked = request(new URL('/api/v1/orders', server.url), { method: 'POST', headers });
    for (let count = 0; count < 40; count += 1) chunked.write('x'.repeat(4096));
    chunked.end();
    const [response] = await once(chunked, 'response');
    expect(response.statusCode).toBe(411);
    response.destroy();
  });

  test.each([
    ['evil.example', 421],
    ['evil.example:8080', 421],
    ['192.168.1.9', 421],
    ['localhost.evil.example', 421],
    ['localhost:1', 200],
    ['street.localhost', 200],
    ['[::1]:8080', 200],
  ])('Host %s is %i', async (host, status) => {
    const { server } = await openStreet();
    const call = request(new URL('/api/v1/now', server.url), { headers: { host } }).end();
    const [response] = await once(call, 'response');
    response.resume();
    expect(response.statusCode).toBe(status);
    expect(response.headers['access-control-allow-origin']).toBeUndefined();
  });

  test('a Host header that is no host at all', async () => {
    const { server } = await openStreet();
    const socket = connect(server.port, '127.0.0.1');
    socket.end('GET /api/v1/now HTTP/1.1\r\nHost: <script>\r\nConnection: close\r\n\r\n');
    const chunks: Buffer[] = [];
    for await (const chunk of socket) chunks.push(chunk as Buffer);
    expect(Buffer.concat(chunks).toString()).toMatch(/^HTTP\/1.1 4\d\d /);
  });
});

describe('orders', () => {
  const order = { kind: 'order', clientOrderId: 5 };

  test('reach the engine with the member apart, and the verdict comes back', async () => {
    const { post, feed } = await openStreet();
    const response = await post('/api/v1/orders', JSON.stringify({ ...order, member: 'home-01' }));
    expect(await response.json()).toEqual({ ok: true, code: 'accepted', sequence: 7 });
    await post('/api/v1/cancels', JSON.stringify({ kind: 'cancel', clientOrderId: 5, member: 'home-01' }));
    expect(feed.submitted).toEqual([
      { member: 'home-01', message: order },
      { member: 'home-01', message: { kind: 'cancel', clientOrderId: 5 } },
    ]);
  });

  test.each([
    ['gate_closed', 422],
    ['exists_with_different_limit', 409],
  ])('a refusal %s is %i with the same code', async (code, status) => {
    const { post } = await openStreet({ submitOrder: async () => ({ ok: false, code }) });
    await expectProblem(await post('/api/v1/orders', JSON.stringify({ ...order, member: 'home-01' })), status, code);
  });

  test('a fault of the world is 503 with its code and remedy; a bug is 500, silent outside and told inside', async () => {
    const failing = async () => Promise.reject(new Fault('DISK_FULL', 'no room in /secret/path'));
    const faulty = await openStreet({ submitOrder: failing });
    const body = JSON.stringify({ ...order, member: 'home-01' });
    const answer = await expectProblem(await faulty.post('/api/v1/orders', body), 503, 'DISK_FULL');
    expect(JSON.stringify(answer)).not.toContain('/secret');
    const buggy = await openStreet({ now: () => Promise.reject(new Error('bug: secret')) });
    const silent = await expectProblem(await buggy.get('/api/v1/now'), 500, 'internal_error');
    expect(JSON.stringify(silent)).not.toContain('secret');
    expect(buggy.bugs).toHaveLength(1);
  });
});

describe('a batch', () => {
  const batch = { kind: 'batch', entries: [{ kind: 'cancel', clientOrderId: 5 }] };

  test('is answered entry by entry, with 200 although one was refused', async () => {
    const taken = { kind: 'order', product: 9, clientOrderId: 5, ok: true, code: 'accepted', sequence: 7 } as const;
    const refused = { kind: 'cancel', product: 9, clientOrderId: 6, ok: false, code: 'unknown_order' } as const;
    const submitted: unknown[] = [];
    const submitOrder = async (member: string, message: unknown) => {
      submitted.push([member, message]);
      return { ok: true, code: 'answered', entries: [taken, refused] };
    };
    const { post } = await openStreet({ submitOrder });
    const response = await post('/api/v1/batches', JSON.stringify({ ...batch, member: 'home-01' }));
    expect([response.status, await response.json()]).toEqual([200, [taken, refused]]);
    expect(submitted).toEqual([['home-01', batch]]);
  });

  test('with too many entries is no batch', async () => {
    const { post } = await openStreet();
    const entries = Array.from({ length: 3 }, () => batch.entries[0]);
    const body = JSON.stringify({ ...batch, entries, member: 'home-01' });
    await expectProblem(await post('/api/v1/batches', body), 400, 'invalid_request');
  });
});

describe('who is turned away', () => {
  test.each([
    ['rate_limited', 1201, '2'],
    ['queue_full', 1000, '1'],
    ['rate_limited', 0, '1'],
  ])('by %s hears 429 and when to come back', async (code, retryAfterMs, seconds) => {
    const { post } = await openStreet({ submitOrder: async () => ({ ok: false, code, retryAfterMs }) });
    const response = await post('/api/v1/orders', '{"kind":"order","clientOrderId":5,"member":"home-01"}');
    await expectProblem(response, 429, code);
    expect(response.headers.get('retry-after')).toBe(seconds);
  });
});

describe('an Idempotency-Key', () => {
  const body = (clientOrderId: number) => JSON.stringify({ kind: 'order', clientOrderId, member: 'home-01' });
  const send = (street: Street, clientOrderId: number, key: string) =>
    street.post('/api/v1/orders', body(clientOrderId), 'application/json', { 'idempotency-key': key });
  const answering = (verdicts: { ok: boolean; code: string }[]) => ({
    submitOrder: async () => verdicts.shift() ?? { ok: true, code: 'asked_too_often' },
  });

  test('repeats the first answer, good or bad, and does not ask the market again', async () => {
    const street = await openStreet(
      answering([
        { ok: true, code: 'accepted' },
        { ok: false, code: 'gate_closed' },
      ]),
    );
    for (const key of ['"k-1"', 'k-1']) expect(await (await send(street, 5, key)).json()).toMatchObject({ ok: true });
    for (const _ of [1, 2]) await expectProblem(await send(street, 6, 'k-2'), 422, 'gate_closed');
  });

  test('with another body is refused, on another path as well', async () => {
    const street = await openStreet(answering([{ ok: true, code: 'accepted' }]));
    await send(street, 5, 'k');
    await expectProblem(await send(street, 6, 'k'), 422, 'idempotency_key_reused');
    const cancel = '{"kind":"cancel","clientOrderId":5,"member":"home-01"}';
    const response = await street.post('/api/v1/cancels', cancel, 'application/json', { 'idempotency-key': 'k' });
    await expectProblem(response, 422, 'idempotency_key_reused');
  });

  test.each(['bad_signature', 'unknown_member', 'rate_limited', 'queue_full'])(
    'is not taken by a request that ended in %s',
    async (code) => {
      const street = await openStreet(
        answering([
          { ok: false, code },
          { ok: true, code: 'accepted' },
        ]),
      );
      expect((await send(street, 5, 'k')).ok).toBe(false);
      expect(await (await send(street, 6, 'k')).json()).toMatchObject({ code: 'accepted' });
    },
  );

  test.each(['""', 'a b', '"', 'x'.repeat(65), '"a\\"'])('%j is none', async (key) => {
    const street = await openStreet();
    await expectProblem(await send(street, 5, key), 400, 'invalid_request');
    expect(street.feed.submitted).toEqual([]);
  });
});

/** Node keeps this mark beside the option that it sets on the socket; the option itself cannot be asked for. */
function hasNoDelay(socket: object): boolean {
  const mark = Object.getOwnPropertySymbols(socket).find(({ description }) => description === 'kSetNoDelay');
  return mark !== undefined && Reflect.get(socket, mark) === true;
}

describe('the server', () => {
  test('sends at once: TCP_NODELAY is set on every accepted socket', async () => {
    const { get } = await openStreet();
    const accepted: object[] = [];
    const onRequest = (message: unknown) => accepted.push((message as { socket: Socket }).socket);
    subscribe('http.server.request.start', onRequest);
    await get('/api/v1/now');
    unsubscribe('http.server.request.start', onRequest);
    expect(accepted.map(hasNoDelay)).toEqual([true]);
  });

  test('streams events with ids, resumes after the last one, and ends the stream when it closes', async () => {
    const { get, feed, server } = await openStreet();
    feed.tick();
    const stream = await get('/api/v1/events', { headers: { 'last-event-id': 't-0' } });
    expect(stream.headers.get('content-type')).toBe('text/event-stream');
    const reader = (stream.body as ReadableStream<Uint8Array>).getReader();
    const first = new TextDecoder().decode((await reader.read()).value);
    expect(first).toContain('retry: 1000');
    const closed = server.close();
    opened.splice(opened.indexOf(server), 1);
    while (!(await reader.read()).done);
    await closed;
  });

  test('drops a reader that takes nothing, over a real socket', async () => {
    const { server, feed, api } = await openStreet();
    const socket = connect(server.port, '127.0.0.1');
    socket.write('GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await once(socket, 'readable');
    socket.pause();
    for (let count = 0; count < 40_000 && api.openStreams() > 0; count += 1) {
      feed.tick();
      if (count % 20 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
    expect(api.openStreams()).toBe(0);
    socket.destroy();
  });

  test('a taken port is a fault that names it', async () => {
    const { server, api } = await openStreet();
    await expect(serveApi(api, { host: '127.0.0.1', port: server.port })).rejects.toMatchObject({ code: 'PORT_TAKEN' });
    await expect(serveApi(api, { host: '203.0.113.1', port: 0 })).rejects.toMatchObject({ code: 'HOST_UNAVAILABLE' });
  });

  test('serves the OpenAPI document with every route in it', async () => {
    const { get } = await openStreet();
    const document = (await (await get('/api/v1/openapi.json')).json()) as { openapi: string; paths: object };
    expect(document.openapi).toBe('3.1.0');
    expect(Object.keys(document.paths).sort()).toEqual(
      [
        'batches',
        'cancels',
        'clearing',
        'clearing/{interval}/artefact',
        'clearing/{interval}/why',
        'events',
        'intervals',
        'ledger',
        'members',
        'members/{id}',
        'now',
        'orders',
        'trades',
      ].map((name) => `/api/v1/${name}`),
    );
  });
});
