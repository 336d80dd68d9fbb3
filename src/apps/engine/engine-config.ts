import { z } from 'zod';
import {
  brokerField,
  currencyField,
  identifierField,
  instantField,
  intervalField,
  misalignment,
  moneyField,
  priceField,
  refuseTwins,
  timezoneField,
} from '../../adapters/config/fields.ts';
import { keySource } from '../../adapters/keys/key-source.ts';
import type { MarketTerms } from '../../domain/engine/command.ts';
import type { MarketId, MemberId } from '../../domain/units/identity.ts';
import { INTERVAL_LENGTHS } from '../../domain/units/interval.ts';
import { watt } from '../../domain/units/power.ts';
import { pricePerKwh } from '../../domain/units/price.ts';
import { priceBand } from '../../domain/units/tariff.ts';
import { DEFAULT_ADMISSION } from './admission.ts';

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

/** A batch has to fit into every queue. */
const LARGEST_BATCH = 64;

/** The market engine. `/etc/energy-logic/engine.yaml` in production. */
const engineFile = z.strictObject({
  market: identifierField,
  name: z.string().min(1),
  currency: currencyField,
  timezone: timezoneField,
  interval: intervalField,
  mechanism: z.enum(['call', 'continuous', 'mid-market', 'fixed', 'feed-in']).default('call'),
  rationing: z.enum(['pro-rata', 'price-time']).default('pro-rata'),
  tick: priceField.default(pricePerKwh(100)).refine((value) => value > 0, 'must be more than 0'),
  look_ahead_s: z.int().positive().default(14_400),
  gate_lead_s: z.int().min(0).default(300),
  imbalance_weight: z.number().min(0).max(1).default(0.5),
  dispute_intervals: z.int().positive().default(96),
  /** Under `fixed`; absent: the middle between the tariffs. */
  fixed_price_per_kwh: priceField.optional(),
  supply: z.enum(['single', 'allocated']).default('single'),
  /** Above the import price, for energy that was sold and by the member's own doing not delivered. */
  penalty_per_kwh: priceField.default(pricePerKwh(0)).refine((value) => value >= 0, 'must not be negative'),
  /** Parts of the feeder, each with the grid fee of a buyer there. */
  zones: z
    .array(z.strictObject({ id: identifierField, fee_per_kwh: priceField }))
    .max(16)
    .default([]),
  /** How much may flow from one zone into another; between others nothing flows. */
  zone_limits: z.array(z.strictObject({ from: identifierField, to: identifierField, limit_w: watts })).default([]),
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
  /** What is taken of one member, and how much may wait for an answer: of one member and of all. */
  orders: z
    .strictObject({
      per_second: z.number().positive().default(DEFAULT_ADMISSION.ratePerSecond),
      burst: z.int().min(LARGEST_BATCH).default(DEFAULT_ADMISSION.burst),
      member_queue: z.int().min(LARGEST_BATCH).default(DEFAULT_ADMISSION.memberQueue),
      queue: z.int().min(LARGEST_BATCH).default(DEFAULT_ADMISSION.queue),
    })
    .prefault({}),
  /** Where late acknowledgements and peers are logged; absent: the log folder of the system, or the state folder. */
  market_err: z.string().min(1).optional(),
  /** Absent: the system clock. With `speed` market time begins at `start` and is simulated. */
  clock: z.strictObject({ speed: z.number().positive().max(1000), start: instantField }).optional(),
  interlock: z.boolean().default(true),
  feeder: identifierField,
  /** A halted market, or member, places no orders; withdrawals, gates and settlement go on. Takes effect at the start. */
  halted: z.boolean().default(false),
  members: z
    .array(
      z.strictObject({
        ...{ id: identifierField, address, export_capability_w: watts, connection_w: watts },
        ...{ collateral: moneyField.optional(), owner: identifierField.optional(), zone: identifierField.optional() },
        halted: z.boolean().default(false),
      }),
    )
    .min(2)
    .max(10_000)
    .superRefine((members, context) => {
      refuseTwins(members, 'id', context);
      refuseTwins(members, 'address', context);
    }),
});

type EngineFile = z.infer<typeof engineFile>;
type Complaint = readonly [path: PropertyKey[], message: string];

/** The whole file. What no key can say alone is refused where its correction goes. */
export const engineConfig = engineFile.superRefine((file, context) => {
  const complaints = [
    ...alignmentProblem(file),
    ...scheduleProblem(file),
    ...tickProblem(file),
    ...zoneProblems(file),
    ...feederProblem(file),
  ];
  for (const [path, message] of complaints) context.addIssue({ code: 'custom', path, message });
});

function alignmentProblem({ interval, timezone }: EngineFile): Complaint[] {
  const problem = misalignment(interval, timezone);
  return problem === null ? [] : [[['interval'], problem]];
}

