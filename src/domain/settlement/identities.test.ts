import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { wh } from '../units/energy.ts';
import type { MarketId, MemberId } from '../units/identity.ts';
import { pricePerKwh } from '../units/price.ts';
import type { Tariff } from '../units/tariff.ts';
import { epochMs } from '../units/time.ts';
import { addToAccounts, conservation, conservationOf, NEW_ACCOUNTS, payOut } from './accounts.ts';
import { settleAllocated } from './allocated-supply.ts';
import { billOf } from './bill.ts';
import { payOutCommunity } from './community-share.ts';
import type { IntervalSettlement } from './interval-settlement.ts';
import { type MemberInterval, type SettlementInput, settleInterval } from './single-supply.ts';
import { addShareToStatement, addToStatement, EMPTY_STATEMENT, statementLines } from './statement.ts';
import { type SettledTrade, tradedPositions } from './traded-positions.ts';

/** The identities of settlement over markets with every kind of trade: own prices, zones, fees, rent and penalties. */

const TICK = 100;

interface Home {
  readonly imported: number;
  readonly exported: number;
  readonly zone: number;
  readonly isMissing: boolean;
}

/** `from`, `to`: any numbers, taken modulo the homes. `at`, `rentAt`: thousandths of the band, and of what is left of it. */
interface Match {
  readonly from: number;
  readonly to: number;
  readonly energy: number;
  readonly at: number;
  readonly rentAt: number;
}

interface World {
  readonly homes: readonly Home[];
  readonly matches: readonly Match[];
  readonly exportPrice: number;
  readonly margin: number;
  readonly fees: readonly number[];
  readonly penalty: number;
  readonly weight: number;
  readonly balancing: boolean;
}

const anyWorld: fc.Arbitrary<World> = fc.record({
  homes: fc.array(
    fc.record({ imported: fc.nat(3000), exported: fc.nat(3000), zone: fc.nat(1), isMissing: fc.boolean() }),
    { minLength: 2, maxLength: 7 },
  ),
  matches: fc.array(
    fc.record({ from: fc.nat(99), to: fc.nat(99), energy: fc.nat(900), at: fc.nat(1000), rentAt: fc.nat(1000) }),
    { maxLength: 12 },
  ),
  exportPrice: fc.integer({ min: -2000, max: 2000 }).map((ticks) => ticks * TICK),
  margin: fc.integer({ min: 1, max: 4000 }).map((ticks) => ticks * TICK),
  fees: fc.tuple(fc.nat(20_000), fc.nat(20_000)),
  penalty: fc.nat(500_000),
  weight: fc.nat(1000),
  balancing: fc.boolean(),
});

function idOf(home: number): MemberId {
  return `home-${home}` as MemberId;
}

function tariffOf({ exportPrice, margin }: World): Tariff {
  return { importPrice: pricePerKwh(exportPrice + margin), exportPrice: pricePerKwh(exportPrice) };
}

function tradesOf({ homes, matches, exportPrice, margin }: World): SettledTrade[] {
  const upTo = (from: number, permille: number) =>
    pricePerKwh(from + Math.floor(((exportPrice + margin - from) * permille) / 1000 / TICK) * TICK);
  return matches.flatMap(({ from, to, energy, at, rentAt }) => {
    const [seller, buyer] = [from % homes.length, to % homes.length];
    if (seller === buyer || energy === 0) return [];
    const sellerPrice = upTo(exportPrice, at);
    const trade = { buyer: idOf(buyer), seller: idOf(seller), energy: wh(energy), price: upTo(sellerPrice, rentAt) };
    return [rentAt % 2 === 0 ? { ...trade, price: sellerPrice } : { ...trade, sellerPrice }];
  });
}

