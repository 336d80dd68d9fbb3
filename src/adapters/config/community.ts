import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { z } from 'zod';
import { type Battery, oneWayEfficiencyPpm } from '../../domain/dispatch/battery-rule.ts';
import type { PricePreference } from '../../domain/dispatch/rule-agent.ts';
import { type Wh, wh } from '../../domain/units/energy.ts';
import type { MemberId } from '../../domain/units/identity.ts';
import { INTERVAL_LENGTHS, type IntervalLengthMs } from '../../domain/units/interval.ts';
import { watt } from '../../domain/units/power.ts';
import type { PricePerKwh } from '../../domain/units/price.ts';
import type { Tariff } from '../../domain/units/tariff.ts';
import { type EpochMs, epochMs, formatUtc } from '../../domain/units/time.ts';
import { Fault } from '../../errors/fault.ts';
import { currencyField, identifierField, intervalField, priceField, refuseTwins, timezoneField } from './fields.ts';
import type { InstantCache } from './interval-csv.ts';
import { parseYaml, readText, yamlPlace } from './load-yaml.ts';
import { type Profile, readProfile } from './profile-csv.ts';
import { INVERTED_TARIFF, readTariffSeries } from './tariff-csv.ts';

export interface CommunityMember {
  readonly id: MemberId;
  /** All profiles of a community start and end together. With `ignore_generation` its generation is zero. */
  readonly profile: Profile;
  readonly peakW: number | null;
  readonly battery: Battery | null;
  /** Inside the battery at the start, Wh. */
  readonly initialStored: Wh;
  readonly preference: PricePreference;
}

/** A community file and everything it names, checked. */
export interface Community {
  readonly name: string;
  readonly lengthMs: IntervalLengthMs;
  readonly timezone: string;
  readonly currency: string;
  readonly supply: 'single' | 'allocated';
  readonly location: { readonly latitude: number; readonly longitude: number } | null;
  readonly start: EpochMs;
  readonly intervals: number;
  readonly tariffAt: (interval: number) => Tariff;
  readonly members: readonly CommunityMember[];
}

const share = z.number().min(0).max(1);

const batterySchema = z.strictObject({
  capacity_wh: z.int().positive(),
  power_w: z.int().positive(),
  round_trip_efficiency: z.number().gt(0).max(1),
  initial_soc: share.default(0),
  sell_above_soc: share.optional(),
});

const memberSchema = z.strictObject({
  id: identifierField,
  profile: z.string(),
  pv: z.strictObject({ peak_w: z.int().positive() }).optional(),
  battery: batterySchema.optional(),
  ignore_generation: z.boolean().default(false),
  sell_at_least_per_kwh: priceField.optional(),
  buy_at_most_per_kwh: priceField.optional(),
});

const communitySchema = z.strictObject({
  name: z.string().min(1),
  interval: intervalField.default('15m'),
  timezone: timezoneField,
  currency: currencyField,
  tariff: z.union([z.string(), z.strictObject({ import_per_kwh: priceField, export_per_kwh: priceField })]),
  location: z
    .strictObject({ latitude: z.number().min(-90).max(90), longitude: z.number().min(-180).max(180) })
    .optional(),
  weather: z.string().optional(),
  carbon: z.string().optional(),
  supply: z.enum(['single', 'allocated']).default('single'),
  members: z
    .array(memberSchema)
    .min(1)
    .superRefine((members, context) => refuseTwins(members, 'id', context)),
});

type CommunityFile = z.infer<typeof communitySchema>;

/** Reads a community and all its files. @throws Fault CONFIG_INVALID, FILE_UNREADABLE */
export function loadCommunity(path: string): Community {
  const text = readText(path);
  const file = parseYaml<CommunityFile>(text, path, communitySchema);
  const source: Source = { path, text, instants: new Map() };
  for (const key of ['weather', 'carbon'] as const) {
    const named = file[key];
    if (named !== undefined) fileBeside(source, named, [key]);
  }
  const lengthMs = INTERVAL_LENGTHS[file.interval];
  const members = file.members.map((member, index) => readMember(source, member, index, lengthMs));
  const { start, rows } = commonSpan(members);
  return {
    name: file.name,
    lengthMs,
    timezone: file.timezone,
    currency: file.currency,
    supply: file.supply,
    location: file.location ?? null,
    start,
    intervals: rows,
    tariffAt: readTariff(source, file.tariff, { start, rows, lengthMs }),
    members,
  };
}

