import { midMarketPrice } from '../market/mid-market.ts';
import type { IntervalEnergy } from '../metering/meter-reading.ts';
import { assert } from '../units/assert.ts';
import { mulDivFloor, shareByLargestRemainder } from '../units/division.ts';
import { addWh, excessWh, type Wh, wh, ZERO_WH } from '../units/energy.ts';
import { compareIds, type MarketId, type MemberId } from '../units/identity.ts';
import type { DeliveryInterval } from '../units/interval.ts';
import { amountOf, type Nano } from '../units/money.ts';
import { type PricePerKwh, pricePerKwh } from '../units/price.ts';
import { priceBand, type Tariff } from '../units/tariff.ts';
import type { FeederEnergy, IntervalSettlement, MemberPosition, SettlementPrices } from './interval-settlement.ts';

/** What one member traded for an interval and what its meter then showed. */
export interface MemberInterval {
  readonly member: MemberId;
  readonly bought: Wh;
  readonly sold: Wh;
  readonly energy: IntervalEnergy;
}

export interface SettlementInput {
  readonly market: MarketId;
  readonly interval: DeliveryInterval;
  readonly tariff: Tariff;
  readonly tick: number;
  /** Of the trades; `null` where nothing traded. */
  readonly clearingPrice: PricePerKwh | null;
  readonly members: readonly MemberInterval[];
  readonly feeder: FeederEnergy;
  /** How far the imbalance prices lie from the local price towards the tariff, in thousandths. */
  readonly imbalanceWeightPermille?: number;
  /** False under `feed-in`: nothing meets inside the street, every deviation is the utility's. */
  readonly balancing: boolean;
}

/** Half-way between the local price and the tariff. */
export const IMBALANCE_WEIGHT_PERMILLE = 500;

/**
 * Settles an interval of `supply: single`. Deviations are metered minus traded, register by register and never
 * netted; long and short meet inside the street at the imbalance prices, the rest is the utility's at the tariff, the
 * spread is the community's. Total: any reading has an outcome. Positions are in the order of member ids.
 */
export function settleInterval(input: SettlementInput): IntervalSettlement {
  const members = input.members.toSorted((a, b) => compareIds(a.member, b.member));
  assertTradesMatch(members);
  const prices = settlementPrices(input, members);
  const positions = balance(members, input.balancing && pricesAreOrdered(prices));
  const amounts = positions.map((position) => memberAmount(position, prices));
  const utility = utilityAmount(positions, prices.tariff);
  const community = nano(-(amounts.reduce<number>((sum, amount) => sum + amount, 0) + utility));
  assert(community === spreadAmount(positions, prices), 'members, community and utility do not sum to zero');
  const { market, interval, feeder } = input;
  return { market, interval, prices, positions, feeder, amounts: { members: amounts, community, utility } };
}

/**
 * What a member receives (positive) or pays for an interval, nano-currency. The ledger contract computes the same:
 * sold x local - bought x local + balancedLong x long - balancedShort x short
 * + (long - balancedLong) x export - (short - balancedShort) x import.
 */
export function memberAmount(position: MemberPosition, prices: SettlementPrices): Nano {
  const { bought, sold, balancedLong, balancedShort } = position;
  const { local, long, short, tariff } = prices;
  return nano(
    amountOf(local, sold) -
      amountOf(local, bought) +
      amountOf(long, balancedLong) -
      amountOf(short, balancedShort) +
      amountOf(tariff.exportPrice, excessWh(longOf(position), balancedLong)) -
      amountOf(tariff.importPrice, excessWh(shortOf(position), balancedShort)),
  );
}

type Metered = Pick<MemberPosition, 'bought' | 'sold' | 'imported' | 'exported'>;

/** More metered out, or less in, than traded. Wh. */
export function longOf({ bought, sold, imported, exported }: Metered): Wh {
  return addWh(excessWh(exported, sold), excessWh(bought, imported));
}

