import { z } from 'zod';
import {
  brokerField,
  identifierField,
  intervalField,
  misalignment,
  priceField,
  timezoneField,
} from '../../adapters/config/fields.ts';
import { keySource } from '../../adapters/keys/key-source.ts';
import { INTERVAL_LENGTHS } from '../../domain/units/interval.ts';

const unit = z.int().min(0).max(255);

/** One home's edge. Paths are relative to the folder the process runs in. */
const gatewayFile = z.strictObject({
  market: identifierField,
  member: identifierField,
  broker: brokerField,
  host_id: z.string().default('engine'),
  chain_id: z.int().positive().default(31337),
  interval: intervalField,
  gate_lead_s: z.int().min(0).default(300),
  timezone: timezoneField,
  /** Where this home keeps what must survive a restart. */
  state: z.string().min(1),
  poll_ms: z.int().min(20).max(60_000).default(1000),
  /** What the connection can carry: a register that rises faster is not believed. 3 x 63 A by default. */
  connection_w: z.int().min(1).max(10_000_000).default(43_000),
  /** How long the meter may show the same registers before it catches up. */
  meter_refresh_s: z.int().min(0).max(3600).default(60),
  /** Readings for people. Absent: meter-sync.log in /var/log/energy-logic, or in `state` where that is not there. */
  meter_sync_log: z.string().min(1).optional(),
  modbus: z.strictObject({
    host: z.string().min(1),
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
      sell_at_least_per_kwh: priceField.optional(),
      buy_at_most_per_kwh: priceField.optional(),
      round_trip_efficiency: z.number().gt(0).max(1).default(0.9),
      sell_above_soc: z.number().min(0).max(1).optional(),
    })
    .optional(),
});

export const gatewayConfig = gatewayFile
  .superRefine(({ interval, timezone }, context) => {
    const problem = misalignment(interval, timezone);
    if (problem !== null) context.addIssue({ code: 'custom', path: ['interval'], message: problem });
  })
  .transform(({ interval, ...file }) => ({ ...file, interval: INTERVAL_LENGTHS[interval] }));

export type GatewayConfig = z.infer<typeof gatewayConfig>;