/** Everything that settlement is told, behind a lossless feeder. */
function inputOf(world: World): SettlementInput {
  const { members: traded, price, zoneRent } = tradedPositions(tradesOf(world), TICK);
  const members = world.homes.map((home, index): MemberInterval => {
    const member = idOf(index);
    const origin = home.isMissing ? 'substituted' : 'metered';
    const energy = { imported: wh(home.imported), exported: wh(home.exported), origin } as const;
    const gridFee = pricePerKwh(world.fees[home.zone] ?? 0);
    return { member, bought: wh(0), sold: wh(0), ...traded.get(member), energy, gridFee };
  });
  const net = members.reduce((sum, { energy }) => sum + energy.imported - energy.exported, 0);
  return {
    market: 'elm' as MarketId,
    interval: { start: epochMs(0), lengthMs: 900_000 },
    tariff: tariffOf(world),
    tick: TICK,
    clearingPrice: price,
    members,
    feeder: { imported: wh(Math.max(0, net)), exported: wh(Math.max(0, -net)) },
    imbalanceWeightPermille: world.weight,
    balancing: world.balancing,
    zoneRent,
    penaltyRate: pricePerKwh(world.penalty),
  };
}

/** The same readings with nothing traded and nothing shared. */
function alone(input: SettlementInput): IntervalSettlement {
  const { zoneRent: _, penaltyRate: __, ...rest } = input;
  const members = input.members.map(({ member, energy }) => ({ member, energy, bought: wh(0), sold: wh(0) }));
  return settleInterval({ ...rest, members, clearingPrice: null, balancing: false });
}

function sum(amounts: readonly (number | bigint)[]): bigint {
  return amounts.reduce<bigint>((total, amount) => total + BigInt(amount), 0n);
}

function everything({ members, community, utility, grid = 0n as never }: IntervalSettlement['amounts']): bigint {
  return sum([...members, community, utility, grid]);
}

describe('supply: single', () => {
  test('members, grid, community and utility sum to zero, and each posting is what the plain formula says', () => {
    fc.assert(
      fc.property(anyWorld, (world) => {
        const trades = tradesOf(world);
        const { positions, prices, amounts } = settleInterval(inputOf(world));
        expect(everything(amounts)).toBe(0n);
        positions.forEach((p, index) => {
          const paid = sum(trades.filter(({ buyer }) => buyer === p.member).map((t) => t.price * t.energy));
          const got = sum(
            trades.filter((t) => t.seller === p.member).map((t) => (t.sellerPrice ?? t.price) * t.energy),
          );
          const long = Math.max(0, p.exported - p.sold) + Math.max(0, p.bought - p.imported);
          const short = Math.max(0, p.sold - p.exported) + Math.max(0, p.imported - p.bought);
          const street = p.balancedLong * prices.long - p.balancedShort * prices.short;
          const rest =
            (long - p.balancedLong) * prices.tariff.exportPrice - (short - p.balancedShort) * prices.tariff.importPrice;
          const fee = Math.min(p.bought, p.imported) * (world.fees[world.homes[index]?.zone ?? 0] ?? 0);
          const missing = p.sold - p.exported;
          const isPenalised = p.origin === 'metered' && missing > Math.max(100, p.sold / 10);
          const penalty = isPenalised ? missing * world.penalty : 0;
          expect(amounts.members[index]).toBe(got - paid + sum([street, rest, -fee, -penalty]));
        });
      }),
    );
  });

  test('the books agree with the feeder meter in Wh and in money', () => {
    fc.assert(
      fc.property(anyWorld, (world) => {
        expect(conservationOf(settleInterval(inputOf(world)))).toEqual({ energyWh: 0n, money: 0n });
      }),
    );
  });

  test('savings against feed-in plus grid fees plus the community account are the ceiling of perfect sharing', () => {
    fc.assert(
      fc.property(anyWorld, (world) => {
        const input = { ...inputOf(world), balancing: true };
        const { amounts } = settleInterval(input);
        const saving = sum(amounts.members) - sum(alone(input).amounts.members);
        const drawn = world.homes.reduce((total, { imported }) => total + imported, 0);
        const fedIn = world.homes.reduce((total, { exported }) => total + exported, 0);
        const ceiling = BigInt(Math.min(drawn, fedIn) * world.margin);
        expect(saving + sum([amounts.community, amounts.grid ?? 0])).toBe(ceiling);
      }),
    );
  });

  test('the bill is trades, deviation, grid fee, penalties and community share, over intervals and to the nano', () => {
    fc.assert(
      fc.property(fc.array(anyWorld, { minLength: 1, maxLength: 4 }), (worlds) => {
        let accounts = NEW_ACCOUNTS;
        let statement = EMPTY_STATEMENT;
        const expected = { trades: 0n, deviation: 0n, gridFee: 0n, penalties: 0n };
        for (const world of worlds) {
          const settlement = settleInterval(inputOf(world));
          const { positions, prices, amounts } = settlement;
          const [own] = positions;
          if (own === undefined) throw new Error('nobody lives here');
          accounts = addToAccounts(accounts, settlement);
          statement = addToStatement(statement, own, prices);
          const lines = statementLines(own, prices);
          const ofParty = (party: string) => sum(lines.filter((l) => l.party === party).map((l) => l.amount));
          expected.trades += ofParty('trade');
          expected.deviation += ofParty('street') + ofParty('utility');
          expected.gridFee += ofParty('grid');
          expected.penalties += ofParty('community');
          expect(sum(lines.map(({ amount }) => amount))).toBe(amounts.members[0]);
        }
        const shares = payOutCommunity(accounts.community, 'equal', [keyed(0), keyed(1)]);
        const communityShare = shares[0]?.amount ?? 0n;
        statement = addShareToStatement(statement, communityShare as never);
        const total = payOut(accounts, shares).members.get(idOf(0));
        expect(billOf(statement)).toEqual({ ...expected, communityShare, total });
        expect(conservation(payOut(accounts, shares)).money).toBe(conservation(accounts).money);
      }),
    );
  });
});

