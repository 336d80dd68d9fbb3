import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { ForecastMethod } from '../domain/interval-cycle.ts';
import { MECHANISMS, type MechanismName } from '../domain/market/mechanism.ts';
import { conservation } from '../domain/settlement/accounts.ts';
import { wh } from '../domain/units/energy.ts';
import type { MarketId, MemberId } from '../domain/units/identity.ts';
import { watt } from '../domain/units/power.ts';
import { pricePerKwh } from '../domain/units/price.ts';
import { epochMs } from '../domain/units/time.ts';
import { type BatchHome, type BatchState, type BatchTerms, runInterval, startBatch } from './batch-driver.ts';

const LENGTH = 3_600_000;
const TARIFF = { importPrice: pricePerKwh(300_000), exportPrice: pricePerKwh(80_000) };
const BATTERY = { capacity: wh(3000), maxPower: watt(1500), oneWayPpm: 950_000, sellAbovePermille: 400 };

type Hours = readonly (readonly [number, number])[];

function home(index: number, hours: Hours, battery: boolean): BatchHome {
  return {
    member: `home-${index}` as MemberId,
    devices: { battery: battery ? BATTERY : null, stored: wh(battery ? 1000 : 0) },
    preference: {},
    load: (start) => {
      const hour = hours[start / LENGTH];
      return hour === undefined ? null : { consumption: wh(hour[0]), generation: wh(hour[1]) };
    },
  };
}

function terms(
  street: readonly Hours[],
  mechanism: MechanismName,
  forecast: ForecastMethod,
  battery = false,
): BatchTerms {
  return {
    market: 'elm' as MarketId,
    lengthMs: LENGTH,
    timezone: 'UTC',
    tick: 100,
    gateLeadMs: 300_000,
    mechanism: MECHANISMS[mechanism],
    forecast,
    homes: street.map((hours, index) => home(index, hours, battery)),
  };
}

/** Runs every hour; `between` may change the street before each. */
function run(batch: BatchTerms, hours: number, between = (state: BatchState, _: number) => state) {
  let state = startBatch(batch, epochMs(0));
  const outcomes = [];
  for (let hour = 0; hour < hours; hour += 1) {
    const result = runInterval(
      batch,
      between(state, hour),
      { start: epochMs(hour * LENGTH), lengthMs: LENGTH },
      TARIFF,
    );
    state = result.state;
    outcomes.push(result.outcome);
  }
  return { state, outcomes };
}

function bill(state: BatchState): bigint {
  return -[...state.books.accounts.members.values()].reduce((sum, amount) => sum + amount, 0n);
}

const anyStreet = fc.tuple(fc.integer({ min: 1, max: 5 }), fc.integer({ min: 1, max: 30 })).chain(([homes, hours]) => {
  const hour = fc.tuple(fc.nat(3000), fc.nat(3000));
  return fc.array(fc.array(hour, { minLength: hours, maxLength: hours }), { minLength: homes, maxLength: homes });
});
const anyMechanism = fc.constantFrom<MechanismName>('call', 'mid-market', 'feed-in');
const anyForecast = fc.constantFrom<ForecastMethod>('perfect', 'yesterday');

test('on any street, under any mechanism and forecast, with batteries or without, the books add up', () => {
  fc.assert(
    fc.property(anyStreet, anyMechanism, anyForecast, fc.boolean(), (street, mechanism, forecast, battery) => {
      const hours = street[0]?.length ?? 0;
      const { state } = run(terms(street, mechanism, forecast, battery), hours);
      expect(conservation(state.books.accounts)).toEqual({ energyWh: 0n, money: 0n });
      expect([...state.books.statements.values()].reduce((sum, { balance }) => sum + balance, 0n)).toBe(-bill(state));
    }),
    { numRuns: 60 },
  );
});

