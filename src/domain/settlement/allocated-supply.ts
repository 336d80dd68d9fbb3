import { assert } from '../units/assert.ts';
import { shareByLargestRemainder } from '../units/division.ts';
import { addWh, minWh, type Wh, wh, ZERO_WH } from '../units/energy.ts';
import { compareIds } from '../units/identity.ts';
import { type NanoTotal, sumNano, ZERO_TOTAL } from '../units/money.ts';
import type { IntervalSettlement, MemberPosition, SettlementPrices } from './interval-settlement.ts';
import { gridFeeOf, memberAmount } from './member-amount.ts';
import {
  assertTradesMatch,
  type MemberInterval,
  meteredPosition,
  penaltiesOf,
  type SettlementInput,
} from './single-supply.ts';

/**
 * Settles an interval of `supply: allocated`: each home keeps its own supply contract, and the community's ledger moves
 * only what is allocated. That is what was both traded and metered, and where the two sides then differ the smaller of
 * them, pro-rata on the larger one by largest remainder, ties by member id; all at the one price of the product, floored
 * mean where trades had several. What is not allocated is shown and not charged. Members, grid and community sum to zero;
 * the utility has no part in it. Total. @throws a bug where the two sides of the trades differ
 */
export function settleAllocated(input: SettlementInput): IntervalSettlement {
  const members = input.members.toSorted((a, b) => compareIds(a.member, b.member));
  assertTradesMatch(members);
  const prices = allocationPrices(input);
  const positions = allocate(members);
  const amounts = positions.map((position) => memberAmount(position, prices));
  const grid = sumNano(positions.map(gridFeeOf));
  const community = -(sumNano(amounts) + grid) as NanoTotal;
  assert(community === penaltiesOf(positions, prices), `the community gets ${community} that are no penalties`);
  const { market, interval, feeder } = input;
  const totals = { members: amounts, community, utility: ZERO_TOTAL, grid };
  return { market, interval, prices, positions, feeder, amounts: totals };
}

function allocationPrices({ tariff, clearingPrice, penaltyRate }: SettlementInput): SettlementPrices {
  const { importPrice: short, exportPrice: long } = tariff;
  const penalty = penaltyRate === undefined ? {} : { penalty: penaltyRate };
  return { local: clearingPrice ?? long, short, long, tariff, supply: 'allocated', ...penalty };
}

function allocate(members: readonly MemberInterval[]): MemberPosition[] {
  const taken = members.map(({ bought, energy }) => minWh(bought, energy.imported));
  const given = members.map(({ sold, energy }) => minWh(sold, energy.exported));
  const shared = minWh(addWh(...taken), addWh(...given));
  const bought = shareByLargestRemainder(shared, taken);
  const sold = shareByLargestRemainder(shared, given);
  return members.map((member, index) => allocated(member, wh(bought[index] ?? 0), wh(sold[index] ?? 0)));
}

/** Prices of their own end here: what is allocated has one price. */
function allocated(member: MemberInterval, bought: Wh, sold: Wh): MemberPosition {
  const { tradeAmounts: _, ...position } = meteredPosition(member);
  const contracted = { bought: member.bought, sold: member.sold };
  return { ...position, bought, sold, balancedLong: ZERO_WH, balancedShort: ZERO_WH, contracted };
}