function keyed(home: number) {
  const none = 0n as never;
  return { member: idOf(home), consumption: none, generation: none, traded: none, weightPermille: 0 };
}

describe('a planted error of 1 Wh is seen', () => {
  const anyPlace = fc.record({ world: anyWorld, at: fc.nat(99) });

  test.each(['imported', 'exported'] as const)('in the %s register of any member', (register) => {
    fc.assert(
      fc.property(anyPlace, ({ world, at }) => {
        const { importPrice, exportPrice } = tariffOf(world);
        fc.pre(importPrice !== 0 && exportPrice !== 0);
        const input = inputOf(world);
        const members = input.members.map((each, index) => {
          if (index !== at % world.homes.length) return each;
          return { ...each, energy: { ...each.energy, [register]: wh(each.energy[register] + 1) } };
        });
        const { energyWh, money } = conservationOf(settleInterval({ ...input, members }));
        expect(energyWh).toBe(register === 'imported' ? -1n : 1n);
        expect(money).not.toBe(0n);
        expect(conservationOf(settleAllocated({ ...input, members })).energyWh).toBe(energyWh);
      }),
    );
  });

  test.each(['imported', 'exported'] as const)('in the %s register of the feeder meter', (register) => {
    fc.assert(
      fc.property(anyWorld, (world) => {
        const { importPrice, exportPrice } = tariffOf(world);
        fc.pre(importPrice !== 0 && exportPrice !== 0);
        const input = inputOf(world);
        const feeder = { ...input.feeder, [register]: wh(input.feeder[register] + 1) };
        const { energyWh, money } = conservationOf(settleInterval({ ...input, feeder }));
        expect(energyWh).toBe(register === 'imported' ? 1n : -1n);
        expect(money).toBe(BigInt(register === 'imported' ? importPrice : -exportPrice));
        expect(conservationOf(settleAllocated({ ...input, feeder })).energyWh).toBe(energyWh);
      }),
    );
  });

  test.each(['bought', 'sold'] as const)('in what any member %s: the two sides of the trades differ', (side) => {
    fc.assert(
      fc.property(anyPlace, ({ world, at }) => {
        const input = inputOf(world);
        const members = input.members.map((each, index) =>
          index === at % world.homes.length ? { ...each, [side]: wh(each[side] + 1) } : each,
        );
        expect(() => settleInterval({ ...input, members })).toThrow('Wh bought and');
        expect(() => settleAllocated({ ...input, members })).toThrow('Wh bought and');
      }),
    );
  });

  test('and so is one nano in what a trade comes to, and in the rent', () => {
    fc.assert(
      fc.property(anyPlace, ({ world, at }) => {
        const input = inputOf(world);
        expect(() => settleInterval({ ...input, zoneRent: (sum([input.zoneRent ?? 0]) + 1n) as never })).toThrow('bug');
        const wrong = input.members.map((each, index) => {
          if (index !== at % world.homes.length || each.tradeAmounts === undefined) return each;
          return { ...each, tradeAmounts: { ...each.tradeAmounts, bought: (each.tradeAmounts.bought - 1) as never } };
        });
        fc.pre(wrong.some((each, index) => each !== input.members[index]));
        expect(() => settleInterval({ ...input, members: wrong })).toThrow('bug');
      }),
    );
  });
});

