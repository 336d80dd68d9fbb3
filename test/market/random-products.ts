import type { ProductRules, ZoneLimit } from '../../src/domain/market/book.ts';
import { wh } from '../../src/domain/units/energy.ts';
import { pricePerKwh } from '../../src/domain/units/price.ts';
import { epochMs } from '../../src/domain/units/time.ts';
import type { SeededRandom } from './seeded-random.ts';

/** The rules of one to three products of a market. Their zones are the same, as members are shared. */
export function randomProducts(random: SeededRandom): ProductRules[] {
  const zones = random.oneOf([1, 1, 1, 2, 3, 4]);
  const call = random.oneOf([0, 300, 300, 1000]);
  return Array.from({ length: random.oneOf([1, 1, 2, 3]) }, (_, position) =>
    randomProduct(random, position, zones, call),
  );
}

function randomProduct(random: SeededRandom, position: number, zones: number, callPerMille: number): ProductRules {
  const mechanism = random.happens(callPerMille) ? 'call' : 'continuous';
  const { tick, lowest, highest } = randomBand(random);
  return {
    product: epochMs(position * 900_000),
    mechanism,
    rationing: random.oneOf(['pro-rata', 'price-time']),
    tick,
    band: { lowest: pricePerKwh(lowest), highest: pricePerKwh(highest) },
    importPrice: pricePerKwh(
      random.happens(900) ? highest + random.below(tick) : lowest + random.below(highest - lowest + 1),
    ),
    penalty: pricePerKwh(random.oneOf([0, 0, 1, 5000])),
    maxVolume: wh(random.happens(900) ? 2 ** 31 - 1 : random.between(20, 4000)),
    fees: Array.from({ length: zones }, () => pricePerKwh(randomFee(random, tick, zones))),
    zoneLimits: mechanism === 'call' && zones > 1 ? randomLimits(random, zones) : [],
  };
}

/** Wide and narrow, of both signs; the widest with a reservation that nearly fills 31 bits. */
function randomBand(random: SeededRandom): { tick: number; lowest: number; highest: number } {
  if (random.happens(60)) return { tick: 30_000, lowest: -999_990_000, highest: -999_990_000 + 65_535 * 30_000 };
  const tick = random.oneOf([1, 7, 100, 100, 250]);
  const lowest = tick * random.oneOf([0, -3, -5000, 800, random.between(-3000, 3000)]);
  return {
    tick,
    lowest,
    highest: lowest + tick * random.oneOf([1, 3, 12, 31, 32, 33, 60, 300, 1023, 1024, 2200, 65_535]),
  };
}

function randomFee(random: SeededRandom, tick: number, zones: number): number {
  if (zones === 1 && random.happens(700)) return 0;
  return random.happens(30)
    ? random.oneOf([40 * tick, 5_000_000])
    : random.oneOf([0, 0, 1, tick - 1, tick, random.below(8 * tick)]);
}

function randomLimits(random: SeededRandom, zones: number): ZoneLimit[] {
  const density = random.oneOf([0, 300, 600, 1000]);
  const largest = random.oneOf([5, 60, 5000, 2 ** 31 - 1]);
  const limits: ZoneLimit[] = [];
  for (let from = 0; from < zones; from += 1) {
    for (let to = 0; to < zones; to += 1) {
      const capacity = wh(random.happens(100) ? 0 : random.below(largest) + 1);
      if (from !== to && random.happens(density)) limits.push({ from, to, capacity });
    }
  }
  return limits;
}
