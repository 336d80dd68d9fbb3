import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { clearMidMarket } from '../market/mid-market.ts';
import { acceptReading, bookSubstitute, closeInterval, NEW_METER } from '../metering/interval-energy.ts';
import { type CorrectedInterval, splitGap, substituteEnergy } from '../metering/substitute-reading.ts';
import { wh } from '../units/energy.ts';
import type { MarketId, MemberId } from '../units/identity.ts';
import { watt } from '../units/power.ts';
import { pricePerKwh } from '../units/price.ts';
import { epochMs } from '../units/time.ts';
import { addEntryToAccounts, addToAccounts, conservation, NEW_ACCOUNTS } from './accounts.ts';
import { settleAllocated } from './allocated-supply.ts';
import { billOf } from './bill.ts';
import { type CorrectingEntry, correctFeeder, correctGap } from './correcting-entry.ts';
import { closeFeeder } from './feeder-energy.ts';
import type { IntervalSettlement } from './interval-settlement.ts';
import { resettle, type SettlementRules } from './resettle.ts';
import { type MemberInterval, type SettlementInput, settleInterval } from './single-supply.ts';
import { addEntryToStatement, addToStatement, EMPTY_STATEMENT } from './statement.ts';

const LENGTH = 900_000;
const TICK = 100;
const ANNA = 'anna' as MemberId;
const RULES: SettlementRules = { tick: TICK, balancing: true, imbalanceWeightPermille: 500, afterDelivery: null };
const TARIFF = { importPrice: pricePerKwh(300_000), exportPrice: pricePerKwh(80_000) };

function quarter(index: number) {
  return { start: epochMs(index * LENGTH), lengthMs: LENGTH } as const;
}

type Four = readonly [bought: number, sold: number, imported: number, exported: number];

function home(member: string, [bought, sold, imported, exported]: Four, isMissing = false): MemberInterval {
  const origin = isMissing ? 'substituted' : 'metered';
  const energy = { imported: wh(imported), exported: wh(exported), origin } as const;
  return { member: member as MemberId, bought: wh(bought), sold: wh(sold), energy };
}

function inputOf(index: number, members: readonly MemberInterval[], feederNet: number): SettlementInput {
  return {
    ...{ market: 'elm' as MarketId, interval: quarter(index), tariff: TARIFF, tick: TICK, balancing: true, members },
    clearingPrice: members.some(({ sold }) => sold > 0) ? pricePerKwh(190_000) : null,
    feeder: { imported: wh(Math.max(0, feederNet)), exported: wh(Math.max(0, -feederNet)) },
  };
}

/** One substituted interval as the registers show it later. */
function corrected(index: number, booked: readonly [number, number], shown: readonly [number, number]) {
  const [imported, exported] = [wh(booked[0]), wh(booked[1])];
  return splitGap([{ interval: quarter(index), imported, exported }], {
    imported: wh(shown[0]),
    exported: wh(shown[1]),
  })[0] as CorrectedInterval;
}

function amountOf(settlement: IntervalSettlement, member: MemberId): bigint {
  return BigInt(settlement.amounts.members[settlement.positions.findIndex((p) => p.member === member)] ?? Number.NaN);
}

