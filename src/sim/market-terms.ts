import type { MarketTerms, MemberTerms } from '../domain/engine/command.ts';
import type { MarketId, MemberId } from '../domain/units/identity.ts';
import { type IntervalLengthMs, MINUTE_MS } from '../domain/units/interval.ts';
import type { Nano } from '../domain/units/money.ts';
import { watt } from '../domain/units/power.ts';
import { pricePerKwh } from '../domain/units/price.ts';
import type { MarketChance } from './market-chance.ts';

export const LENGTH_MS = 5 * MINUTE_MS;
export const FEEDER = 'feeder';
export const TARIFF = { importPrice: pricePerKwh(300_000), exportPrice: pricePerKwh(80_000) };
const HOMES = ['home-01', 'home-02', 'home-03', 'home-04', 'home-05'] as MemberId[];

/** The rules of a market as the seed wants them. One zone: with several, the twin may find another price that is right. */
export function drawTerms(chance: MarketChance): MarketTerms {
  const collateral = chance.oneOf([null, null, 60_000_000, 400_000_000]);
  const oneOwner = chance.happens(400);
  const fee = chance.oneOf([0, 0, 14_000, 5000]);
  const member = (id: MemberId, place: number): MemberTerms => ({
    ...{ id, address: `0x${'00'.repeat(20)}`, exportCapability: watt(12_000), connectionPower: watt(43_000) },
    ...(collateral === null ? {} : { collateral: collateral as Nano }),
    ...(oneOwner && place > 2 ? { owner: 'a landlord' } : {}),
    ...(fee === 0 ? {} : { zone: 'street' }),
  });
  return {
    ...{ market: 'elm-street' as MarketId, lengthMs: LENGTH_MS as IntervalLengthMs, tick: 100, disputeIntervals: 3 },
    ...{ lookAheadMs: 3 * LENGTH_MS, gateLeadMs: MINUTE_MS, imbalanceWeightPermille: 500 },
    ...(fee === 0 ? {} : { zones: [{ id: 'street', fee: pricePerKwh(fee) }] }),
    penalty: pricePerKwh(chance.oneOf([0, 40_000])),
    members: HOMES.map(member),
    ...drawRules(chance),
  };
}

/** What an operator may change from one start to the next. */
export function drawRules(chance: MarketChance): Pick<MarketTerms, 'mechanism' | 'rationing'> {
  return {
    mechanism: chance.oneOf(['call', 'continuous']),
    rationing: chance.oneOf(['pro-rata', 'price-time']),
  };
}
