import { createRoute, z } from '@hono/zod-openapi';
import { isIdentifier } from '../../domain/units/identity.ts';
import {
  clearingView,
  intervalView,
  ledgerView,
  memberView,
  nowView,
  problemView,
  statementView,
  tradeView,
  verdictView,
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

/** POST /orders and /cancels: the message of the bus, and the member that on the bus the topic names. */
export function submitRoute(path: '/orders' | '/cancels', message: MessageSchema) {
  const member = z.string().refine(isIdentifier, 'not an identifier').openapi({ example: 'home-01' });
  return createRoute({
    method: 'post',
    path,
    summary: path === '/orders' ? 'Hands in a signed order' : 'Withdraws an open order',
    request: { body: { required: true, content: { 'application/json': { schema: message.extend({ member }) } } } },
    responses: { 200: answer('Taken and journaled', verdictView), default: problemAnswer },
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

function answer<Schema extends z.ZodType>(description: string, schema: Schema) {
  return { description, content: { 'application/json': { schema } } };
}