describe('a correcting entry of one interval', () => {
  const others = [home('bert', [600, 0, 600, 0]), home('cora', [0, 0, 0, 300])];
  const booked = settleInterval(inputOf(3, [home('anna', [0, 600, 0, 0], true), ...others], -300));

  test('brings the member to what the truth comes to, names its interval and leaves the neighbours alone', () => {
    const [correction] = correctGap(
      ANNA,
      [corrected(3, [0, 0], [0, 600])],
      [{ booked, standing: booked, rules: RULES }],
    );
    const { entry, standing } = correction ?? expect.fail('no correction');
    // Booked: 300 Wh of the shortfall met Cora's surplus, 300 Wh came from the utility. In truth there is no shortfall.
    const charged = 300 * 245_000 + 300 * 300_000;
    expect(entry).toMatchObject({ interval: quarter(3), gap: [quarter(3).start], imported: 0, exported: 600 });
    expect(entry.amounts).toEqual([{ member: ANNA, amount: BigInt(charged) }]);
    // The utility bought 300 Wh and did not sell 300; Cora keeps the price at which she met a shortfall that never was.
    expect(entry.utility).toBe(BigInt(-300 * 300_000 - 300 * 80_000));
    expect(entry.community).toBe(BigInt(-charged + 300 * 300_000 + 300 * 80_000));
    expect(amountOf(standing, ANNA)).toBe(600n * 190_000n);
  });

  test('restores conservation, and only adds to the books', () => {
    const before = addToAccounts(NEW_ACCOUNTS, booked);
    const gap = [corrected(3, [0, 0], [0, 600])];
    const [correction] = correctGap(ANNA, gap, [{ booked, standing: booked, rules: RULES }]);
    const { entry } = correction ?? expect.fail('no correction');
    expect(conservation(before)).toEqual({ energyWh: -600n, money: -300n * (80_000n + 300_000n) });
    const after = addEntryToAccounts(before, entry);
    expect(conservation(after)).toEqual({ energyWh: 0n, money: 0n });
    expect(after.members.get('cora' as MemberId)).toBe(before.members.get('cora' as MemberId));
    expect(after.intervals).toBe(1);
  });

  test('carries the penalty that a substitute does not, where the truth is a failure', () => {
    const penaltyRate = pricePerKwh(100_000);
    const input = { ...inputOf(3, [home('anna', [0, 600, 0, 0], true), ...others], -300), penaltyRate };
    const settled = settleInterval(input);
    expect(settled.positions[0]).toMatchObject({ cause: 'reading_missing' });
    expect(settled.positions[0]?.penalised).toBeUndefined();
    const gap = [corrected(3, [0, 0], [0, 100])];
    const [correction] = correctGap(ANNA, gap, [{ booked: settled, standing: settled, rules: RULES }]);
    expect(correction?.standing.positions[0]).toMatchObject({ cause: 'member', penalised: 500 });
    const excused = {
      ...input,
      members: [{ ...home('anna', [0, 600, 0, 0], true), shortfallCause: 'grid' as const }, ...others],
    };
    const curtailed = settleInterval(excused);
    const [free] = correctGap(ANNA, gap, [{ booked: curtailed, standing: curtailed, rules: RULES }]);
    expect(free?.standing.positions[0]).toMatchObject({ cause: 'grid' });
    expect(free?.standing.positions[0]?.penalised).toBeUndefined();
  });

  test('is on the statement of its member, apart from the intervals', () => {
    const gap = [corrected(3, [0, 0], [0, 600])];
    const [correction] = correctGap(ANNA, gap, [{ booked, standing: booked, rules: RULES }]);
    const { entry } = correction ?? expect.fail('no correction');
    const first = addToStatement(EMPTY_STATEMENT, booked.positions[0] ?? expect.fail(), booked.prices);
    const statement = addEntryToStatement(first, ANNA, entry);
    expect(statement).toMatchObject({ intervals: 1, substituted: 1, corrections: 1, balance: 600n * 190_000n });
    expect(statement.totals.get('correction/utility')).toEqual({ energy: 600n, amount: 163_500_000n });
    expect(billOf(statement).total).toBe(statement.balance);
    expect(addEntryToStatement(first, 'bert' as MemberId, entry)).toBe(first);
  });

  test('shares a pool again, at what its price would have been', () => {
    const rules: SettlementRules = { ...RULES, imbalanceWeightPermille: 0, afterDelivery: clearMidMarket };
    const empty = inputOf(
      3,
      [home('anna', [0, 0, 0, 0], true), home('bert', [0, 0, 1000, 0]), home('cora', [0, 0, 0, 10])],
      0,
    );
    const pooled = resettle(settleInterval(empty), new Map(), rules);
    expect(pooled.prices.local).toBe(297_800);
    const [correction] = correctGap(
      ANNA,
      [corrected(3, [0, 0], [0, 2000])],
      [{ booked: pooled, standing: pooled, rules }],
    );
    expect(correction?.standing.prices.local).toBe(153_000);
    expect(correction?.entry.amounts[0]?.amount).toBe(995n * 153_000n + 1005n * 80_000n);
  });
});

