import { z } from 'zod';
import { keySource } from '../../adapters/keys/key-source.ts';
import type { MarketTerms } from '../../domain/engine/command.ts';
import { isIdentifier, type MarketId, type MemberId } from '../../domain/units/identity.ts';
import { INTERVAL_LENGTHS } from '../../domain/units/interval.ts';
import { watt } from '../../domain/units/power.ts';
import { parsePrice } from '../../domain/units/price.ts';
import { parseUtc } from '../../domain/units/time.ts';

const address = z
  .string()
  .regex(/^0x[0-9a-fA-F]{40}$/, 'must be an account: 0x and 40 hex digits, in quotes')
  .transform((text) => text.toLowerCase());
const port = z.int().min(0).max(65_535);
const watts = z
  .int()
  .min(0)
  .max(10_000_000)
  .transform((value) => watt(value));

/** The market engine. `/etc/energy-logic/engine.yaml` in production. */
const engineFile = z.strictObject({
  market: identifierField,
  name: z.string().min(1),
  currency: currencyField,
  timezone: timezoneField,
  interval: intervalField,
  mechanism: z.enum(['call', 'mid-market', 'feed-in']).default('call'),
  rationing: z.enum(['pro-rata', 'price-time']).default('pro-rata'),
  tick: priceField.default(pricePerKwh(100)).refine((value) => value > 0, 'must be more than 0'),
  look_ahead_s: z.int().positive().default(14_400),
  gate_lead_s: z.int().min(0).default(300),
  imbalance_weight: z.number().min(0).max(1).default(0.5),
  dispute_intervals: z.int().positive().default(96),
  tariff: z.strictObject({ import_per_kwh: priceField, export_per_kwh: priceField }),
  state: z.string().min(1),
  broker: brokerField,
  host_id: z.string().default('engine'),
  http: z.strictObject({
    host: z.string().min(1),
    port,
    /** How many of the following ports to try where another program has it. */
    port_or_next: z.int().min(0).max(100).default(0),
    names: z.array(z.string()).default([]),
  }),
  ledger: z.strictObject({
    rpc: z.url({ protocol: /^https?$/, error: 'must be http://host:port' }),
    chain_id: z.int().positive(),
    confirmations: z.int().positive().default(1),
    /** Our own child: a lost chain is settled anew instead of refused. */
    embedded: z.boolean().default(false),
    cache: z.string().min(1),
  }),
  keys: keySource,
  /** Absent: the system clock. With `speed` market time begins at `start` and is simulated. */
  clock: z.strictObject({ speed: z.number().positive().max(1000), start: instantField }).optional(),
  interlock: z.boolean().default(true),
  feeder: identifierField,
  members: z
    .array(z.strictObject({ id: identifierField, address, export_capability_w: watts, connection_w: watts }))
    .min(2)
    .max(1000),
});

/** What no key can say alone. Each complaint stands where the correction goes. */
export const engineConfig = engineFile.superRefine((file, context) => {
  const complain = (path: PropertyKey[], message: string | null) => {
    if (message !== null) context.addIssue({ code: 'custom', path, message });
  };
  const inMembers = { ...context, addIssue: (issue: object) => context.addIssue(within('members', issue)) };
  complain(['interval'], misalignment(file.interval, file.timezone));
  complain(...scheduleProblem(file));
  complain(['tick'], tickProblem(file));
  refuseTwins(file.members, 'id', inMembers as z.RefinementCtx);
  refuseTwins(file.members, 'address', inMembers as z.RefinementCtx);
  const namesake = file.members.findIndex(({ id }) => id === file.feeder);
  if (namesake !== -1) complain(['members', namesake, 'id'], `"${file.feeder}" is the name of the feeder meter`);
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
