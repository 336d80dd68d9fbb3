import { assert } from '../units/assert.ts';
import type { WhTotal } from '../units/energy.ts';
import { compareIds, type MemberId } from '../units/identity.ts';
import { type NanoTotal, ZERO_TOTAL } from '../units/money.ts';

/**
 * What a member's part of the community account goes by, published beforehand. equal: every member alike. consumption,
 * generation, traded: Wh of the period. weights: thousandths that the community agreed on.
 */
export const PAY_OUT_KEYS = ['equal', 'consumption', 'generation', 'traded', 'weights'] as const;

export type PayOutKey = (typeof PAY_OUT_KEYS)[number];

/** What the keys measure, over the period that is paid out. Nothing here is negative. */
export interface PayOutMember {
  readonly member: MemberId;
  readonly consumption: WhTotal;
  readonly generation: WhTotal;
  /** Bought and sold. */
  readonly traded: WhTotal;
  readonly weightPermille: number;
}

/** Nano-currency that a member receives. */
export interface MemberShare {
  readonly member: MemberId;
  readonly amount: NanoTotal;
}

/**
 * Shares the balance of the community account over the members, in the order of their ids: each gets the floor of its
 * part, what is left goes nano by nano to the largest remainders, ties by member id, so the shares sum to the balance.
 * Where the key measures nothing for anybody they share alike. A balance that is not positive is not paid: all get zero,
 * and so it stays where it is, as it does where there are no members.
 */
export function payOutCommunity(balance: NanoTotal, key: PayOutKey, members: readonly PayOutMember[]): MemberShare[] {
  const ranked = members.toSorted((a, b) => compareIds(a.member, b.member));
  if (balance <= 0n) return ranked.map(({ member }) => ({ member, amount: ZERO_TOTAL }));
  const measured = ranked.map((member) => measureOf(member, key));
  const isMeasured = measured.some((weight) => weight > 0n);
  const amounts = shareExactly(balance, isMeasured ? measured : measured.map(() => 1n));
  return ranked.map(({ member }, index) => ({ member, amount: (amounts[index] ?? 0n) as NanoTotal }));
}

function measureOf({ consumption, generation, traded, weightPermille }: PayOutMember, key: PayOutKey): bigint {
  const measures = { equal: 1n, consumption, generation, traded, weights: BigInt(weightPermille) };
  assert(measures[key] >= 0n, `a ${key} key of ${measures[key]}`);
  return measures[key];
}

/** `shareByLargestRemainder` of amounts that a number may not hold. */
function shareExactly(total: bigint, weights: readonly bigint[]): bigint[] {
  const sum = weights.reduce((a, b) => a + b, 0n);
  if (sum === 0n) return [];
  const shares = weights.map((weight) => (total * weight) / sum);
  const remainders = weights.map((weight) => (total * weight) % sum);
  let left = total - shares.reduce((a, b) => a + b, 0n);
  const byRemainder = weights.map((_, index) => index).sort((a, b) => compare(remainders[b], remainders[a]) || a - b);
  for (const index of byRemainder) {
    if (left === 0n) break;
    shares[index] = (shares[index] ?? 0n) + 1n;
    left -= 1n;
  }
  return shares;
}

function compare(a = 0n, b = 0n): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
