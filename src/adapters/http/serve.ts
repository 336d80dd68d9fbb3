import { createServer, type Server } from 'node:http';
import { getRequestListener } from '@hono/node-server';
import { Fault } from '../../errors/fault.ts';
import type { Api } from './api.ts';
import { problem } from './problem.ts';

const HEADERS_TIMEOUT_MS = 10_000;
const REQUEST_TIMEOUT_MS = 30_000;
const CLOSE_GRACE_MS = 1000;
/** A connection becomes idle when its last answer has ended, which is after the close began. */
const SWEEP_MS = 20;

export interface HttpServer {
  readonly host: string;
  readonly port: number;
  /** What people type. */
  readonly url: string;
  /** Ends the event streams, lets running answers finish for a second, then cuts. */
  close(): Promise<void>;
}

/** Binds and serves. Port 0 takes a free one. @throws Fault PORT_TAKEN, PORT_FORBIDDEN or HOST_UNAVAILABLE */
export async function serveApi(api: Api, at: { readonly host: string; readonly port: number }): Promise<HttpServer> {
  const listener = getRequestListener(api.fetch, {
    overrideGlobalObjects: false,
    errorHandler: () => problem('invalid_request'),
  });
  const options = { noDelay: true, headersTimeout: HEADERS_TIMEOUT_MS, requestTimeout: REQUEST_TIMEOUT_MS };
  const server = createServer(options, (request, response) => void listener(request, response));
  await listen(server, at);
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : at.port;
  return { host: at.host, port, url: `http://${urlHost(at.host)}:${port}/`, close: () => close(server, api) };
}

function listen(server: Server, { host, port }: { readonly host: string; readonly port: number }): Promise<void> {
  return new Promise((resolve, reject) => {
    const onError = (error: Error) => reject(listenFault(error, host, port));
    server.once('error', onError);
    server.listen(port, host, () => {
      server.off('error', onError);
      resolve();
    });
  });
}

function listenFault(error: NodeJS.ErrnoException, host: string, port: number): Fault {
  const place = `${host}:${port}`;
  if (error.code === 'EADDRINUSE') return new Fault('PORT_TAKEN', `${place} is taken`, error);
  if (error.code === 'EACCES') return new Fault('PORT_FORBIDDEN', `${place} needs a privilege to bind`, error);
  return new Fault('HOST_UNAVAILABLE', `${place} cannot be bound: ${error.code ?? error.message}`, error);
}

async function close(server: Server, api: Api): Promise<void> {
  api.close();
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  const sweep = setInterval(() => server.closeIdleConnections(), SWEEP_MS);
  const cut = setTimeout(() => server.closeAllConnections(), CLOSE_GRACE_MS);
  await closed;
  clearInterval(sweep);
  clearTimeout(cut);
}

function urlHost(host: string): string {
  if (host === '0.0.0.0' || host === '::') return '127.0.0.1';
  return host.includes(':') ? `[${host}]` : host;
}
