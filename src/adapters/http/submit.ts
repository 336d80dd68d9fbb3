import { type OpenAPIHono, z } from '@hono/zod-openapi';
import { entryVerdictView, verdictView } from './api-schema.ts';
import { IdempotencyKeys, type KeptAnswer } from './idempotency.ts';
import { type Problem, problem, refusal } from './problem.ts';
import { submitRoute } from './routes.ts';
import type { ApiViews, MessageSchema, Verdict } from './views.ts';

export interface SubmitSchemas {
  /** The wire schemas of the messages. */
  readonly orderSchema: MessageSchema;
  readonly cancelSchema: MessageSchema;
  readonly batchSchema: MessageSchema;
}

/** Nobody has proven to be the member: neither is the key taken, nor may a later request get this answer. */
const UNVERIFIED: ReadonlySet<string> = new Set(['bad_signature', 'unknown_member', 'rate_limited', 'queue_full']);

/** POST /orders, /cancels and /batches. */
export function mountSubmit<Message>(api: OpenAPIHono, views: ApiViews<Message>, schemas: SubmitSchemas): void {
  const keys = new IdempotencyKeys(() => performance.now());
  const routes = [
    submitRoute('/orders', schemas.orderSchema, verdictView),
    submitRoute('/cancels', schemas.cancelSchema, verdictView),
    submitRoute('/batches', schemas.batchSchema, z.array(entryVerdictView)),
  ];
  for (const route of routes) {
    api.openapi(route, async (context) => {
      const { member: id, ...message } = context.req.valid('json');
      const key = context.req.valid('header')['idempotency-key'];
      const member = String(id);
      const request = JSON.stringify([route.path, message]);
      const known = key === undefined ? null : keys.find(member, key, request);
      if (known !== null) return known === 'idempotency_key_reused' ? problem(known) : replay(known);
      const verdict = await views.submitOrder(member, message as Message);
      const response = answerOf(verdict);
      if (key === undefined || UNVERIFIED.has(verdict.code)) return response;
      keys.keep(member, key, request, await copyOf(response));
      return response;
    });
  }
}

/** Good answers and bad ones, old and new, are typed as what the routes' default answer covers. */
function answerOf(verdict: Verdict): Problem {
  if (!verdict.ok) return refusal(verdict);
  const { entries, code, sequence } = verdict;
  const taken = entries ?? { ok: true, code, ...(sequence === undefined ? {} : { sequence }) };
  return Response.json(taken) as Problem;
}

async function copyOf(response: Response): Promise<KeptAnswer> {
  const headers = { 'content-type': response.headers.get('content-type') ?? '' };
  return { status: response.status, headers, body: await response.clone().text() };
}

function replay({ status, headers, body }: KeptAnswer): Problem {
  return new Response(body, { status, headers }) as Problem;
}
