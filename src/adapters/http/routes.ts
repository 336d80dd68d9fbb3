import { createRoute, z } from '@hono/zod-openapi';
import { isIdentifier } from '../../domain/units/identity.ts';
import {
  artefactView,
  clearingView,
  intervalView,
  ledgerView,
  memberView,
  nowView,
  problemView,
  statementView,
  tradeView,
  whyView,
} from './api-schema.ts';
import type { MessageSchema } from './views.ts';

const DEFAULT_INTERVALS = 96;
const MAX_INTERVALS = 3000;

const wholeNumber = (text: string) => Number(text);
const instantText = z
  .string()
  .regex(/^\d{1,15}$/, 'not an instant in epoch ms')
  .transform(wholeNumber)
  .openapi({ type: 'integer', description: 'Start of a delivery interval, epoch ms', example: 1_782_032_400_000 });
const limitText = z
  .string()
  .regex(/^\d{1,4}$/, 'not a whole number')
  .transform(wholeNumber)
  .refine((limit) => limit >= 1 && limit <= MAX_INTERVALS, `not between 1 and ${MAX_INTERVALS}`)
  .optional()
  .transform((limit) => limit ?? DEFAULT_INTERVALS)
  .openapi({ type: 'integer', minimum: 1, maximum: MAX_INTERVALS, default: DEFAULT_INTERVALS });
const member = z.string().refine(isIdentifier, 'not an identifier').openapi({ example: 'home-01' });
const ofInterval = z.strictObject({ interval: instantText.optional() });
const problemAnswer = {
  description: 'Why not (RFC 9457)',
  content: { 'application/problem+json': { schema: problemView } },
};

export const nowRoute = read('/now', 'The street at this moment', nowView, z.strictObject({}));
export const clearingRoute = read(
  '/clearing',
  'How one product was cleared: the latest, or one',
  clearingView,
  ofInterval,
);
export const intervalsRoute = read(
  '/intervals',
  'The latest intervals, oldest first',
  z.array(intervalView),
  z.strictObject({ limit: limitText }),
);
export const tradesRoute = read(
  '/trades',
  'The trades of one interval: the latest, or one',
  z.array(tradeView),
  ofInterval,
);
export const membersRoute = read('/members', 'Every account since the start', z.array(memberView), z.strictObject({}));
export const ledgerRoute = read('/ledger', 'The ledger and its last entries', ledgerView, z.strictObject({}));

export const memberRoute = createRoute({
  method: 'get',
  path: '/members/{id}',
  summary: 'One account, line by line',
  request: { params: z.object({ id: z.string().openapi({ example: 'home-01' }) }) },
  responses: { 200: answer('The statement', statementView), default: problemAnswer },
});

export const whyRoute = ofOneClearing(
  '/clearing/{interval}/why',
  'Why the price: the curves, the levels that had to be shared, and what became of the orders of `member`',
  whyView,
);
export const artefactRoute = ofOneClearing(
  '/clearing/{interval}/artefact',
  'What the signed root of one clearing was made of, to be replayed; with `member`, what that member may see',
  artefactView,
);

export const eventsRoute = createRoute({
  method: 'get',
  path: '/events',
  summary: 'Server-sent events: `now` once a second, `clearing`, `interval`; `gap` where some were lost to the reader',
  request: {
    headers: z.object({ 'last-event-id': z.string().optional() }),
    query: z.strictObject({ lastEventId: z.string().max(64).optional() }),
  },
  responses: {
    200: { description: 'A stream without end', content: { 'text/event-stream': { schema: z.string() } } },
    default: problemAnswer,
  },
});

/** A token, bare or, as the draft of the header's standard writes it, in double quotes. */
const idempotencyKey = z
  .string()
  .regex(/^(?:"[!#-[\]-~]{1,64}"|[!#-[\]-~]{1,64})$/, 'not 1 to 64 visible ASCII characters without quotes')
  .optional()
  .openapi({
    description:
      'Names this request, so that it can be sent again: with the same body it gets the same answer, with another one ' +
      '`idempotency_key_reused`. The latest 10,000 keys are kept, for an hour at most, and never what a restart forgot; ' +
      'the number of the order itself keeps it from counting twice for as long as the market keeps it.',
    example: '"8e03978e-40d5-43e8-bc93-6894a57f9324"',
  });

const SUBMIT_SUMMARIES = {
  '/orders': 'Hands in a signed order',
  '/cancels': 'Withdraws an open order',
  '/batches': 'Hands in up to 64 orders and cancels under one signature; each is answered by itself',
} as const;

/** POST of the message of the bus, and the member that on the bus the topic names. */
export function submitRoute<Path extends keyof typeof SUBMIT_SUMMARIES, Taken extends z.ZodType>(
  path: Path,
  message: MessageSchema,
  taken: Taken,
) {
  return createRoute({
    method: 'post',
    path,
    summary: SUBMIT_SUMMARIES[path],
    request: {
      headers: z.object({ 'idempotency-key': idempotencyKey }),
      body: { required: true, content: { 'application/json': { schema: message.extend({ member }) } } },
    },
    responses: { 200: answer('Taken and journaled', taken), default: problemAnswer },
  });
}

function read<Path extends string, Answer extends z.ZodType, Query extends z.ZodObject>(
  path: Path,
  summary: string,
  schema: Answer,
  query: Query,
) {
  return createRoute({
    method: 'get',
    path,
    summary,
    request: { query },
    responses: { 200: answer(summary, schema), default: problemAnswer },
  });
}

function ofOneClearing<Path extends string, Answer extends z.ZodType>(path: Path, summary: string, schema: Answer) {
  return createRoute({
    method: 'get',
    path,
    summary,
    request: { params: z.object({ interval: instantText }), query: z.strictObject({ member: member.optional() }) },
    responses: { 200: answer(summary, schema), default: problemAnswer },
  });
}

function answer<Schema extends z.ZodType>(description: string, schema: Schema) {
  return { description, content: { 'application/json': { schema } } };
}
