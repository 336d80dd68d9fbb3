import { isIP } from 'node:net';
import type { MiddlewareHandler } from 'hono';
import { problem } from './problem.ts';

const MAX_BODY_BYTES = 64 * 1024;

/** Nothing from outside, nothing inline, in nobody's frame. Set on every answer, errors included. */
const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  'content-security-policy': [
    "default-src 'none'",
    "script-src 'self'",
    "style-src 'self'",
    "img-src 'self'",
    "connect-src 'self'",
    "base-uri 'none'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; '),
  'cross-origin-opener-policy': 'same-origin',
  'cross-origin-resource-policy': 'same-origin',
  'permissions-policy': 'camera=(), geolocation=(), microphone=()',
  'referrer-policy': 'no-referrer',
  'x-content-type-options': 'nosniff',
  'x-frame-options': 'DENY',
};

export function securityHeaders(): MiddlewareHandler {
  return async (context, next) => {
    await next();
    for (const [name, value] of Object.entries(SECURITY_HEADERS)) context.res.headers.set(name, value);
    if (!context.res.headers.has('cache-control')) context.res.headers.set('cache-control', 'no-store');
  };
}

/**
 * DNS rebinding: a foreign page that makes its own name resolve to this machine still sends that name as Host. Allowed
 * are localhost, the bound host, the names given, and, bound to every interface, any IP address (no name, no rebinding).
 */
export function hostGuard(boundHost: string, names: readonly string[]): MiddlewareHandler {
  const allowed = new Set([boundHost, ...names].map((name) => name.toLowerCase()));
  const everyInterface = boundHost === '0.0.0.0' || boundHost === '::';
  return async (context, next) => {
    const host = hostnameOf(context.req.header('host') ?? '');
    const isAllowed = allowed.has(host) || isLocal(host) || (everyInterface && isIP(host) !== 0);
    return isAllowed ? next() : problem('host_not_allowed');
  };
}

/**
 * A body is judged by its headers before a byte of it is read: JSON, of a stated length, at most 64 kB. A foreign page
 * cannot send this content type without asking first, and is never allowed to (no CORS).
 */
export function bodyGuard(): MiddlewareHandler {
  return async (context, next) => {
    if (context.req.method !== 'POST') return next();
    if (!/^application\/json\s*(;|$)/i.test(context.req.header('content-type') ?? '')) return problem('not_json');
    const length = context.req.header('content-length');
    if (length === undefined) return problem('length_required');
    return Number(length) > MAX_BODY_BYTES ? problem('body_too_large') : next();
  };
}

function isLocal(host: string): boolean {
  return host === 'localhost' || host === '127.0.0.1' || host === '::1' || host.endsWith('.localhost');
}

/** Without port and brackets: `[::1]:8080` is `::1`. */
function hostnameOf(header: string): string {
  const match = /^(?:\[([0-9a-f:.]+)\]|([a-z0-9._-]+))(?::\d{1,5})?$/.exec(header.toLowerCase());
  return match?.[1] ?? match?.[2]?.replace(/\.$/, '') ?? '';
}