describe('settlement is total', () => {
  /** Large energies at prices that nobody has seen, and larger energies: a single posting stays exact. */
  const anyBounds = fc.constantFrom(
    { most: 2 ** 22 - 1, dearest: 2 ** 31 - 1 - 2 * TICK },
    { most: 2 ** 32 - 1, dearest: 2_096_999 },
  );
  const anyExtreme = anyBounds.chain(({ most, dearest }) => {
    const energy = fc.oneof(fc.constantFrom(0, 1, most), fc.nat(most));
    const price = fc.oneof(fc.constantFrom(-dearest, -1, 0, 1, dearest), fc.integer({ min: -dearest, max: dearest }));
    const home = fc.record({
      bought: energy,
      sold: energy,
      imported: energy,
      exported: energy,
      isMissing: fc.boolean(),
    });
    const homes = fc.array(home, { maxLength: 6 });
    return fc.record({
      homes,
      importPrice: price,
      exportPrice: price,
      local: fc.option(price),
      balancing: fc.boolean(),
    });
  });

  test('any reading, balance and tariff has an outcome that sums to zero and a statement that says so', () => {
    fc.assert(
      fc.property(anyExtreme, ({ homes, importPrice, exportPrice, local, balancing }) => {
        const members = homes.map((home, index): MemberInterval => {
          const partner = homes[index % 2 === 0 ? index + 1 : index - 1];
          const bought = partner === undefined ? 0 : Math.min(home.bought, partner.sold);
          const sold = partner === undefined ? 0 : Math.min(home.sold, partner.bought);
          const origin = home.isMissing ? 'substituted' : 'metered';
          const energy = { imported: wh(home.imported), exported: wh(home.exported), origin } as const;
          return { member: idOf(index), bought: wh(bought), sold: wh(sold), energy, gridFee: pricePerKwh(1) };
        });
        const input: SettlementInput = {
          ...{ market: 'elm' as MarketId, interval: { start: epochMs(0), lengthMs: 900_000 }, tick: TICK, balancing },
          tariff: { importPrice: pricePerKwh(importPrice), exportPrice: pricePerKwh(exportPrice) },
          clearingPrice: local === null ? null : pricePerKwh(local),
          ...{ members, feeder: { imported: wh(2 ** 47), exported: wh(0) }, penaltyRate: pricePerKwh(1) },
        };
        for (const settlement of [settleInterval(input), settleAllocated(input)]) {
          const { positions, prices, amounts } = settlement;
          expect(everything(amounts)).toBe(0n);
          positions.forEach((position, index) => {
            expect(sum(statementLines(position, prices).map(({ amount }) => amount))).toBe(amounts.members[index]);
          });
          const { members: paid } = addToAccounts(NEW_ACCOUNTS, settlement);
          expect([...paid.values()]).toEqual([...amounts.members]);
        }
      }),
      { numRuns: 300 },
    );
  });
});
