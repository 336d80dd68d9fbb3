import type { MemberRules, Members, ProductRules } from '../../src/domain/market/book.ts';
import { wh } from '../../src/domain/units/energy.ts';
import { pricePerKwh } from '../../src/domain/units/price.ts';
import { epochMs } from '../../src/domain/units/time.ts';
import { LADDER_STEPS, LOWEST_PRICE, PRICE_TICK, priceAtStep } from './command-stream.ts';

const MOST_WH = 2 ** 31 - 1;
const PENALTY = 20_000;

/** A product whose band has `steps` prices; nothing in it refuses an order of a stream. */
export function benchProduct(mechanism: ProductRules['mechanism'], steps = LADDER_STEPS): ProductRules {
  const highest = pricePerKwh(priceAtStep(steps - 1));
  return {
    product: epochMs(0),
    mechanism,
    rationing: 'pro-rata',
    tick: PRICE_TICK,
    band: { lowest: pricePerKwh(LOWEST_PRICE), highest },
    importPrice: highest,
    penalty: pricePerKwh(PENALTY),
    maxVolume: wh(MOST_WH),
    fees: [pricePerKwh(0)],
    zoneLimits: [],
  };
}

/** Everyone has a capability and a collateral, so that both are counted for every order; neither is ever used up. */
export function admitMembers(members: Members, count: number): void {
  for (let member = 0; member < count; member += 1) members.admit(`home-${member}`, rulesOf(member));
}

function rulesOf(member: number): MemberRules {
  return { capability: wh(MOST_WH), collateral: Number.MAX_SAFE_INTEGER, group: member, zone: 0 };
}
