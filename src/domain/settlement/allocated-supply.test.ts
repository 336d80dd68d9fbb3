import fc from 'fast-check';
import { expect, test } from 'vitest';
import { shareByLargestRemainder } from '../units/division.ts';
import { wh } from '../units/energy.ts';
import type { MarketId, MemberId } from '../units/identity.ts';
import { pricePerKwh } from '../units/price.ts';
import { epochMs } from '../units/time.ts';
import { conservationOf } from './accounts.ts';
import { settleAllocated } from './allocated-supply.ts';
import { allocationCsv, allocationRows } from './allocation-file.ts';
import type { MemberInterval, SettlementInput } from './single-supply.ts';
import { statementLines } from './statement.ts';
import { verifyDelivery } from './verify-delivery.ts';

type Four = readonly [bought: number, sold: number, imported: number, exported: number];

function home(member: string, [bought, sold, imported, exported]: Four): MemberInterval {
  const energy = { imported: wh(imported), exported: wh(exported), origin: 'metered' } as const;
  return { member: member as MemberId, bought: wh(bought), sold: wh(sold), energy };
}

function inputOf(members: readonly MemberInterval[], more: Partial<SettlementInput> = {}): SettlementInput {
  const net = members.reduce((sum, { energy }) => sum + energy.imported - energy.exported, 0);
  return {
    ...{
      market: 'elm' as MarketId,
      interval: { start: epochMs(Date.UTC(2026, 5, 21, 9)), lengthMs: 900_000 },
      members,
    },
    ...{ tariff: { importPrice: pricePerKwh(300_000), exportPrice: pricePerKwh(80_000) }, tick: 100, balancing: true },
    clearingPrice: pricePerKwh(190_000),
    feeder: { imported: wh(Math.max(0, net)), exported: wh(Math.max(0, -net)) },
    ...more,
  };
}

/** Anna sold 600 Wh and exported 500; Bert took all that he bought, Cora half of it. */
const STREET = [home('anna', [0, 600, 40, 500]), home('bert', [400, 0, 450, 0]), home('cora', [200, 0, 100, 30])];

test('the ledger moves what was traded and metered on both sides, and shows the rest', () => {
  const { positions, prices, amounts } = settleAllocated(inputOf(STREET));
  expect(positions.map(({ bought, sold }) => [bought, sold])).toEqual([
    [0, 500],
    [400, 0],
    [100, 0],
  ]);
  expect(amounts).toEqual({
    members: [95_000_000n, -76_000_000n, -19_000_000n],
    ...{ community: 0n, utility: 0n, grid: 0n },
  });
  const [anna, bert] = positions;
  const lines = (position = anna) =>
    statementLines(position ?? expect.fail(), prices).map((line) => [
      line.reason,
      line.party,
      line.energy,
      line.amount,
    ]);
  expect(lines()).toEqual([
    ['sold', 'trade', 500, 95_000_000],
    ['unmatched_import', 'contract', 40, 0],
  ]);
  expect(lines(bert)).toEqual([
    ['bought', 'trade', 400, -76_000_000],
    ['unmatched_import', 'contract', 50, 0],
  ]);
  expect(verifyDelivery(anna ?? expect.fail())).toMatchObject({
    sale: { traded: 600, missing: 100 },
    code: 'DELIVERED',
  });
});

test('where one side has less it is shared pro-rata on the other, ties by member id', () => {
  const members = [home('c', [5, 0, 5, 0]), home('b', [5, 0, 5, 0]), home('a', [5, 0, 5, 0]), home('d', [0, 15, 0, 7])];
  const { positions } = settleAllocated(inputOf(members));
  expect(positions.map(({ member, bought, sold }) => [member, bought, sold])).toEqual([
    ['a', 3, 0],
    ['b', 2, 0],
    ['c', 2, 0],
    ['d', 0, 7],
  ]);
});

test('a grid fee is due on what is allocated, a penalty on what is missing of what was sold', () => {
  const members = STREET.map((each) => ({ ...each, gridFee: pricePerKwh(10_000) }));
  const short = [home('anna', [0, 600, 0, 480]), ...members.slice(1)];
  const { amounts } = settleAllocated(inputOf(short, { penaltyRate: pricePerKwh(50_000) }));
  expect([amounts.grid, amounts.community]).toEqual([480n * 10_000n, 120n * 50_000n]);
});

test('the allocation file has one line a member and interval, allocated and rest', () => {
  const rows = allocationRows(settleAllocated(inputOf(STREET)));
  expect(allocationCsv(rows)).toBe(
    [
      'start,member,allocated_import_wh,allocated_export_wh,rest_import_wh,rest_export_wh',
      '2026-06-21T09:00:00.000Z,anna,0,500,40,0',
      '2026-06-21T09:00:00.000Z,bert,400,0,50,0',
      '2026-06-21T09:00:00.000Z,cora,100,0,0,30',
      '',
    ].join('\n'),
  );
});

const anyStreet = fc
  .record({
    homes: fc.array(fc.tuple(fc.nat(50), fc.nat(50), fc.nat(3000), fc.nat(3000)), { minLength: 1, maxLength: 8 }),
    traded: fc.nat(6000),
    fee: fc.nat(20_000),
  })
  .map(({ homes, traded, fee }) => {
    const [buys, sells] = [homes.map(([buy]) => buy), homes.map(([, sell]) => sell)];
    const possible = buys.some((buy) => buy > 0) && sells.some((sell) => sell > 0) ? traded : 0;
    const [bought, sold] = [shareByLargestRemainder(possible, buys), shareByLargestRemainder(possible, sells)];
    return homes.map(([, , imported, exported], index) => ({
      ...home(`home-${index}`, [bought[index] ?? 0, sold[index] ?? 0, imported, exported]),
      gridFee: pricePerKwh(fee),
    }));
  });

test('nobody is allocated more than it traded or metered, as much as can be is, and everything sums to zero', () => {
  fc.assert(
    fc.property(anyStreet, (members) => {
      const settlement = settleAllocated(inputOf(members));
      const { positions, amounts } = settlement;
      const total = (pick: (index: number) => number) => members.reduce((sum, _, index) => sum + pick(index), 0);
      positions.forEach(({ bought, sold, imported, exported, contracted }) => {
        expect(bought).toBeLessThanOrEqual(Math.min(imported, contracted?.bought ?? -1));
        expect(sold).toBeLessThanOrEqual(Math.min(exported, contracted?.sold ?? -1));
      });
      const possible = Math.min(
        total((index) => Math.min(members[index]?.bought ?? 0, members[index]?.energy.imported ?? 0)),
        total((index) => Math.min(members[index]?.sold ?? 0, members[index]?.energy.exported ?? 0)),
      );
      expect(total((index) => positions[index]?.bought ?? 0)).toBe(possible);
      expect(total((index) => positions[index]?.sold ?? 0)).toBe(possible);
      const all = [...amounts.members, amounts.community, amounts.utility, amounts.grid ?? 0];
      expect(all.reduce<bigint>((sum, amount) => sum + BigInt(amount), 0n)).toBe(0n);
      expect(conservationOf(settlement)).toEqual({ energyWh: 0n, money: 0n });
      for (const row of allocationRows(settlement)) {
        const { imported, exported } = positions.find(({ member }) => member === row.member) ?? expect.fail();
        expect([row.allocatedImport + row.restImport, row.allocatedExport + row.restExport]).toEqual([
          imported,
          exported,
        ]);
      }
      expect(settleAllocated(inputOf(members.toReversed()))).toEqual(settlement);
    }),
  );
});
