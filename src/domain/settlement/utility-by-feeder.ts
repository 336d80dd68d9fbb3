import { addWh, excessWh, minWh } from '../units/energy.ts';
import { type NanoTotal, ZERO_TOTAL } from '../units/money.ts';
import type { IntervalSettlement } from './interval-settlement.ts';
import { longOf, shortOf } from './member-amount.ts';

/**
 * What the utility receives for what the feeder meter saw, nano-currency. Where nothing is balanced inside the street
 * (`feed-in`), it also buys surplus from some members and sells it to others behind the feeder meter, and keeps the
 * margin. Under `supply: allocated` it has its own contract with each home, and no account here.
 */
export function utilityByFeeder({ positions, feeder, prices }: IntervalSettlement): NanoTotal {
  if (prices.supply === 'allocated') return ZERO_TOTAL;
  const importPrice = BigInt(prices.tariff.importPrice);
  const exportPrice = BigInt(prices.tariff.exportPrice);
  const restLong = addWh(...positions.map((each) => excessWh(longOf(each), each.balancedLong)));
  const restShort = addWh(...positions.map((each) => excessWh(shortOf(each), each.balancedShort)));
  const through = BigInt(minWh(restLong, restShort));
  const atFeeder = importPrice * BigInt(feeder.imported) - exportPrice * BigInt(feeder.exported);
  return (atFeeder + (importPrice - exportPrice) * through) as NanoTotal;
}