interface Source {
  readonly path: string;
  readonly text: string;
  readonly instants: InstantCache;
}

function readMember(
  source: Source,
  file: CommunityFile['members'][number],
  index: number,
  lengthMs: IntervalLengthMs,
): CommunityMember {
  const read = readProfile(fileBeside(source, file.profile, ['members', index, 'profile']), lengthMs, source.instants);
  const profile = file.ignore_generation ? { ...read, generation: new Float64Array(read.generation.length) } : read;
  const { sell_at_least_per_kwh: sellAtLeast, buy_at_most_per_kwh: buyAtMost } = file;
  return {
    id: file.id as MemberId,
    profile,
    peakW: file.pv?.peak_w ?? null,
    battery: file.battery === undefined ? null : batteryOf(file.battery),
    initialStored: wh(Math.floor((file.battery?.capacity_wh ?? 0) * (file.battery?.initial_soc ?? 0))),
    preference: { ...(sellAtLeast !== undefined && { sellAtLeast }), ...(buyAtMost !== undefined && { buyAtMost }) },
  };
}

function batteryOf(file: z.infer<typeof batterySchema>): Battery {
  return {
    capacity: wh(file.capacity_wh),
    maxPower: watt(file.power_w),
    oneWayPpm: oneWayEfficiencyPpm(file.round_trip_efficiency),
    sellAbovePermille: file.sell_above_soc === undefined ? null : Math.round(file.sell_above_soc * 1000),
  };
}

/** All profiles must start and end together: members trade inside the same interval. */
function commonSpan(members: readonly CommunityMember[]): { start: EpochMs; rows: number } {
  const first = members[0]?.profile;
  if (first === undefined) return { start: epochMs(0), rows: 0 };
  for (const { profile } of members) {
    if (profile.start !== first.start) {
      throw invalid(
        `${profile.path}:2:1 starts at ${formatUtc(profile.start)}, ${first.path} at ${formatUtc(first.start)}`,
      );
    }
    const [rows, expected] = [profile.consumption.length, first.consumption.length];
    if (rows !== expected)
      throw invalid(`${profile.path}:${rows + 1}:1 has ${rows} rows, ${first.path} has ${expected}`);
  }
  return { start: first.start, rows: first.consumption.length };
}

interface Span {
  readonly start: EpochMs;
  readonly rows: number;
  readonly lengthMs: IntervalLengthMs;
}

function readTariff(source: Source, tariff: CommunityFile['tariff'], span: Span): (interval: number) => Tariff {
  if (typeof tariff !== 'string') {
    const constant: Tariff = { importPrice: tariff.import_per_kwh, exportPrice: tariff.export_per_kwh };
    if (constant.importPrice > constant.exportPrice) return () => constant;
    throw invalid(`${yamlPlace(source.text, source.path, ['tariff'])} tariff: ${INVERTED_TARIFF}`);
  }
  const series = readTariffSeries(fileBeside(source, tariff, ['tariff']), span.lengthMs, source.instants);
  const offset = (span.start - series.start) / span.lengthMs;
  const rows = series.importPrices.length;
  if (offset < 0)
    throw invalid(`${series.path}:2:1 starts after the profiles, which start at ${formatUtc(span.start)}`);
  if (offset + span.rows > rows) throw invalid(`${series.path}:${rows + 1}:1 ends before the profiles do`);
  return (interval) => ({
    importPrice: (series.importPrices[interval + offset] ?? 0) as PricePerKwh,
    exportPrice: (series.exportPrices[interval + offset] ?? 0) as PricePerKwh,
  });
}

/** The path of a file that the community names, relative to it. */
function fileBeside(source: Source, name: string, keys: readonly PropertyKey[]): string {
  const path = resolve(dirname(source.path), name);
  if (existsSync(path)) return path;
  throw invalid(`${yamlPlace(source.text, source.path, keys)} ${String(keys.at(-1))}: there is no file ${path}`);
}

function invalid(message: string): Fault {
  return new Fault('CONFIG_INVALID', message);
}
