import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Load } from '../forecast/load.ts';
import { wh } from '../units/energy.ts';
import { watt } from '../units/power.ts';
import { pricePerKwh } from '../units/price.ts';
import { type Battery, oneWayEfficiencyPpm, selfConsume } from './battery-rule.ts';
import { dispatchHome, planHome } from './home-dispatch.ts';
import { ruleOrders } from './rule-agent.ts';

const HOUR = 3_600_000;
const BATTERY: Battery = { capacity: wh(6400), maxPower: watt(5000), oneWayPpm: 948_683, sellAbovePermille: null };
const SELLER: Battery = { ...BATTERY, sellAbovePermille: 500 };

function load(consumption: number, generation: number): Load {
  return { consumption: wh(consumption), generation: wh(generation) };
}

test('the round trip is parted by square root, rounded down', () => {
  expect([0.9, 0.92, 1, 0.81].map(oneWayEfficiencyPpm)).toEqual([948_683, 959_166, 1_000_000, 900_000]);
});

describe('the self-consumption rule', () => {
  test.each([
    ['charges the surplus', 0, load(0, 1000), { charged: 1000, discharged: 0, stored: 948 }],
    ['charges no faster than its power', 0, load(0, 9000), { charged: 5000, discharged: 0, stored: 4743 }],
    ['charges no more than fits', 6000, load(0, 9000), { charged: 421, discharged: 0, stored: 6399 }],
    ['serves the deficit', 3000, load(1000, 0), { charged: 0, discharged: 1000, stored: 1945 }],
    ['gives no more than it holds', 500, load(1000, 0), { charged: 0, discharged: 474, stored: 0 }],
    ['rests where nothing is over or short', 500, load(700, 700), { charged: 0, discharged: 0, stored: 500 }],
  ])('%s', (_, stored, { consumption, generation }, expected) => {
    const surplus = wh(Math.max(0, generation - consumption));
    const deficit = wh(Math.max(0, consumption - generation));
    expect(selfConsume(BATTERY, wh(stored), surplus, deficit, HOUR)).toEqual(expected);
  });
});

describe('a home', () => {
  test('offers charge above the threshold, and delivers it when it was sold', () => {
    const devices = { battery: SELLER, stored: wh(5200) };
    expect(planHome(devices, load(500, 0), HOUR)).toEqual({ surplus: 1397, deficit: 0 });
    expect(dispatchHome(devices, load(500, 0), wh(1397), true, HOUR)).toMatchObject({ exported: 1397, stored: 3200 });
    expect(dispatchHome(devices, load(500, 0), wh(0), true, HOUR)).toMatchObject({ exported: 0, stored: 4672 });
  });

  test('sells surplus instead of charging it once the charge is above the threshold', () => {
    const devices = { battery: SELLER, stored: wh(3000) };
    expect(planHome(devices, load(0, 2000), HOUR)).toEqual({ surplus: 1789, deficit: 0 });
    expect(dispatchHome(devices, load(0, 2000), wh(1789), true, HOUR)).toMatchObject({ exported: 1789, stored: 3200 });
  });

  test('with its export path open exports nothing and still uses its own sun', () => {
    const devices = { battery: BATTERY, stored: wh(6399) };
    expect(dispatchHome(devices, load(500, 2000), wh(900), false, HOUR)).toMatchObject({
      imported: 0,
      exported: 0,
      curtailed: 1499,
    });
  });

  const anyHome = fc.record({
    capacity: fc.integer({ min: 1, max: 20_000 }),
    maxPower: fc.integer({ min: 1, max: 10_000 }),
    roundTrip: fc.double({ min: 0.5, max: 1, noNaN: true }),
    threshold: fc.option(fc.nat(1000)),
    charge: fc.double({ min: 0, max: 1, noNaN: true }),
    consumption: fc.nat(8000),
    generation: fc.nat(8000),
  });

  test('whatever it plans from a perfect forecast it delivers, within the limits of the battery and without making energy', () => {
    fc.assert(
      fc.property(anyHome, ({ capacity, maxPower, roundTrip, threshold, charge, consumption, generation }) => {
        const battery: Battery = {
          capacity: wh(capacity),
          maxPower: watt(maxPower),
          oneWayPpm: oneWayEfficiencyPpm(roundTrip),
          sellAbovePermille: threshold,
        };
        const stored = wh(Math.floor(capacity * charge));
        const plan = planHome({ battery, stored }, load(consumption, generation), HOUR);
        const flow = dispatchHome({ battery, stored }, load(consumption, generation), plan.surplus, true, HOUR);
        expect([flow.exported, flow.imported]).toEqual([plan.surplus, plan.deficit]);
        expect(flow.stored).toBeGreaterThanOrEqual(0);
        expect(flow.stored).toBeLessThanOrEqual(capacity);
        const lost = generation + flow.imported + stored - (consumption + flow.exported + flow.stored);
        expect(lost).toBeGreaterThanOrEqual(0);
        const offered = plan.surplus > Math.max(0, generation - consumption);
        if (offered && threshold !== null)
          expect(flow.stored).toBeGreaterThanOrEqual(Math.floor((capacity * threshold) / 1000));
      }),
    );
  });
});

describe('the rule agent', () => {
  const band = { lowest: pricePerKwh(80_000), highest: pricePerKwh(300_000) };
  const plan = { surplus: wh(700), deficit: wh(0) };
  const price = (value: number) => pricePerKwh(value);

  test.each([
    ['sells the surplus at the export edge', plan, {}, [{ side: 'sell', type: 'limit', limit: 80_000, energy: 700 }]],
    [
      'buys the deficit at the import edge',
      { surplus: wh(0), deficit: wh(5) },
      {},
      [{ side: 'buy', type: 'limit', limit: 300_000, energy: 5 }],
    ],
    ['stays away with nothing to trade', { surplus: wh(0), deficit: wh(0) }, {}, []],
    [
      'keeps to the least price of the member',
      plan,
      { sellAtLeast: price(120_010) },
      [{ side: 'sell', type: 'limit', limit: 120_100, energy: 700 }],
    ],
    ['sells nothing where that is above the band', plan, { sellAtLeast: price(300_001) }, []],
    [
      'keeps to the highest price of the member',
      { surplus: wh(0), deficit: wh(5) },
      { buyAtMost: price(120_010) },
      [{ side: 'buy', type: 'limit', limit: 120_000, energy: 5 }],
    ],
    ['buys nothing where that is below the band', { surplus: wh(0), deficit: wh(5) }, { buyAtMost: price(79_999) }, []],
  ])('%s', (_, each, preference, orders) => {
    expect(ruleOrders(each, band, 100, preference)).toEqual(orders);
  });
});
