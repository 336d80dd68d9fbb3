import { expect, test } from 'vitest';
import { wh } from '../units/energy.ts';
import { MemberTable } from './member-table.ts';

const rules = (group: number) => ({ capability: wh(5000), collateral: null, group, zone: 0 });

/** Who is reached from a member by going on inside its group. */
function groupOf(table: MemberTable, member: number): number[] {
  const group = [member];
  for (let next = table.nextInGroup(member); next !== member; next = table.nextInGroup(next)) group.push(next);
  return group.sort((a, b) => a - b);
}

test('members come and go between owner groups', () => {
  const table = new MemberTable();
  for (const group of [0, 1, 1, 7, 7]) table.admit(`home-${table.count}`, rules(group));
  const groups = () => [0, 1, 2, 3, 4].map((member) => groupOf(table, member).join());
  expect(groups()).toEqual(['0', '1,2', '1,2', '3,4', '3,4']);
  table.change(3, rules(1));
  expect(groups()).toEqual(['0', '1,2,3', '1,2,3', '1,2,3', '4']);
  table.change(1, rules(0));
  table.change(4, rules(4));
  expect(groups()).toEqual(['0,1', '0,1', '2,3', '2,3', '4']);
  table.change(0, rules(7));
  expect(groups()).toEqual(['0', '1', '2,3', '2,3', '4']);
});

test('ranks follow the ids by code unit', () => {
  const table = new MemberTable();
  for (const id of ['b', 'a', '\u{1f600}', 'B', '\uffee']) table.admit(id, rules(table.count));
  expect([0, 1, 2, 3, 4].map((member) => table.rank(member))).toEqual([2, 1, 3, 0, 4]);
  table.admit('A', rules(5));
  expect(table.rank(1)).toBe(2);
});

test('a restored table is the table', () => {
  const table = new MemberTable();
  for (let member = 0; member < 40; member += 1) {
    const collateral = member % 3 === 0 ? null : 2 ** 53 - 1 - member;
    table.admit(`home-${member}`, { capability: wh(2 ** 40), collateral, group: member >> 2, zone: member % 7 });
    if (collateral !== null) table.reserve(member, 2 ** 52 + member);
    table.halt(member, member % 5 === 0);
  }
  table.haltMarket(true);
  const restored = MemberTable.restore(table.snapshot());
  expect(restored.snapshot()).toEqual(table.snapshot());
  for (let member = 0; member < 40; member += 1) {
    expect(restored.reserved(member)).toBe(table.reserved(member));
    expect(restored.covers(member, 5, 0)).toBe(table.covers(member, 5, 0));
    expect([restored.isHalted(member), restored.zone(member)]).toEqual([member % 5 === 0, member % 7]);
    expect(groupOf(restored, member)).toEqual(groupOf(table, member));
  }
  expect(restored.isMarketHalted).toBe(true);
});

test('collateral is compared exactly at its edge', () => {
  const table = new MemberTable();
  table.admit('home', { ...rules(0), collateral: 2 ** 53 - 1 });
  table.reserve(0, 2 ** 53 - 11);
  expect([table.covers(0, 10, 0), table.covers(0, 11, 0), table.covers(0, 11, 1)]).toEqual([true, false, true]);
  expect(table.covers(0, 2 ** 55, 2 ** 53 - 11)).toBe(false);
  expect(() => table.reserve(0, 11)).toThrow(/safe/);
});