/** Products open at interval boundaries, so the look-ahead has to reach over the gate of the next one. */
function scheduleProblem({ interval, look_ahead_s: lookAhead, gate_lead_s: gateLead }: EngineFile): Complaint[] {
  const length = INTERVAL_LENGTHS[interval] / 1000;
  const least = (Math.floor(gateLead / length) + 1) * length;
  if (lookAhead >= least) return [];
  if (gateLead >= lookAhead) {
    return [[['gate_lead_s'], `must be less than look_ahead_s, ${lookAhead}: a product opens before its gate closes`]];
  }
  const why = `products open when an interval of ${interval} begins, before their gate closes`;
  return [[['look_ahead_s'], `must be at least ${least}: ${why}`]];
}

const MOST_TICKS = 65_536;

/** An inverted tariff is no mistake of the file: its products do not open, and energy is settled at the tariff. */
function tickProblem({ tick, tariff, zones }: EngineFile): Complaint[] {
  const { import_per_kwh: importPrice, export_per_kwh: exportPrice } = tariff;
  if (importPrice <= exportPrice || tick <= 0) return [];
  if (priceBand({ importPrice, exportPrice }, tick) === 'tariff_inverted') {
    return [[['tick'], 'is too coarse: no multiple of it lies between the two tariffs']];
  }
  const fees = zones.map(({ fee_per_kwh: fee }) => fee);
  const ticks = Math.floor((importPrice - exportPrice + Math.max(0, ...fees)) / tick);
  return ticks < MOST_TICKS
    ? []
    : [[['tick'], `is too fine: ${ticks} prices lie between the tariffs, at most 65535 may`]];
}

function zoneProblems({ zones, zone_limits: limits, members, mechanism }: EngineFile): Complaint[] {
  const ids = zones.map(({ id }) => id);
  const complaints: Complaint[] = [];
  const known = (id: string, path: PropertyKey[]) => {
    if (!ids.includes(id)) complaints.push([path, `"${id}" is not among the zones`]);
  };
  zones.forEach(({ id, fee_per_kwh: fee }, place) => {
    if (ids.indexOf(id) !== place) complaints.push([['zones', place, 'id'], `"${id}" is there twice`]);
    if (fee < 0) complaints.push([['zones', place, 'fee_per_kwh'], 'must not be negative']);
  });
  limits.forEach(({ from, to }, place) => {
    known(from, ['zone_limits', place, 'from']);
    known(to, ['zone_limits', place, 'to']);
  });
  if (limits.length > 0 && mechanism !== 'call')
    complaints.push([['zone_limits'], 'only the call auction knows limits']);
  members.forEach(({ zone }, place) => {
    if (zone !== undefined) known(zone, ['members', place, 'zone']);
    else if (zones.length > 0) complaints.push([['members', place], 'must name its zone']);
  });
  return complaints;
}

function feederProblem({ feeder, members }: EngineFile): Complaint[] {
  const namesake = members.findIndex(({ id }) => id === feeder);
  return namesake === -1 ? [] : [[['members', namesake, 'id'], `"${feeder}" is the name of the feeder meter`]];
}

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
      ...(member.collateral === undefined ? {} : { collateral: member.collateral }),
      ...(member.owner === undefined ? {} : { owner: member.owner }),
      ...(member.zone === undefined ? {} : { zone: member.zone }),
    })),
    ...rarerTerms(config),
  };
}

/** Left out where they are as they always were, so that a market that does not use them keeps its terms. */
function rarerTerms(config: EngineConfig): Partial<MarketTerms> {
  const { zones, zone_limits: limits, penalty_per_kwh: penalty, fixed_price_per_kwh: fixedPrice, supply } = config;
  return {
    ...(zones.length === 0 ? {} : { zones: zones.map(({ id, fee_per_kwh: fee }) => ({ id, fee })) }),
    ...(limits.length === 0 ? {} : { zoneLimits: limits.map(({ from, to, limit_w: limit }) => ({ from, to, limit })) }),
    ...(penalty === 0 ? {} : { penalty }),
    ...(fixedPrice === undefined ? {} : { fixedPrice }),
    ...(supply === 'single' ? {} : { supply }),
  };
}

/**
 * What the ledger contract does not take yet: it moves one price, of at most 1,000 members, and neither fees nor
 * penalties. Such a market runs as `paper`. Null: nothing.
 */
export function ledgerProblem(config: EngineConfig): string | null {
  const { mechanism, supply, zones, penalty_per_kwh: penalty, members } = config;
  const why = 'the ledger does not take that yet; run it with --mode paper';
  if (mechanism === 'continuous') return `mechanism: continuous has a price for every trade, and ${why}`;
  if (supply === 'allocated') return `supply: allocated leaves the rest to other contracts, and ${why}`;
  if (zones.length > 0) return `zones: have grid fees and prices of their own, and ${why}`;
  if (penalty > 0) return `penalty_per_kwh: is paid to the community, and ${why}`;
  return members.length > 1000 ? `members: are ${members.length}, more than 1000 in one interval, and ${why}` : null;
}