test('without batteries, whatever the forecast, saving and community account are the ceiling of perfect sharing', () => {
  fc.assert(
    fc.property(
      anyStreet,
      fc.constantFrom<MechanismName>('call', 'mid-market'),
      anyForecast,
      (street, mechanism, forecast) => {
        const hours = street[0]?.length ?? 0;
        const alone = run(terms(street, 'feed-in', 'perfect'), hours).state;
        const shared = run(terms(street, mechanism, forecast), hours).state;
        const pooled = Array.from({ length: hours }, (_, hour) => {
          const nets = street.map((home) => (home[hour]?.[0] ?? 0) - (home[hour]?.[1] ?? 0));
          const drawn = nets.reduce((sum, net) => sum + Math.max(0, net), 0);
          const fed = nets.reduce((sum, net) => sum + Math.max(0, -net), 0);
          return Math.min(drawn, fed);
        }).reduce((sum, energy) => sum + energy, 0);
        expect(bill(alone) - bill(shared) + shared.books.accounts.community).toBe(BigInt(pooled * 220_000));
      },
    ),
    { numRuns: 60 },
  );
});

test('with a perfect forecast and no battery nothing is left to balance and nobody pays more than alone', () => {
  fc.assert(
    fc.property(anyStreet, (street) => {
      const hours = street[0]?.length ?? 0;
      const alone = run(terms(street, 'feed-in', 'perfect'), hours).state.books.accounts;
      const shared = run(terms(street, 'call', 'perfect'), hours).state.books.accounts;
      expect(shared.community).toBe(0n);
      for (const [member, amount] of shared.members) expect(amount >= (alone.members.get(member) ?? 0n)).toBe(true);
    }),
    { numRuns: 60 },
  );
});

test('one meter that counts 1 Wh too much makes the books disagree in energy and in money', () => {
  const street: Hours[] = [
    [
      [0, 900],
      [0, 500],
    ],
    [
      [400, 0],
      [900, 0],
    ],
  ];
  const lie = (state: BatchState, hour: number): BatchState =>
    hour !== 1
      ? state
      : {
          ...state,
          meters: state.meters.map((meter, index) =>
            index === 0 ? { ...meter, exportRegister: wh(meter.exportRegister + 1) } : meter,
          ),
        };
  const { energyWh, money } = conservation(run(terms(street, 'call', 'perfect'), 2, lie).state.books.accounts);
  expect(energyWh).toBe(1n);
  expect(money).not.toBe(0n);
});

test('under an inverted tariff the product does not open and everyone pays the utility', () => {
  const batch = terms([[[0, 900]], [[400, 0]]], 'call', 'perfect');
  const tariff = { importPrice: pricePerKwh(50_000), exportPrice: pricePerKwh(80_000) };
  const { state, outcome } = runInterval(
    batch,
    startBatch(batch, epochMs(0)),
    { start: epochMs(0), lengthMs: LENGTH },
    tariff,
  );
  expect(outcome.price).toBeNull();
  expect([...state.books.accounts.members.values()]).toEqual([72_000_000n, -20_000_000n]);
  expect(conservation(state.books.accounts)).toEqual({ energyWh: 0n, money: 0n });
});

test('what a battery offers above its threshold is sold and delivered', () => {
  const { outcomes, state } = run(terms([[[0, 0]]], 'call', 'perfect', true), 1);
  expect(outcomes[0]?.flows[0]).toMatchObject({ exported: 0, stored: 1000 });
  expect(state.devices[0]?.stored).toBe(1000);
  const sold = run({ ...terms([[[0, 0]]], 'call', 'perfect', true), homes: twoHomes() }, 1);
  expect(sold.outcomes[0]?.flows.map(({ exported, imported }) => [exported, imported])).toEqual([
    [760, 0],
    [0, 900],
  ]);
});

/** A charged battery that is for sale above 40 %, and a neighbour in need. */
function twoHomes(): BatchHome[] {
  const seller = home(0, [[0, 0]], true);
  return [{ ...seller, devices: { ...seller.devices, stored: wh(2000) } }, home(1, [[900, 0]], false)];
}