describe('two meters that were missing in one interval', () => {
  test('are corrected one after the other, and conservation is whole again', () => {
    const members = [
      home('anna', [0, 600, 0, 0], true),
      home('bert', [600, 0, 700, 0], true),
      home('cora', [0, 0, 0, 300]),
    ];
    const booked = settleInterval(inputOf(0, members, 450 - 500 - 300));
    let accounts = addToAccounts(NEW_ACCOUNTS, booked);
    const first = correctGap(ANNA, [corrected(0, [0, 0], [0, 500])], [{ booked, standing: booked, rules: RULES }])[0];
    const standing = first?.standing ?? expect.fail();
    accounts = addEntryToAccounts(accounts, first?.entry ?? expect.fail());
    const bert = 'bert' as MemberId;
    const second = correctGap(bert, [corrected(0, [700, 0], [450, 0])], [{ booked, standing, rules: RULES }])[0];
    accounts = addEntryToAccounts(accounts, second?.entry ?? expect.fail());
    expect(conservation(accounts)).toEqual({ energyWh: 0n, money: 0n });
    const truth = settleInterval(
      inputOf(0, [home('anna', [0, 600, 0, 500]), home('bert', [600, 0, 450, 0]), ...members.slice(2)], -350),
    );
    expect(accounts.members.get(bert)).toBe(amountOf(truth, bert));
  });
});

describe('a longer gap', () => {
  test('has the least favourable tariff for every Wh, whichever of its intervals it is booked in', () => {
    const dear = { importPrice: pricePerKwh(500_000), exportPrice: pricePerKwh(20_000) };
    const settled = [0, 1].map((index) => {
      const input = inputOf(index, [home('anna', [100, 0, 100, 0], true), home('bert', [0, 100, 0, 100])], 0);
      return settleInterval(index === 0 ? input : { ...input, tariff: dear });
    });
    const booked = settled.map(({ interval }) => ({ interval, imported: wh(100), exported: wh(0) }));
    const intervals = settled.map((each) => ({ booked: each, standing: each, rules: RULES }));
    const more = correctGap(ANNA, splitGap(booked, { imported: wh(300), exported: wh(41) }), intervals);
    expect(more.map(({ entry }) => [entry.imported, entry.exported])).toEqual([
      [50, 21],
      [50, 20],
    ]);
    expect(more.map(({ entry }) => entry.amounts[0]?.amount)).toEqual([
      BigInt(-50 * 500_000 + 21 * 20_000),
      BigInt(-50 * 500_000 + 20 * 20_000),
    ]);
    expect(more[0]?.entry.gap).toEqual([quarter(0).start, quarter(1).start]);
    const less = correctGap(ANNA, splitGap(booked, { imported: wh(100), exported: wh(0) }), intervals);
    expect(less.map(({ entry }) => entry.amounts[0]?.amount)).toEqual([1_000_000n, 1_000_000n]);
  });
});

/** What a home does in one interval, and when its reading of the end of it comes. */
const anyStep = fc.record({
  truth: fc.record({ imported: fc.nat(900), exported: fc.nat(900) }),
  traded: fc.record({ buys: fc.boolean(), energy: fc.nat(700) }),
  neighbour: fc.record({ imported: fc.nat(900), exported: fc.nat(900) }),
  reading: fc.constantFrom('in time', 'in time', 'late', 'never'),
});
type Step = typeof anyStep extends fc.Arbitrary<infer T> ? T : never;

/** Two good readings at the end: the first ends a gap, the second resolves it. */
const LAST: Step = {
  ...{ truth: { imported: 0, exported: 0 }, neighbour: { imported: 0, exported: 0 }, reading: 'in time' },
  traded: { buys: true, energy: 0 },
};