/** More metered in, or less out, than traded. Wh. */
export function shortOf({ bought, sold, imported, exported }: Metered): Wh {
  return addWh(excessWh(sold, exported), excessWh(imported, bought));
}

function settlementPrices(input: SettlementInput, members: readonly MemberInterval[]): SettlementPrices {
  const { tariff, imbalanceWeightPermille: weight = IMBALANCE_WEIGHT_PERMILLE } = input;
  assert(Number.isSafeInteger(weight) && weight >= 0 && weight <= 1000, `imbalance weight ${weight} is not 0 to 1000`);
  const local = input.clearingPrice ?? anchorPrice(input, members);
  if (!input.balancing) return { local, short: tariff.importPrice, long: tariff.exportPrice, tariff };
  const short = pricePerKwh(local + mulDivFloor(weight, tariff.importPrice - local, 1000));
  const long = pricePerKwh(local - mulDivFloor(weight, local - tariff.exportPrice, 1000));
  return { local, short, long, tariff };
}

/** The mid-market price of what was metered: it anchors the imbalance prices where nothing traded. */
function anchorPrice({ tariff, tick }: SettlementInput, members: readonly MemberInterval[]): PricePerKwh {
  const band = priceBand(tariff, tick);
  if (band === 'tariff_inverted') return tariff.importPrice;
  const demand = addWh(...members.map(({ energy }) => energy.imported));
  const supply = addWh(...members.map(({ energy }) => energy.exported));
  return midMarketPrice(demand, supply, band, tick) ?? band.lowest;
}

/** False under an inverted tariff, where balancing inside the street would cost the members. */
function pricesAreOrdered({ local, short, long, tariff }: SettlementPrices): boolean {
  return tariff.exportPrice <= long && long <= local && local <= short && short <= tariff.importPrice;
}

function balance(members: readonly MemberInterval[], balancing: boolean): MemberPosition[] {
  const metered = members.map(({ member, bought, sold, energy }) => ({ member, bought, sold, ...energy }));
  const long = metered.map(longOf);
  const short = metered.map(shortOf);
  const balanced = balancing ? Math.min(addWh(...long), addWh(...short)) : 0;
  const balancedLong = shareByLargestRemainder(balanced, long);
  const balancedShort = shareByLargestRemainder(balanced, short);
  return metered.map((position, index) => ({
    ...position,
    balancedLong: wh(balancedLong[index] ?? 0),
    balancedShort: wh(balancedShort[index] ?? 0),
  }));
}

/** The counterpart of the tariff legs of all members. Positive: the community pays the utility. */
function utilityAmount(positions: readonly MemberPosition[], tariff: Tariff): Nano {
  let [restLong, restShort] = [ZERO_WH, ZERO_WH];
  for (const position of positions) {
    restLong = addWh(restLong, excessWh(longOf(position), position.balancedLong));
    restShort = addWh(restShort, excessWh(shortOf(position), position.balancedShort));
  }
  return nano(amountOf(tariff.importPrice, restShort) - amountOf(tariff.exportPrice, restLong));
}

/** What short members pay above what long members get. */
function spreadAmount(positions: readonly MemberPosition[], { short, long }: SettlementPrices): Nano {
  const paid = addWh(...positions.map(({ balancedShort }) => balancedShort));
  const received = addWh(...positions.map(({ balancedLong }) => balancedLong));
  return nano(amountOf(short, paid) - amountOf(long, received));
}

function assertTradesMatch(members: readonly MemberInterval[]): void {
  const bought = addWh(...members.map((member) => member.bought));
  const sold = addWh(...members.map((member) => member.sold));
  assert(bought === sold, `${bought} Wh bought and ${sold} Wh sold`);
}

function nano(value: number): Nano {
  assert(Number.isSafeInteger(value), `amount ${value} is not exact`);
  return (value === 0 ? 0 : value) as Nano;
}
