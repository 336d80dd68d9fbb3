import { assert } from '../units/assert.ts';
import { shareByLargestRemainder } from '../units/division.ts';
import { minWh, type Wh, wh } from '../units/energy.ts';
import { compareIds, type MemberId } from '../units/identity.ts';
import type { PricePerKwh } from '../units/price.ts';
import type { PriceBand } from '../units/tariff.ts';
import { priceOnRange } from './clearing-price.ts';

/** One member's two registers in one interval: what it drew and what it fed in, never netted. Both >= 0. */
export interface MeteredPosition {
  readonly member: MemberId;
  readonly demand: Wh;
  readonly supply: Wh;
}

/** What one member got of the pool. */
export interface PoolShare {
  readonly member: MemberId;
  readonly bought: Wh;
  readonly sold: Wh;
}

/** The outcome of a pool. `price` is null only where nobody drew or fed in. `shares` come as the positions came. */
export interface PoolClearing {
  readonly price: PricePerKwh | null;
  readonly traded: Wh;
  readonly shares: readonly PoolShare[];
}

/**
 * The price of energy that was metered, not bid: the price rule of the call auction over the whole tariff band. `null`
 * where demand and supply are both zero; with one of them zero it is an edge of the band.
 */
export function midMarketPrice(demand: Wh, supply: Wh, band: PriceBand, tick: number): PricePerKwh | null {
  assert(demand >= 0 && supply >= 0, 'metered energy is never negative');
  return demand + supply === 0 ? null : priceOnRange(band.lowest, band.highest, demand, supply, tick);
}

/** min(demand, supply) shared: the shorter side in full, the longer one pro-rata by largest remainder, ties by member id. */
export function shareMidMarket(positions: readonly MeteredPosition[]): readonly PoolShare[] {
  const demand = positions.map((position) => position.demand);
  const supply = positions.map((position) => position.supply);
  const traded = minWh(totalOf(demand), totalOf(supply));
  const members = positions.map((position) => position.member);
  const bought = shareByMember(traded, demand, members);
  const sold = shareByMember(traded, supply, members);
  assert(totalOf(bought) === traded && totalOf(sold) === traded, 'bought and sold differ');
  return positions.map(({ member }, at) => ({ member, bought: wh(bought[at] ?? 0), sold: wh(sold[at] ?? 0) }));
}

/** `midMarketPrice` and `shareMidMarket` of one interval: the whole mechanism, after delivery. */
export function clearMidMarket(positions: readonly MeteredPosition[], band: PriceBand, tick: number): PoolClearing {
  const demand = totalOf(positions.map((position) => position.demand));
  const supply = totalOf(positions.map((position) => position.supply));
  return {
    price: midMarketPrice(demand, supply, band, tick),
    traded: minWh(demand, supply),
    shares: shareMidMarket(positions),
  };
}

function shareByMember(total: Wh, weights: readonly Wh[], members: readonly MemberId[]): number[] {
  const ranked = members.map((_, at) => at).sort((a, b) => compareIds(members[a] ?? '', members[b] ?? '') || a - b);
  const shares = shareByLargestRemainder(
    total,
    ranked.map((at) => weights[at] ?? 0),
  );
  const inPlace = members.map(() => 0);
  ranked.forEach((at, rank) => {
    inPlace[at] = shares[rank] ?? 0;
  });
  return inPlace;
}

function totalOf(energies: readonly number[]): Wh {
  return wh(energies.reduce((sum, energy) => sum + energy, 0));
}
