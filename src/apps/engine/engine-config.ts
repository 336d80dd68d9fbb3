import { z } from 'zod';
import { keySource } from '../../adapters/keys/key-source.ts';
import type { MarketTerms } from '../../domain/engine/command.ts';
import { isIdentifier, type MarketId, type MemberId } from '../../domain/units/identity.ts';
import { INTERVAL_LENGTHS } from '../../domain/units/interval.ts';
import { watt } from '../../domain/units/power.ts';
import { parsePrice } from '../../domain/units/price.ts';
import { parseUtc } from '../../domain/units/time.ts';

const id = z.string().refine(isIdentifier, 'use lower case letters, digits and -, at most 32');
const price = z.union([z.number(), z.string()]).transform((value, context) => {
  const parsed = parsePrice(String(value));
  if (parsed === null) context.addIssue('not a price with at most six decimals');
  return parsed ?? z.NEVER;
});
const instant = z.string().transform((text, context) => {
  const parsed = parseUtc(text);
  if (parsed === null) context.addIssue('not an instant in UTC such as 2026-06-21T08:54Z');
  return parsed ?? z.NEVER;
});
const timezone = z.string().refine((name) => Intl.supportedValuesOf('timeZone').includes(name) || name === 'UTC', {
  error: 'not a time zone such as Europe/Berlin',
});
const address = z
  .string()
  .regex(/^0x[0-9a-fA-F]{40}$/, 'an account is 0x and 40 hex digits')
  .transform((text) => text.toLowerCase());
const port = z.int().min(0).max(65_535);
const watts = z
  .int()
  .min(0)
  .max(10_000_000)
  .transform((value) => watt(value));

/** The market engine. `/etc/energy-logic/engine.yaml` in production. */
export const engineConfig = z.strictObject({
  market: id,
  name: z.string().min(1),
  currency: z.string().regex(/^[A-Z]{3}$/, 'a currency has three capital letters'),
  timezone,
  interval: z.enum(['5m', '15m', '30m', '1h']),
  mechanism: z.enum(['call', 'mid-market', 'feed-in']).default('call'),
  rationing: z.enum(['pro-rata', 'price-time']).default('pro-rata'),
  tick: price.default(parsePrice('0.0001') ?? z.NEVER).refine((value) => value > 0, 'a tick is above zero'),
  look_ahead_s: z.int().positive().default(14_400),
  gate_lead_s: z.int().min(0).default(300),
  imbalance_weight: z.number().min(0).max(1).default(0.5),
  dispute_intervals: z.int().positive().default(96),
  tariff: z.strictObject({ import_per_kwh: price, export_per_kwh: price }),
  state: z.string().min(1),
  broker: z.string(),
  host_id: z.string().default('engine'),
  http: z.strictObject({
    host: z.string(),
    port,
    /** How many of the following ports to try where another program has it. */
    port_or_next: z.int().min(0).max(100).default(0),
    names: z.array(z.string()).default([]),
  }),
  ledger: z.strictObject({
    rpc: z.string(),
    chain_id: z.int().positive(),
    confirmations: z.int().positive().default(1),
    /** Our own child: a lost chain is settled anew instead of refused. */
    embedded: z.boolean().default(false),
    cache: z.string(),
  }),
  keys: keySource,
  /** Absent: the system clock. With `speed` market time begins at `start` and is simulated. */
  clock: z.strictObject({ speed: z.number().positive().max(1000), start: instant }).optional(),
  interlock: z.boolean().default(true),
  feeder: id,
  members: z
    .array(z.strictObject({ id, address, export_capability_w: watts, connection_w: watts }))
    .min(2)
    .max(1000),
});

export type EngineConfig = z.infer<typeof engineConfig>;

/** The journaled rules behind a configuration. */
export function marketTerms(config: EngineConfig): MarketTerms {
  return {
    market: config.market as MarketId,
    lengthMs: INTERVAL_LENGTHS[config.interval],
    mechanism: config.mechanism,
    rationing: config.rationing,
    tick: config.tick,
    lookAheadMs: config.look_ahead_s * 1000,
    gateLeadMs: config.gate_lead_s * 1000,
    imbalanceWeightPermille: Math.round(config.imbalance_weight * 1000),
    disputeIntervals: config.dispute_intervals,
    members: config.members.map((member) => ({
      id: member.id as MemberId,
      address: member.address,
      exportCapability: member.export_capability_w,
      connectionPower: member.connection_w,
    })),
  };
}
