import type { MarketTerms } from '../../src/domain/engine/command.ts';
import type { Nano } from '../../src/domain/units/money.ts';
import type { Watt } from '../../src/domain/units/power.ts';
import type { PricePerKwh } from '../../src/domain/units/price.ts';
import type { EpochMs } from '../../src/domain/units/time.ts';
import { OTHER_PRODUCT, PRODUCT, ProofMarket, terms } from './proof-market.ts';

const MEMBERS = 6;

/** A die with a seed: the same seed, the same market. */
export function die(seed: number): (sides: number) => number {
  let state = (seed ^ 0x9e3779b9) >>> 0;
  return (sides) => {
    state = (Math.imul(state ^ (state >>> 15), 0x85ebca6b) + 0x6d2b79f5) >>> 0;
    return ((state ^ (state >>> 13)) >>> 0) % sides;
  };
}

/** Two products under random terms, with orders, withdrawals, halts and changes of the members between one another. */
export async function randomMarket(seed: number, commands: number): Promise<ProofMarket> {
  const roll = die(seed);
  const market = new ProofMarket();
  let now = randomTerms(roll);
  market.start(now, PRODUCT, OTHER_PRODUCT);
  for (let left = commands; left > 0; left -= 1) {
    const what = roll(24);
    if (what === 0) {
      const member = roll(3) === 0 ? null : (now.members[roll(now.members.length)]?.id ?? null);
      market.apply({ type: roll(3) === 0 ? 'halt' : 'resume', at: 0 as EpochMs, member });
    } else if (what === 1) {
      now = randomTerms(roll, now);
      market.apply({ type: 'terms', at: 0 as EpochMs, terms: now });
    } else if (what < 6) market.cancel(roll(MEMBERS), roll(4), roll(4) === 0 ? OTHER_PRODUCT : PRODUCT);
    else randomOrder(market, roll);
    if (roll(3) === 0) await market.seal();
  }
  return market;
}

function randomOrder(market: ProofMarket, roll: (sides: number) => number): void {
  const side = roll(2) === 0 ? 'buy' : 'sell';
  const type = (['limit', 'limit', 'limit', 'market', 'ioc', 'fok'] as const)[roll(6)] ?? 'limit';
  market.order({
    ...{ member: roll(MEMBERS), clientOrderId: roll(8), side, type },
    limit: 80_000 + 10_000 * roll(23) + (roll(20) === 0 ? 50 : 0),
    energy: roll(30) === 0 ? 0 : 1 + roll(1500),
    ...(roll(6) === 0 ? { replaces: roll(8) } : {}),
    clockOffMs: roll(15) === 0 ? 51 : roll(50),
    product: roll(4) === 0 ? OTHER_PRODUCT : PRODUCT,
  });
}

/** Of a market that runs, the members alone change; who was admitted first stays, so that somebody can always sign. */
function randomTerms(roll: (sides: number) => number, before?: MarketTerms): MarketTerms {
  const zones = before === undefined ? randomZones(roll) : before.zones;
  const { members } = terms(before === undefined ? MEMBERS : MEMBERS - roll(2));
  const base =
    before ??
    terms(0, {
      mechanism: roll(2) === 0 ? 'call' : 'continuous',
      rationing: roll(2) === 0 ? 'pro-rata' : 'price-time',
      penalty: (10_000 * roll(3)) as PricePerKwh,
      ...(zones === undefined ? {} : { zones, zoneLimits: [{ from: 'east', to: 'west', limit: 2000 as Watt }] }),
    });
  return {
    ...base,
    members: members.map((member) => ({
      ...member,
      exportCapability: (2000 + 1000 * roll(8)) as Watt,
      ...(roll(3) === 0 ? { collateral: (100_000_000 * (1 + roll(9))) as Nano } : {}),
      ...(roll(4) === 0 ? { owner: 'landlord' } : {}),
      ...(zones === undefined ? {} : { zone: roll(2) === 0 ? 'east' : 'west' }),
    })),
  };
}

function randomZones(roll: (sides: number) => number): MarketTerms['zones'] {
  if (roll(3) > 0) return undefined;
  return [
    { id: 'east', fee: 0 as PricePerKwh },
    { id: 'west', fee: 5000 as PricePerKwh },
  ];
}
