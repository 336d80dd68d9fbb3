import fc from 'fast-check';
import type { PositionSample, SettlementSample } from './settlement-samples.ts';

/** Members with any trades that meet, any registers, and deviations that balance as far as they can. */
export function anyInterval(): fc.Arbitrary<Omit<SettlementSample, 'market'>> {
  const energy = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 4_000 }), fc.integer({ min: 0, max: 2 ** 22 - 1 }));
  const member = fc.record({
    traded: energy,
    sells: fc.boolean(),
    imported: energy,
    exported: energy,
    substituted: fc.boolean(),
  });
  const price = fc.integer({ min: -500_000, max: 1_500_000 });
  return fc
    .record({
      members: fc.array(member, { minLength: 1, maxLength: 9 }),
      prices: fc.array(price, { minLength: 5, maxLength: 5 }),
      feeder: fc.record({ imported: energy, exported: energy }),
    })
    .map(({ members, prices, feeder }) => {
      const ladder = prices.toSorted((a, b) => a - b) as [number, number, number, number, number];
      return { ladder, feeder, positions: balance(trade(members)) };
    });
}

interface AnyMember {
  readonly traded: number;
  readonly sells: boolean;
  readonly imported: number;
  readonly exported: number;
  readonly substituted: boolean;
}

function trade(members: readonly AnyMember[]): Required<PositionSample>[] {
  const offered = (sells: boolean) => members.reduce((sum, each) => sum + (each.sells === sells ? each.traded : 0), 0);
  const traded = Math.min(offered(true), offered(false));
  const left = { true: traded, false: traded };
  return members.map(({ sells, imported, exported, substituted, ...each }, at) => {
    const filled = Math.min(each.traded, left[`${sells}`]);
    left[`${sells}`] -= filled;
    const [sold, bought] = sells ? [filled, 0] : [0, filled];
    const member = `member-${String(at).padStart(2, '0')}`;
    return { member, sold, bought, imported, exported, substituted, balancedLong: 0, balancedShort: 0 };
  });
}

function balance(positions: readonly Required<PositionSample>[]): PositionSample[] {
  const longOf = (p: Required<PositionSample>) => Math.max(0, p.exported - p.sold) + Math.max(0, p.bought - p.imported);
  const shortOf = (p: Required<PositionSample>) =>
    Math.max(0, p.sold - p.exported) + Math.max(0, p.imported - p.bought);
  const total = (side: typeof longOf) => positions.reduce((sum, each) => sum + side(each), 0);
  const met = Math.min(total(longOf), total(shortOf));
  let [long, short] = [met, met];
  return positions.map((each) => {
    const balancedLong = Math.min(long, longOf(each));
    const balancedShort = Math.min(short, shortOf(each));
    long -= balancedLong;
    short -= balancedShort;
    return { ...each, balancedLong, balancedShort };
  });
}
