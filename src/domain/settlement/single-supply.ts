import { midMarketPrice } from '../market/mid-market.ts';
import type { IntervalEnergy } from '../metering/meter-reading.ts';
import { assert } from '../units/assert.ts';
import { mulDivFloor, shareByLargestRemainder } from '../units/division.ts';
import { addWh, excessWh, sumWh, type Wh, wh } from '../units/energy.ts';
import { compareIds, type MarketId, type MemberId } from '../units/identity.ts';
import type { DeliveryInterval } from '../units/interval.ts';
import { type NanoTotal, sumNano, ZERO_TOTAL } from '../units/money.ts';
import { type PricePerKwh, pricePerKwh } from '../units/price.ts';
import { priceBand, type Tariff } from '../units/tariff.ts';
import type {
  Amount,
  FeederEnergy,
  IntervalSettlement,
  MemberPosition,
  SettlementPrices,
  ShortfallCause,
  TradeAmounts,
} from './interval-settlement.ts';
import { gridFeeOf, longOf, memberAmount, penaltyOf, shortOf } from './member-amount.ts';
import { failureOf } from './verify-delivery.ts';

/** What one member traded for an interval and what its meter then showed. */
export interface MemberInterval {
  readonly member: MemberId;
  readonly bought: Wh;
  readonly sold: Wh;
  readonly energy: IntervalEnergy;
  /** The exact sum of its trades, where they have prices of their own. Absent: all at the clearing price. */
  readonly tradeAmounts?: TradeAmounts;
  /** Of its zone, >= 0, on top of the trade price. Absent: none. */
  readonly gridFee?: PricePerKwh;
  /** Why a shortfall is not the member's own doing, where that is known. */
  readonly shortfallCause?: ShortfallCause;
}

export interface SettlementInput {
  readonly market: MarketId;
  readonly interval: DeliveryInterval;
  readonly tariff: Tariff;
  readonly tick: number;
  /** Of the trades, the mean where they have several; `null` where nothing traded. */
  readonly clearingPrice: PricePerKwh | null;
  readonly members: readonly MemberInterval[];
  readonly feeder: FeederEnergy;
  /** How far the imbalance prices lie from the local price towards the tariff, in thousandths. */
  readonly imbalanceWeightPermille?: number;
  /** False under `feed-in`: nothing meets inside the street, every deviation is the utility's. */
  readonly balancing: boolean;
  /** What buyers paid more than sellers got. Absent: nothing. */
  readonly zoneRent?: Amount;
  /** Per kWh sold and not delivered, >= 0. Absent: none. */
  readonly penaltyRate?: PricePerKwh;
}

/** Half-way between the local price and the tariff. */
export const IMBALANCE_WEIGHT_PERMILLE = 500;

/**
 * Settles an interval of `supply: single`. Deviations are metered minus traded, register by register and never
 * netted; long and short meet inside the street at the imbalance prices, the rest is the utility's at the tariff; the
 * spread, penalties and zone rent are the community's, grid fees the grid's. Total: any reading has an outcome.
 * Positions are in the order of member ids. @throws a bug where the two sides of the trades differ
 */
export function settleInterval(input: SettlementInput): IntervalSettlement {
  const members = input.members.toSorted((a, b) => compareIds(a.member, b.member));
  assertTradesMatch(members);
  const prices = settlementPrices(input, members);
  const positions = balance(members, input.balancing && pricesAreOrdered(prices));
  const amounts = positions.map((position) => memberAmount(position, prices));
  const utility = utilityAmount(positions, prices.tariff);
  const grid = sumNano(positions.map(gridFeeOf));
  const community = -(sumNano(amounts) + utility + grid) as NanoTotal;
  const owed = spreadAmount(positions, prices) + penaltiesOf(positions, prices) + BigInt(input.zoneRent ?? 0);
  assert(community === owed, `the community gets ${community} of what is left and ${owed} of what it is owed`);
  const { market, interval, feeder } = input;
  return { market, interval, prices, positions, feeder, amounts: { members: amounts, community, utility, grid } };
}

/** The prices that an interval is settled at. The weight must be 0 to 1000. */
function settlementPrices(input: SettlementInput, members: readonly MemberInterval[]): SettlementPrices {
  const { tariff, imbalanceWeightPermille: weight = IMBALANCE_WEIGHT_PERMILLE, penaltyRate } = input;
  assert(Number.isSafeInteger(weight) && weight >= 0 && weight <= 1000, `imbalance weight ${weight} is not 0 to 1000`);
  const local = input.clearingPrice ?? anchorPrice(input, members);
  const penalty = penaltyRate === undefined ? {} : { penalty: penaltyRate };
  if (!input.balancing) return { local, short: tariff.importPrice, long: tariff.exportPrice, tariff, ...penalty };
  const short = pricePerKwh(local + mulDivFloor(weight, tariff.importPrice - local, 1000));
  const long = pricePerKwh(local - mulDivFloor(weight, local - tariff.exportPrice, 1000));
  return { local, short, long, tariff, ...penalty };
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
  const metered = members.map(meteredPosition);
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

/** What is known of a member before anything is balanced or allocated. */
export function meteredPosition(
  input: MemberInterval,
): Omit<MemberPosition, 'balancedLong' | 'balancedShort' | 'contracted'> {
  const { member, bought, sold, energy, tradeAmounts, gridFee, shortfallCause } = input;
  const { imported, exported, origin } = energy;
  return {
    ...{ member, bought, sold, imported, exported, origin },
    ...(tradeAmounts === undefined ? {} : { tradeAmounts }),
    ...(gridFee === undefined ? {} : { gridFee }),
    ...failureOf({ bought, sold, imported, exported }, origin, shortfallCause),
  };
}

/** The counterpart of the tariff legs of all members. Positive: the community pays the utility. */
function utilityAmount(positions: readonly MemberPosition[], { importPrice, exportPrice }: Tariff): NanoTotal {
  const restShort = sumWh(positions.map((each) => excessWh(shortOf(each), each.balancedShort)));
  const restLong = sumWh(positions.map((each) => excessWh(longOf(each), each.balancedLong)));
  return (BigInt(importPrice) * restShort - BigInt(exportPrice) * restLong) as NanoTotal;
}

/** What short members pay above what long members get. */
function spreadAmount(positions: readonly MemberPosition[], { short, long }: SettlementPrices): NanoTotal {
  const paid = sumWh(positions.map(({ balancedShort }) => balancedShort));
  const received = sumWh(positions.map(({ balancedLong }) => balancedLong));
  return (BigInt(short) * paid - BigInt(long) * received) as NanoTotal;
}

/** What members pay for energy that they sold and did not deliver. */
export function penaltiesOf(positions: readonly MemberPosition[], prices: SettlementPrices): NanoTotal {
  if (prices.penalty === undefined) return ZERO_TOTAL;
  return sumNano(positions.map((position) => penaltyOf(position, prices)));
}

/** Both sides of the trades have the same Wh. */
export function assertTradesMatch(members: readonly MemberInterval[]): void {
  const bought = addWh(...members.map((member) => member.bought));
  const sold = addWh(...members.map((member) => member.sold));
  assert(bought === sold, `${bought} Wh bought and ${sold} Wh sold`);
}
