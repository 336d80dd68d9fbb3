import type { ProductRules, ZoneLimit } from '../market/book.ts';
import { MECHANISMS, type MechanismName } from '../market/mechanism.ts';
import { assert } from '../units/assert.ts';
import { wh } from '../units/energy.ts';
import { energyOf } from '../units/power.ts';
import { pricePerKwh } from '../units/price.ts';
import type { PriceBand, Tariff } from '../units/tariff.ts';
import type { EpochMs } from '../units/time.ts';
import type { MarketTerms } from './command.ts';

/** A product holds less than 2^31 Wh on either side. */
export const MAX_PRODUCT_WH = wh(2 ** 31 - 1);

const FREE = pricePerKwh(0);

/** Whether members bid under it, or are shared out by a rule. */
export function takesOrders(mechanism: MechanismName): boolean {
  return MECHANISMS[mechanism].atGate !== null;
}

interface Opening {
  readonly start: EpochMs;
  readonly tariff: Tariff;
  readonly band: PriceBand;
}

/** What a product is opened with and keeps, whatever the terms become; null where nobody bids. */
export function productRules(
  { zones }: { readonly zones: readonly string[] },
  terms: MarketTerms,
  { start: product, tariff, band }: Opening,
): ProductRules | null {
  const { mechanism, rationing, tick, penalty = FREE } = terms;
  if (mechanism !== 'call' && mechanism !== 'continuous') return null;
  const { importPrice } = tariff;
  const fixed = { product, rationing, tick, band, importPrice, penalty, maxVolume: MAX_PRODUCT_WH };
  if (zones.length === 0) return { ...fixed, mechanism, fees: [FREE], zoneLimits: [] };
  const fees = zones.map((zone) => terms.zones?.find(({ id }) => id === zone)?.fee ?? FREE);
  return { ...fixed, mechanism, fees, zoneLimits: mechanism === 'call' ? zoneLimitsOf(zones, terms) : [] };
}

function zoneLimitsOf(zones: readonly string[], { zoneLimits = [], lengthMs }: MarketTerms): ZoneLimit[] {
  return zoneLimits.map(({ from, to, limit }) => {
    const ends = { from: zones.indexOf(from), to: zones.indexOf(to) };
    assert(ends.from !== -1 && ends.to !== -1, `there is no zone ${from} or no zone ${to}`);
    return { ...ends, capacity: energyOf(limit, lengthMs) };
  });
}
