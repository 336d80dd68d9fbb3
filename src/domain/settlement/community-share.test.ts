import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { WhTotal } from '../units/energy.ts';
import type { MemberId } from '../units/identity.ts';
import type { NanoTotal } from '../units/money.ts';
import { NEW_ACCOUNTS, payOut } from './accounts.ts';
import { PAY_OUT_KEYS, type PayOutMember, payOutCommunity } from './community-share.ts';

function member(id: string, consumption = 0, generation = 0, traded = 0, weightPermille = 0): PayOutMember {
  const total = (value: number) => BigInt(value) as WhTotal;
  const measured = { consumption: total(consumption), generation: total(generation), traded: total(traded) };
  return { member: id as MemberId, ...measured, weightPermille };
}

const STREET = [member('c', 10, 0, 1, 500), member('a', 20, 30, 1, 250), member('b', 30, 0, 1, 250)];

test.each([
  ['equal', 10n, [4n, 3n, 3n]],
  ['consumption', 10n, [3n, 5n, 2n]],
  ['generation', 10n, [10n, 0n, 0n]],
  ['traded', 11n, [4n, 4n, 3n]],
  ['weights', 10n, [3n, 2n, 5n]],
] as const)('by %s, %i nano go to a, b and c', (key, balance, amounts) => {
  const shares = payOutCommunity(balance as NanoTotal, key, STREET);
  expect(shares.map((share) => [share.member, share.amount])).toEqual([
    ['a', amounts[0]],
    ['b', amounts[1]],
    ['c', amounts[2]],
  ]);
});

test('a balance that is not positive stays, and a key that measures nothing shares alike', () => {
  expect(payOutCommunity(-5n as NanoTotal, 'equal', STREET).map(({ amount }) => amount)).toEqual([0n, 0n, 0n]);
  const asleep = [member('a'), member('b')];
  expect(payOutCommunity(3n as NanoTotal, 'traded', asleep).map(({ amount }) => amount)).toEqual([2n, 1n]);
  expect(payOutCommunity(3n as NanoTotal, 'equal', [])).toEqual([]);
});

test('what is paid is the balance, nobody is a nano off its part, and the order of the list is nothing', () => {
  const anyMember = fc.tuple(fc.nat(2 ** 31), fc.nat(2 ** 31), fc.nat(2 ** 31), fc.nat(1000));
  const anyBalance = fc.bigInt({ min: -(10n ** 24n), max: 10n ** 24n });
  fc.assert(
    fc.property(
      fc.array(anyMember, { maxLength: 9 }),
      anyBalance,
      fc.constantFrom(...PAY_OUT_KEYS),
      (rows, balance, key) => {
        const members = rows.map((row, index) => member(`m${index}`, ...row));
        const shares = payOutCommunity(balance as NanoTotal, key, members);
        const paid = shares.reduce((sum, { amount }) => sum + amount, 0n);
        expect(paid).toBe(balance > 0n && members.length > 0 ? balance : 0n);
        expect(payOutCommunity(balance as NanoTotal, key, members.toReversed())).toEqual(shares);
        const floors = shares.map(({ amount }) => amount);
        if (key === 'equal' && balance > 0n && members.length > 0) {
          const floor = balance / BigInt(members.length);
          expect(floors.every((amount) => amount === floor || amount === floor + 1n)).toBe(true);
        }
      },
    ),
  );
});

test('the accounts cannot pay what the community does not hold', () => {
  const share = { member: 'a' as MemberId, amount: 1n as NanoTotal };
  expect(() => payOut(NEW_ACCOUNTS, [share])).toThrow('bug');
  expect(payOut(NEW_ACCOUNTS, []).community).toBe(0n);
});
