import { z } from 'zod';
import { brokerField, identifierField, instantField } from '../../adapters/config/fields.ts';
import { ed25519Verifier } from '../../adapters/keys/ed25519.ts';
import { GRID_CODES, gridCode } from '../../domain/grid/grid-codes.ts';
import type { MarketId, MemberId } from '../../domain/units/identity.ts';

/** A simulated street: all of its homes' devices, gateways and relays in one process. */
export const streetConfig = z
  .strictObject({
    market: identifierField.transform((text) => text as MarketId),
    feeder: identifierField,
    homes: z.int().min(2).max(999),
    seed: z.int().min(0),
    broker: brokerField,
    chain_id: z.int().positive(),
    engine_public_key: z
      .string()
      .refine((text) => ed25519Verifier(text) !== null, 'must be 0x and 64 lower-case hex digits'),
    state: z.string().min(1),
    start: instantField,
    speed: z.number().positive().max(1000),
    tick: z.int().positive(),
    interlock: z.boolean().default(true),
    grid_code: z.string().refine((name) => gridCode(name) !== null, {
      error: `must be one of ${GRID_CODES.map((code) => code.name).join(', ')}`,
    }),
    host: z.string().min(1).default('127.0.0.1'),
    /** Planted for tests: the meter of that home shows so much more import than flowed, from the first delivery on. */
    meter_error: z
      .strictObject({ home: identifierField.transform((text) => text as MemberId), wh: z.int() })
      .optional(),
  })
  .superRefine(({ homes, meter_error: planted }, context) => {
    if (planted === undefined || isHomeOf(planted.home, homes)) return;
    const message = `there is no "${planted.home}" among ${homes} homes`;
    context.addIssue({ code: 'custom', path: ['meter_error', 'home'], message });
  });

export type StreetConfig = z.infer<typeof streetConfig>;

function isHomeOf(home: string, homes: number): boolean {
  const number = Number(/^home-(\d+)$/.exec(home)?.[1] ?? 0);
  return number >= 1 && number <= homes;
}
