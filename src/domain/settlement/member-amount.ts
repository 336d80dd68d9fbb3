import { addWh, excessWh, minWh, type Wh, ZERO_WH } from '../units/energy.ts';
import { amountOf, type Nano, type NanoTotal, negate, ZERO_NANO } from '../units/money.ts';
import type { MemberPosition, SettlementPrices, TradeAmounts } from './interval-settlement.ts';

type Metered = Pick<MemberPosition, 'bought' | 'sold' | 'imported' | 'exported'>;

/**
 * What a member receives (positive) or pays for an interval, nano-currency:
 * trades + balancedLong x long - balancedShort x short
 * + (long - balancedLong) x export - (short - balancedShort) x import - grid fee - penalty,
 * trades being sold x local - bought x local unless they have prices of their own. Under `supply: allocated` there is
 * nothing but trades, grid fee and penalty.
 */
export function memberAmount(position: MemberPosition, prices: SettlementPrices): NanoTotal {
  const { bought, sold } = tradeAmountsOf(position, prices);
  const charged = addExactly([bought, sold, negate(gridFeeOf(position)), negate(penaltyOf(position, prices))]);
  return prices.supply === 'allocated' ? charged : ((charged + deviationAmount(position, prices)) as NanoTotal);
}

/** What a member receives for its deviations: both of one direction together may be more than one exact posting. */
function deviationAmount(position: MemberPosition, { long, short, tariff }: SettlementPrices): bigint {
  const { balancedLong, balancedShort } = position;
  const restLong = excessWh(longOf(position), balancedLong);
  const restShort = excessWh(shortOf(position), balancedShort);
  const [street, streetPaid] = [long * balancedLong, short * balancedShort];
  const [utility, utilityPaid] = [tariff.exportPrice * restLong, tariff.importPrice * restShort];
  const most = Math.abs(street) + Math.abs(streetPaid) + Math.abs(utility) + Math.abs(utilityPaid);
  if (most <= Number.MAX_SAFE_INTEGER) return BigInt(street - streetPaid + utility - utilityPaid);
  return (
    BigInt(long) * BigInt(balancedLong) -
    BigInt(short) * BigInt(balancedShort) +
    BigInt(tariff.exportPrice) * BigInt(restLong) -
    BigInt(tariff.importPrice) * BigInt(restShort)
  );
}

/** What a member receives for what it bought and for what it sold, nano-currency. */
export function tradeAmountsOf(position: MemberPosition, { local }: SettlementPrices): TradeAmounts {
  const { bought, sold } = position;
  return position.tradeAmounts ?? { bought: negate(amountOf(local, bought)), sold: amountOf(local, sold) };
}

/** What a member pays the grid, nano-currency: its zone's fee on the energy that it bought and took. */
export function gridFeeOf({ gridFee, bought, imported }: MemberPosition): Nano {
  return gridFee === undefined ? ZERO_NANO : amountOf(gridFee, minWh(bought, imported));
}

/** What a member pays the community for what it sold and did not deliver, nano-currency. */
export function penaltyOf({ penalised = ZERO_WH }: MemberPosition, { penalty }: SettlementPrices): Nano {
  return penalty === undefined ? ZERO_NANO : amountOf(penalty, penalised);
}

/** More metered out, or less in, than traded. Wh. */
export function longOf({ bought, sold, imported, exported }: Metered): Wh {
  return addWh(excessWh(exported, sold), excessWh(bought, imported));
}

/** More metered in, or less out, than traded. Wh. */
export function shortOf({ bought, sold, imported, exported }: Metered): Wh {
  return addWh(excessWh(sold, exported), excessWh(imported, bought));
}

/** The sum of exact amounts, nano-currency: in numbers while it stays a safe integer on the way, else in bigints. */
export function addExactly(amounts: readonly number[]): NanoTotal {
  let sum = 0;
  for (const amount of amounts) {
    sum += amount;
    if (!Number.isSafeInteger(sum)) return amounts.reduce((total, each) => total + BigInt(each), 0n) as NanoTotal;
  }
  return BigInt(sum) as NanoTotal;
}
