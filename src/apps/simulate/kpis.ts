import { conservation } from '../../domain/settlement/accounts.ts';
import { formatDecimal } from '../../domain/units/decimal.ts';
import type { MemberId } from '../../domain/units/identity.ts';
import type { Simulation } from './run.ts';
import type { Tally } from './tally.ts';

const MONEY_PLACES = 9;
const PRICE_PLACES = 6;

/** What was asked for, as the KPIs repeat it. */
export interface Asked {
  readonly mechanism: string;
  readonly agents: string;
  readonly forecast: string;
  readonly seconds: number;
}

export type Kpis = ReturnType<typeof kpisOf>;

/**
 * The KPIs of `simulate --json`: `own` is each home alone, `community` what the feeder meter sees. Money and prices are
 * decimal texts, ratios numbers of nine places.
 */
export function kpisOf({ intervals, baseline, community }: Simulation, asked: Asked) {
  const { consumptionWh, generationWh, importWh, exportWh, tradedWh, balancedWh, storedDeltaWh } = community;
  const bills = { baseline: totalBill(baseline), community: totalBill(community) };
  const saving = bills.baseline - bills.community;
  return {
    intervals,
    members: community.members.length,
    mechanism: asked.mechanism,
    agents: asked.agents,
    forecast: asked.forecast,
    energy: { consumptionWh, generationWh, importWh, exportWh, tradedWh, balancedWh, storedDeltaWh },
    selfSufficiency: {
      own: ratio(consumptionWh - baseline.drawnWh, consumptionWh),
      community: ratio(consumptionWh - importWh, consumptionWh),
    },
    selfConsumption: {
      own: ratio(generationWh - baseline.fedInWh, generationWh),
      community: ratio(generationWh - exportWh, generationWh),
    },
    bills: {
      baseline: formatDecimal(bills.baseline, MONEY_PLACES),
      community: formatDecimal(bills.community, MONEY_PLACES),
      saving: formatDecimal(saving, MONEY_PLACES),
      savingRatio: ratio(Number(saving), Math.abs(Number(bills.baseline))),
      communityAccount: formatDecimal(community.accounts.community, MONEY_PLACES),
      losers: community.members.filter(({ id }) => billOf(community, id) > billOf(baseline, id)).length,
    },
    price: pricesOf(community),
    feederPeakImportW: { baseline: baseline.peakImportW, community: community.peakImportW },
    perMember: community.members.map(({ id, boughtWh, soldWh, shortfallWh }) => ({
      id,
      baseline: formatDecimal(billOf(baseline, id), MONEY_PLACES),
      bill: formatDecimal(billOf(community, id), MONEY_PLACES),
      boughtWh,
      soldWh,
      shortfallWh,
    })),
    conservation: conservationTexts(community),
    seconds: asked.seconds,
  };
}

/** What a member pays, nano-currency; negative where it receives more than it pays. */
export function billOf({ accounts }: Tally, member: MemberId): bigint {
  return -(accounts.members.get(member) ?? 0n);
}

function totalBill(tally: Tally): bigint {
  return tally.members.reduce((sum, { id }) => sum + billOf(tally, id), 0n);
}

/** Weighted by energy, the mean floored to the micro-currency; null where nothing traded. */
function pricesOf({ price, tradedWh }: Tally) {
  const text = (value: number | bigint | null) => (value === null ? null : formatDecimal(value, PRICE_PLACES));
  return { mean: meanPrice(price.weighted, tradedWh, text), min: text(price.min), max: text(price.max) };
}

function meanPrice(weighted: bigint, tradedWh: number, text: (value: bigint) => string | null): string | null {
  if (tradedWh === 0) return null;
  const energy = BigInt(tradedWh);
  return text(weighted / energy - (weighted % energy < 0n ? 1n : 0n));
}

function conservationTexts({ accounts }: Tally) {
  const { energyWh, money } = conservation(accounts);
  return { energyWh: energyWh.toString(), money: formatDecimal(money, MONEY_PLACES) };
}

/** Nine places, so that rounding once more to fewer is harmless; zero where there is nothing to take a share of. */
function ratio(part: number, whole: number): number {
  return whole === 0 ? 0 : Number((part / whole).toFixed(9));
}
