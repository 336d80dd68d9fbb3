import { z } from 'zod';
import { keySource } from '../../adapters/keys/key-source.ts';
import { isIdentifier } from '../../domain/units/identity.ts';
import { INTERVAL_LENGTHS } from '../../domain/units/interval.ts';
import { parsePrice } from '../../domain/units/price.ts';

const id = z.string().refine(isIdentifier, 'use lower case letters, digits and -, at most 32');
const unit = z.int().min(0).max(255);
const price = z.union([z.number(), z.string()]).transform((value, context) => {
  const parsed = parsePrice(String(value));
  if (parsed === null) context.addIssue('not a price with at most six decimals');
  return parsed ?? z.NEVER;
});

/** One home's edge. Paths are relative to the folder the process runs in. */
export const gatewayConfig = z.strictObject({
  market: id,
  member: id,
  broker: z.string(),
  host_id: z.string().default('engine'),
  chain_id: z.int().positive().default(31337),
  interval: z.enum(['5m', '15m', '30m', '1h']).transform((text) => INTERVAL_LENGTHS[text]),
  gate_lead_s: z.int().min(0).default(300),
  timezone: z.string(),
  /** Where this home keeps what must survive a restart. */
  state: z.string().min(1),
  poll_ms: z.int().min(20).max(60_000).default(1000),
  modbus: z.strictObject({
    host: z.string(),
    port: z.int().min(1).max(65_535),
    timeout_ms: z.int().positive().default(1000),
    meter: z.strictObject({ unit }),
    inverter: z.strictObject({ unit }).optional(),
    battery: z.strictObject({ unit }).optional(),
  }),
  /** Absent: a meter that only measures, like the feeder's. */
  agent: z
    .strictObject({
      key: keySource,
      sell_at_least_per_kwh: price.optional(),
      buy_at_most_per_kwh: price.optional(),
      round_trip_efficiency: z.number().gt(0).max(1).default(0.9),
      sell_above_soc: z.number().min(0).max(1).optional(),
    })
    .optional(),
});

export type GatewayConfig = z.infer<typeof gatewayConfig>;
