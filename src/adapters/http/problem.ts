import type { Context, TypedResponse } from 'hono';
import { isFault } from '../../errors/fault.ts';
import type { ProblemView } from './api-schema.ts';

/** What the HTTP door answers where it says no. Codes are stable: clients branch on them, never on the title. */
const PROBLEMS = {
  invalid_json: [400, 'The body is not JSON.', 'Send one JSON object in UTF-8.'],
  invalid_request: [400, 'The request does not have the form that the route asks for.', 'See /api/v1/openapi.json.'],
  unknown_route: [404, 'There is nothing under this path.', 'See /api/v1/openapi.json.'],
  unknown_member: [404, 'No member has this id.', 'See /api/v1/members.'],
  not_cleared: [404, 'This interval has not been cleared.', 'An interval is cleared when its gate closes.'],
  method_not_allowed: [405, 'This path does not know the method.', 'The Allow header names the methods it knows.'],
  length_required: [411, 'The length of the body is not stated.', 'Send content-length instead of chunks.'],
  body_too_large: [413, 'The body is larger than 64 kB.', 'Send at most 64 orders at a time.'],
  not_json: [415, 'The body has another content type than application/json.', 'Set content-type: application/json.'],
  idempotency_key_reused: [
    422,
    'This Idempotency-Key was sent before, with another request.',
    'Choose a new key for a new request.',
  ],
  host_not_allowed: [421, 'The Host header names another server.', 'Use the address that the engine printed at start.'],
  rate_limited: [429, 'The member sent more than its share.', 'Wait as long as Retry-After says and send it again.'],
  queue_full: [429, 'Too many orders wait for their answer.', 'Wait as long as Retry-After says and send it again.'],
  internal_error: [500, 'The engine made a mistake.', 'Its log says more.'],
  too_many_streams: [503, 'Too many event streams are open.', 'Close one, or try again later.'],
} as const satisfies Record<string, readonly [status: number, title: string, hint: string]>;

type ProblemCode = keyof typeof PROBLEMS;
/** Typed as one of the statuses that a route's `default` answer covers. */
export type Problem = Response & TypedResponse<ProblemView, 500, 'json'>;
type Extra = Pick<ProblemView, 'detail' | 'errors'>;

export function problem(code: ProblemCode, extra: Extra = {}, headers: Readonly<Record<string, string>> = {}): Problem {
  const [status, title, hint] = PROBLEMS[code];
  return problemResponse({ type: typeOf(code), title, status, code, hint, ...extra }, headers);
}

/**
 * A market refusal: the request was understood and the answer is no. A conflict is an id that has other content. Who was
 * turned away before anybody looked is told when to come back.
 */
export function refusal({ code, retryAfterMs }: { readonly code: string; readonly retryAfterMs?: number }): Problem {
  if (code === 'rate_limited' || code === 'queue_full') {
    return problem(code, {}, { 'retry-after': `${Math.max(1, Math.ceil((retryAfterMs ?? 0) / 1000))}` });
  }
  const status = code.startsWith('exists_with_different') ? 409 : 422;
  return problemResponse({ type: typeOf(code), title: 'The market refused this.', status, code });
}

/** A Fault is the world's doing and says what to do; anything else is a bug, and its text stays inside. */
export function failure(error: unknown): Problem {
  if (!isFault(error)) return problem('internal_error');
  return problemResponse({
    type: typeOf(error.code.toLowerCase()),
    title: 'Something the engine depends on does not work.',
    status: 503,
    code: error.code,
    hint: error.remedy,
  });
}

interface Issue {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

/** The hook of every route: what was wrong, with a JSON pointer to each place. */
export function onInvalid(
  result: { success: true } | { success: false; error: { issues: readonly Issue[] } },
  _context: Context,
): Response | undefined {
  if (result.success) return undefined;
  const errors = result.error.issues.map(({ path, message }) => ({ pointer: pointerTo(path), detail: message }));
  return problem('invalid_request', { errors });
}

function pointerTo(path: readonly PropertyKey[]): string {
  return path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}

function typeOf(code: string): string {
  return `urn:energy-logic:problem:${code}`;
}

function problemResponse(body: ProblemView, headers: Readonly<Record<string, string>> = {}): Problem {
  const response = new Response(JSON.stringify(body), {
    status: body.status,
    headers: { 'content-type': 'application/problem+json', ...headers },
  });
  return response as Problem;
}