/** Runs Anna's meter and the street's settlement through it all; `inTruth`: what would have been with every reading. */
function run(steps: readonly Step[], lastWeek: (index: number) => number | null = () => null) {
  let track = NEW_METER;
  let [accounts, inTruth] = [NEW_ACCOUNTS, NEW_ACCOUNTS];
  const register = { imported: 0, exported: 0 };
  const settledWh = { imported: 0, exported: 0 };
  const booked = new Map<number, IntervalSettlement>();
  const entries: CorrectingEntry[] = [];
  const read = (minute: number) => {
    const at = epochMs(minute * 60_000);
    const registers = { importRegister: wh(register.imported), exportRegister: wh(register.exported) };
    const reading = { at, ...registers, power: watt(0), quality: 'good' } as const;
    track = acceptReading(track, reading, { maxPower: watt(99_999), lengthMs: LENGTH }).track;
  };
  read(0);
  let late: (() => void) | null = null;
  [...steps, LAST, LAST].forEach(({ truth, traded, neighbour, reading }, index) => {
    late?.();
    late = null;
    register.imported += truth.imported;
    register.exported += truth.exported;
    const { imported, exported } = register;
    if (reading === 'in time') read(15 * (index + 1));
    if (reading === 'late')
      late = () => {
        const now = { ...register };
        Object.assign(register, { imported, exported });
        read(15 * (index + 1));
        Object.assign(register, now);
      };
    const [bought, sold] = traded.buys ? [traded.energy, 0] : [0, traded.energy];
    const closed = closeInterval(track, quarter(index));
    const energy =
      closed.energy ?? substituteEnergy(wh(bought), lastWeek(index) === null ? null : wh(lastWeek(index) ?? 0));
    track = closed.energy === null ? bookSubstitute(closed.track, energy, quarter(index)) : closed.track;
    for (const gap of closed.resolved) {
      const intervals = gap.map(({ booked: { interval } }) => {
        const settlement = booked.get(interval.start) ?? expect.fail('settled before it is corrected');
        return { booked: settlement, standing: settlement, rules: RULES };
      });
      for (const { entry } of correctGap(ANNA, gap, intervals)) entries.push(entry);
    }
    const bert = home('bert', [sold, bought, neighbour.imported, neighbour.exported]);
    const net = truth.imported - truth.exported + neighbour.imported - neighbour.exported;
    const settlement = settleInterval(
      inputOf(index, [{ member: ANNA, bought: wh(bought), sold: wh(sold), energy }, bert], net),
    );
    booked.set(quarter(index).start, settlement);
    accounts = addToAccounts(accounts, settlement);
    settledWh.imported += energy.imported;
    settledWh.exported += energy.exported;
    const anna = home('anna', [bought, sold, truth.imported, truth.exported]);
    inTruth = addToAccounts(inTruth, settleInterval(inputOf(index, [anna, bert], net)));
  });
  for (const entry of entries) {
    accounts = addEntryToAccounts(accounts, entry);
    settledWh.imported += entry.imported;
    settledWh.exported += entry.exported;
  }
  return { accounts, inTruth, entries, booked, register, settledWh };
}

const anySteps = fc.array(anyStep, { minLength: 1, maxLength: 12 });

describe('over any sequence of readings and gaps', () => {
  test('what is settled is what the registers rose by, and every substitute is corrected exactly once', () => {
    fc.assert(
      fc.property(anySteps, fc.option(fc.nat(800)), (steps, lastWeek) => {
        const { register, settledWh, entries, booked, accounts } = run(steps, () => lastWeek);
        expect(settledWh).toEqual(register);
        const substituted = [...booked.values()].filter(({ positions }) => positions[0]?.origin === 'substituted');
        expect(entries.map(({ interval }) => interval.start)).toEqual(
          substituted.map(({ interval }) => interval.start),
        );
        expect(conservation(accounts).energyWh).toBe(0n);
        for (const { amounts, grid, community, utility } of entries) {
          expect(amounts.reduce((sum, { amount }) => sum + amount, 0n) + grid + community + utility).toBe(0n);
        }
      }),
    );
  });

  test('with every reading there in the end, however late, the member has what the truth comes to', () => {
    const anyLate = anySteps.map((steps) =>
      steps.map((step) => ({ ...step, reading: step.reading === 'never' ? ('late' as const) : step.reading })),
    );
    fc.assert(
      fc.property(anyLate, fc.option(fc.nat(800)), (steps, lastWeek) => {
        const { accounts, inTruth } = run(steps, () => lastWeek);
        expect(accounts.members.get(ANNA)).toBe(inTruth.members.get(ANNA));
        expect(conservation(accounts)).toEqual({ energyWh: 0n, money: 0n });
        expect(accounts.utility).toBe(inTruth.utility);
      }),
    );
  });

  test.each(['above', 'below'] as const)(
    'a member is never better off than with the truth, %s its substitutes',
    (where) => {
      // Above in one interval and below in another, the registers of a gap show only the sum.
      const anyOneSided = anySteps.map((steps) =>
        steps.map((step) => {
          const bought = step.traded.buys ? step.traded.energy : 0;
          const imported = where === 'above' ? bought + step.truth.imported : Math.min(bought, step.truth.imported);
          return { ...step, truth: { ...step.truth, imported } };
        }),
      );
      fc.assert(
        fc.property(anyOneSided, (steps) => {
          const { accounts, inTruth, entries } = run(steps);
          // One Wh may fall to either side when a balanced share is rounded to whole Wh.
          const rounding = BigInt(entries.length * (TARIFF.importPrice - TARIFF.exportPrice));
          const ahead = (accounts.members.get(ANNA) ?? 0n) - (inTruth.members.get(ANNA) ?? 0n);
          expect(ahead <= rounding).toBe(true);
        }),
        { numRuns: 300 },
      );
    },
  );
});

