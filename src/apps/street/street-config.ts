import { z } from 'zod';
import { isIdentifier, type MarketId, type MemberId } from '../../domain/units/identity.ts';
import { parseUtc } from '../../domain/units/time.ts';

const id = z.string().refine(isIdentifier, 'use lower case letters, digits and -, at most 32');
const instant = z.string().transform((text, context) => {
  const parsed = parseUtc(text);
  if (parsed === null) context.addIssue('not an instant in UTC such as 2026-06-21T08:54Z');
  return parsed ?? z.NEVER;
});

/** A simulated street: all of its homes' devices, gateways and relays in one process. */
export const streetConfig = z.strictObject({
  market: id.transform((text) => text as MarketId),
  feeder: id,
  homes: z.int().min(2).max(999),
  seed: z.int().min(0),
  broker: z.string(),
  chain_id: z.int().positive(),
  engine_public_key: z.string(),
  state: z.string().min(1),
  start: instant,
  speed: z.number().positive(),
  tick: z.int().positive(),
  interlock: z.boolean().default(true),
  grid_code: z.string(),
  host: z.string().default('127.0.0.1'),
  /** Planted for tests: the meter of that home shows so much more import than flowed, from the first delivery on. */
  meter_error: z.strictObject({ home: id.transform((text) => text as MemberId), wh: z.int() }).optional(),
});

export type StreetConfig = z.infer<typeof streetConfig>;
