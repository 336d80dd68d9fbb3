import type { HttpBindings } from '@hono/node-server';
import { OpenAPIHono } from '@hono/zod-openapi';
import type { Context, Hono } from 'hono';
import { HTTPException } from 'hono/http-exception';
import type { ArtefactView } from './api-schema.ts';
import type { Asset } from './bundle.ts';
import { createEventStreams, type EventStreams } from './event-stream.ts';
import { bodyGuard, hostGuard, securityHeaders } from './guard.ts';
import { failure, onInvalid, problem } from './problem.ts';
import {
  artefactRoute,
  clearingRoute,
  eventsRoute,
  intervalsRoute,
  ledgerRoute,
  memberRoute,
  membersRoute,
  nowRoute,
  tradesRoute,
  whyRoute,
} from './routes.ts';
import { mountSubmit, type SubmitSchemas } from './submit.ts';
import type { ApiViews } from './views.ts';

const BASE = '/api/v1';

export interface ApiOptions extends SubmitSchemas {
  /** The host that the server binds, and other names people reach it by. */
  readonly host: string;
  readonly hostNames?: readonly string[];
  /** The dashboard's files by path, `/` among them. None: the API alone. */
  readonly assets?: ReadonlyMap<string, Asset>;
  /** Tells this process from the one before it, so that readers notice a restart. Letters and digits. */
  readonly streamId: string;
  /** Told of every error that no Fault explains. */
  readonly onBug: (error: unknown) => void;
}

export interface Api {
  readonly fetch: (request: Request, env?: object) => Response | Promise<Response>;
  readonly document: () => object;
  readonly openStreams: () => number;
  /** Ends the event streams, so that the server can close. */
  readonly close: () => void;
}

/** The HTTP door: the engine's views under /api/v1, its events, orders in, and the dashboard. */
export function createApi<Message>(views: ApiViews<Message>, options: ApiOptions): Api {
  const app = new OpenAPIHono({ defaultHook: onInvalid });
  const streams = createEventStreams(views.events, options.streamId);
  app.use(securityHeaders(), hostGuard(options.host, options.hostNames ?? []), bodyGuard());
  const api = new OpenAPIHono({ defaultHook: onInvalid });
  mountReads(api, views);
  mountEvents(api, streams);
  mountSubmit(api, views, options);
  app.route(BASE, api);
  const document = () => describe(app);
  app.get(`${BASE}/openapi.json`, (context) => context.json(document()));
  for (const [path, asset] of options.assets ?? []) app.get(path, (context) => serveAsset(context, asset));
  app.notFound((context) => wrongMethodOrPath(app, context));
  app.onError((error) => answerError(error, options.onBug));
  return {
    fetch: (request, env = {}) => app.fetch(request, env),
    document,
    openStreams: streams.readers,
    close: streams.close,
  };
}

function mountReads<Message>(api: OpenAPIHono, views: ApiViews<Message>): void {
  api.openapi(nowRoute, async (context) => context.json(await views.now(), 200));
  api.openapi(clearingRoute, async (context) => {
    const clearing = await views.clearing(context.req.valid('query').interval);
    return clearing === null ? problem('not_cleared') : context.json(clearing, 200);
  });
  mountClearing(api, views);
  api.openapi(intervalsRoute, async (context) =>
    context.json([...(await views.intervals(context.req.valid('query').limit))], 200),
  );
  api.openapi(tradesRoute, async (context) =>
    context.json([...(await views.trades(context.req.valid('query').interval))], 200),
  );
  api.openapi(membersRoute, async (context) => context.json([...(await views.members())], 200));
  api.openapi(memberRoute, async (context) => {
    const statement = await views.member(context.req.valid('param').id);
    return statement === null ? problem('unknown_member') : context.json(statement, 200);
  });
  api.openapi(ledgerRoute, async (context) => context.json(await views.ledger(), 200));
}

/** The market is sealed: before its gate there is nothing to see of a product. */
function mountClearing<Message>(api: OpenAPIHono, views: ApiViews<Message>): void {
  api.openapi(whyRoute, async (context) => {
    const found = await views.why(context.req.valid('param').interval, context.req.valid('query').member);
    if (found === null) return problem('not_cleared');
    return found === 'unknown_member' ? problem(found) : context.json(found, 200);
  });
  api.openapi(artefactRoute, async (context) => {
    const found = await views.artefact(context.req.valid('param').interval, context.req.valid('query').member);
    if (found === null) return problem('not_cleared');
    return found === 'unknown_member' ? problem(found) : context.json(found as ArtefactView, 200);
  });
}

function mountEvents(api: OpenAPIHono, streams: EventStreams): void {
  api.openapi(eventsRoute, (context) => {
    const lastEventId = context.req.header('last-event-id') ?? context.req.valid('query').lastEventId;
    const { outgoing } = context.env as Partial<HttpBindings>;
    const stream = streams.open(lastEventId, () => outgoing?.destroy());
    if (stream === null) return problem('too_many_streams', {}, { 'retry-after': '5' });
    return new Response(stream, {
      headers: { 'content-type': 'text/event-stream', 'cache-control': 'no-store', 'x-accel-buffering': 'no' },
    });
  });
}

function serveAsset(context: Context, asset: Asset): Response {
  const headers = { etag: asset.etag, 'cache-control': 'no-cache', vary: 'accept-encoding' };
  const known = (context.req.header('if-none-match') ?? '').split(',').map((tag) => tag.trim().replace(/^W\//, ''));
  if (known.includes(asset.etag)) return new Response(null, { status: 304, headers });
  const gzip = /\bgzip\b(?!\s*;\s*q=0(?:\.0*)?\s*(?:,|$))/i.test(context.req.header('accept-encoding') ?? '');
  const encoding: Record<string, string> = gzip ? { 'content-encoding': 'gzip' } : {};
  return new Response(gzip ? asset.gzip : asset.body, {
    headers: { ...headers, 'content-type': asset.type, ...encoding },
  });
}

function wrongMethodOrPath(app: Hono, context: Context): Response {
  const methods = app.routes
    .filter(({ path, method }) => method !== 'ALL' && patternOf(path).test(context.req.path))
    .map(({ method }) => method);
  if (methods.length === 0) return problem('unknown_route');
  const allow = [...new Set(methods.flatMap((method) => (method === 'GET' ? ['GET', 'HEAD'] : [method])))].join(', ');
  return problem('method_not_allowed', {}, { allow });
}

function patternOf(path: string): RegExp {
  const escaped = path.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');
  return new RegExp(`^${escaped.replace(/:[a-z]+/g, '[^/]+')}$`);
}

function answerError(error: unknown, onBug: (error: unknown) => void): Response {
  if (error instanceof HTTPException && error.status === 400) return problem('invalid_json');
  const response = failure(error);
  if (response.status === 500) onBug(error);
  return response;
}

function describe(app: OpenAPIHono): object {
  return app.getOpenAPI31Document({
    openapi: '3.1.0',
    info: {
      title: 'energy-logic',
      version: '1',
      description:
        'One energy market: what happens now, how it cleared, who traded, what each member owes, what the ledger holds. ' +
        'Money and prices are decimal strings, energies integer Wh, powers integer W, instants epoch ms UTC.',
      license: { name: 'Apache-2.0' },
    },
  });
}
