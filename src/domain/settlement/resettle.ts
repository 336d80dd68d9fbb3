import type { Mechanism } from '../market/mechanism.ts';
import { ZERO_WH } from '../units/energy.ts';
import type { MemberId } from '../units/identity.ts';
import { type NanoTotal, sumNano } from '../units/money.ts';
import { type PriceBand, priceBand } from '../units/tariff.ts';
import { settleAllocated } from './allocated-supply.ts';
import type { IntervalSettlement, MemberPosition } from './interval-settlement.ts';
import { type MemberInterval, type SettlementInput, settleInterval } from './single-supply.ts';

/** How the corrected interval was settled: the terms of then. */
export interface SettlementRules extends Pick<SettlementInput, 'tick' | 'balancing' | 'imbalanceWeightPermille'> {
  readonly afterDelivery: Mechanism['afterDelivery'];
}

/** The same interval once more, with other readings of some members. Trades made at the gate are firm. */
export function resettle(
  settlement: IntervalSettlement,
  readings: ReadonlyMap<MemberId, MemberInterval['energy']>,
  rules: SettlementRules,
): IntervalSettlement {
  const { market, interval, prices, positions, feeder } = settlement;
  const { afterDelivery, ...terms } = rules;
  const { tariff, penalty } = prices;
  const members = positions.map((position) => memberIntervalOf(position, readings.get(position.member)));
  const band = priceBand(tariff, rules.tick);
  const pooled =
    afterDelivery === null || band === 'tariff_inverted' ? null : pool(afterDelivery, members, band, rules.tick);
  const hasTrades = members.some(({ sold }) => sold > 0);
  const zoneRent = -sumNano(
    members.flatMap(({ tradeAmounts: own }) => (own === undefined ? [] : [own.bought, own.sold])),
  );
  const input: SettlementInput = {
    ...{ market, interval, tariff, feeder, ...terms },
    ...{ members, clearingPrice: hasTrades ? prices.local : null, zoneRent: zoneRent as NanoTotal },
    ...(penalty === undefined ? {} : { penaltyRate: penalty }),
    ...pooled,
  };
  return prices.supply === 'allocated' ? settleAllocated(input) : settleInterval(input);
}

function memberIntervalOf(position: MemberPosition, reading: MemberInterval['energy'] | undefined): MemberInterval {
  const { member, imported, exported, origin, tradeAmounts, gridFee, cause } = position;
  const { bought, sold } = position.contracted ?? position;
  return {
    ...{ member, bought, sold, energy: reading ?? { imported, exported, origin } },
    ...(tradeAmounts === undefined ? {} : { tradeAmounts }),
    ...(gridFee === undefined ? {} : { gridFee }),
    ...(cause === undefined || cause === 'reading_missing' ? {} : { shortfallCause: cause }),
  };
}

function pool(
  afterDelivery: NonNullable<Mechanism['afterDelivery']>,
  members: readonly MemberInterval[],
  band: PriceBand,
  tick: number,
): Pick<SettlementInput, 'members' | 'clearingPrice'> {
  const metered = members.map(({ member, energy }) => ({ member, demand: energy.imported, supply: energy.exported }));
  const { price, shares } = afterDelivery(metered, band, tick);
  const none = { bought: ZERO_WH, sold: ZERO_WH };
  return { members: members.map((member, index) => ({ ...member, ...none, ...shares[index] })), clearingPrice: price };
}