describe('under supply: allocated', () => {
  const others = [home('bert', [600, 0, 600, 0]), home('cora', [0, 0, 0, 300])];
  const booked = settleAllocated(inputOf(3, [home('anna', [0, 600, 0, 0], true), ...others], -300));

  test('an interval that the registers show is allocated again for everybody', () => {
    const gap = [corrected(3, [0, 0], [0, 500])];
    const [correction] = correctGap(ANNA, gap, [{ booked, standing: booked, rules: RULES }]);
    expect(correction?.entry).toMatchObject({
      amounts: [
        { member: 'anna', amount: 500n * 190_000n },
        { member: 'bert', amount: -500n * 190_000n },
      ],
      ...{ community: 0n, utility: 0n, utilityByFeeder: 0n },
    });
  });

  test('a longer gap moves Wh and no money', () => {
    const other = { ...booked, interval: quarter(4) };
    const gap = splitGap(
      [3, 4].map((index) => ({ interval: quarter(index), imported: wh(0), exported: wh(0) })),
      { imported: wh(0), exported: wh(1000) },
    );
    const rules = RULES;
    const intervals = [booked, other].map((each) => ({ booked: each, standing: each, rules }));
    for (const { entry } of correctGap(ANNA, gap, intervals)) {
      expect(entry).toMatchObject({ exported: 500, amounts: [], grid: 0n, community: 0n, utility: 0n });
    }
  });
});

describe("the feeder meter's missing reading", () => {
  test('is corrected at the tariff of its interval', () => {
    const start = {
      at: epochMs(0),
      importRegister: wh(0),
      exportRegister: wh(0),
      power: watt(0),
      quality: 'good',
    } as const;
    const limits = { maxPower: watt(99_999), lengthMs: LENGTH };
    const members = [home('anna', [0, 0, 100, 0]), home('bert', [0, 0, 0, 40])];
    const silent = closeFeeder(acceptReading(NEW_METER, start, limits).track, quarter(0), members, true);
    expect(silent.feeder).toEqual({ imported: 60, exported: 0 });
    expect(silent.track.gap).toMatchObject([{ imported: 60, exported: 0 }]);
    const booked = settleInterval({ ...inputOf(0, members, 0), feeder: silent.feeder });
    const late = acceptReading(silent.track, { ...start, at: epochMs(LENGTH), importRegister: wh(72) }, limits).track;
    const next = closeFeeder(late, quarter(1), members, true);
    const [gap] = next.resolved;
    const { entry, standing } = correctFeeder([quarter(0).start], gap?.[0] ?? expect.fail(), booked);
    expect(entry).toMatchObject({
      member: null,
      imported: 12,
      exported: 0,
      utilityByFeeder: 12n * 300_000n,
      amounts: [],
    });
    expect(standing.feeder).toEqual({ imported: 72, exported: 0 });
    const accounts = addEntryToAccounts(addToAccounts(NEW_ACCOUNTS, booked), entry);
    expect(conservation(accounts)).toEqual({ energyWh: 12n, money: 12n * 300_000n });
  });
});
