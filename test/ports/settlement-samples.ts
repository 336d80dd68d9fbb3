import type { SettlementChunk } from '../../src/domain/ports.ts';
import type { IntervalSettlement, MemberPosition } from '../../src/domain/settlement/interval-settlement.ts';
import { type Wh, wh } from '../../src/domain/units/energy.ts';
import type { MarketId, MemberId } from '../../src/domain/units/identity.ts';
import type { Nano } from '../../src/domain/units/money.ts';
import { pricePerKwh } from '../../src/domain/units/price.ts';
import { epochMs } from '../../src/domain/units/time.ts';

/** Settlements to try a ledger with. */

export const QUARTER_HOUR = 900_000;
export const FIRST_INTERVAL = Date.UTC(2026, 5, 21, 9, 0);

export interface PositionSample {
  readonly member: string;
  readonly bought?: number;
  readonly sold?: number;
  readonly imported?: number;
  readonly exported?: number;
  readonly balancedLong?: number;
  readonly balancedShort?: number;
  readonly substituted?: boolean;
}

export interface SettlementSample {
  readonly market: string;
  readonly start?: number;
  readonly lengthMs?: 300_000 | 900_000 | 1_800_000 | 3_600_000;
  /** export, long, local, short, import: rising. */
  readonly ladder?: readonly [number, number, number, number, number];
  readonly feeder?: { readonly imported: number; readonly exported: number };
  readonly positions: readonly PositionSample[];
}

export function settlement(sample: SettlementSample): IntervalSettlement {
  const [exportPrice, long, local, short, importPrice] = sample.ladder ?? [80_000, 130_000, 190_000, 245_000, 300_000];
  const positions = sample.positions.map(position);
  const prices = {
    local: pricePerKwh(local),
    short: pricePerKwh(short),
    long: pricePerKwh(long),
    tariff: { importPrice: pricePerKwh(importPrice), exportPrice: pricePerKwh(exportPrice) },
  };
  const net = positions.reduce((sum, { imported, exported }) => sum + imported - exported, 0);
  const feeder = sample.feeder ?? { imported: Math.max(0, net), exported: Math.max(0, -net) };
  return {
    market: sample.market as MarketId,
    interval: { start: epochMs(sample.start ?? FIRST_INTERVAL), lengthMs: sample.lengthMs ?? QUARTER_HOUR },
    prices,
    positions,
    feeder: { imported: wh(feeder.imported), exported: wh(feeder.exported) },
    amounts: amountsOf(positions, prices),
  };
}

export function wholeInterval(sample: SettlementSample): SettlementChunk {
  return { settlement: settlement(sample), chunk: 0, chunks: 1 };
}

/** The same interval cut into parts of at most `size` positions. */
export function inChunks(whole: IntervalSettlement, size: number): SettlementChunk[] {
  const chunks = Math.max(1, Math.ceil(whole.positions.length / size));
  return Array.from({ length: chunks }, (_, chunk) => {
    const positions = whole.positions.slice(chunk * size, (chunk + 1) * size);
    return { settlement: { ...whole, positions, amounts: amountsOf(positions, whole.prices) }, chunk, chunks };
  });
}

/** A street in which every third home sells 300 Wh and delivers 20 Wh less, and the others buy and import more. */
export function streetInterval(market: string, ordinal: number, homes = 6): SettlementSample {
  const positions: PositionSample[] = Array.from({ length: homes }, (_, home) => {
    const member = `home-${String(home + 1).padStart(2, '0')}`;
    if (home % 3 === 0) return { member, sold: 300, exported: 320 + ordinal, balancedLong: 20 };
    return { member, bought: 150, imported: 160 + home, balancedShort: 10 };
  });
  return { market, start: FIRST_INTERVAL + ordinal * QUARTER_HOUR, positions };
}

function position(sample: PositionSample): MemberPosition {
  const energy = (value: number | undefined): Wh => wh(value ?? 0);
  return {
    member: sample.member as MemberId,
    bought: energy(sample.bought),
    sold: energy(sample.sold),
    imported: energy(sample.imported),
    exported: energy(sample.exported),
    balancedLong: energy(sample.balancedLong),
    balancedShort: energy(sample.balancedShort),
    origin: sample.substituted ? 'substituted' : 'metered',
  };
}

/** The postings by the plain formula, written from the bill's point of view and not from the ledger's. */
function amountsOf(
  positions: readonly MemberPosition[],
  prices: IntervalSettlement['prices'],
): IntervalSettlement['amounts'] {
  let community = 0n;
  let utility = 0n;
  const members = positions.map((each) => {
    const paidForTrades = prices.local * (each.bought - each.sold);
    const more = Math.max(0, each.imported - each.bought) + Math.max(0, each.sold - each.exported) - each.balancedShort;
    const less = Math.max(0, each.bought - each.imported) + Math.max(0, each.exported - each.sold) - each.balancedLong;
    const paidInside =
      BigInt(prices.short) * BigInt(each.balancedShort) - BigInt(prices.long) * BigInt(each.balancedLong);
    const paidOutside =
      BigInt(prices.tariff.importPrice) * BigInt(more) - BigInt(prices.tariff.exportPrice) * BigInt(less);
    community += paidInside;
    utility += paidOutside;
    return Number(-(BigInt(paidForTrades) + paidInside + paidOutside)) as Nano;
  });
  return { members, community: Number(community) as Nano, utility: Number(utility) as Nano };
}
