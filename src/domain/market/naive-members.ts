import { assert } from '../units/assert.ts';
import type { MemberNumber, MemberRules, Members } from './book.ts';

/** What holds reservations: a book of the market. Nano-currency. */
export interface ReservationHolder {
  reservedBy(member: MemberNumber): bigint;
}

interface NaiveMember {
  readonly id: string;
  rules: MemberRules;
  isHalted: boolean;
}

/**
 * The members of one market, the slow way: what a member has reserved is added up over all orders of all books whenever
 * it is asked for, so that nothing can be forgotten or given back twice. For tests and benchmarks only.
 */
export class NaiveMembers implements Members {
  readonly #members: NaiveMember[] = [];
  readonly #holders: ReservationHolder[] = [];
  #isMarketHalted = false;

  get count(): number {
    return this.#members.length;
  }

  admit(id: string, rules: MemberRules): MemberNumber {
    this.#members.push({ id, rules, isHalted: false });
    return this.#members.length - 1;
  }

  change(member: MemberNumber, rules: MemberRules): void {
    this.#at(member).rules = rules;
  }

  halt(member: MemberNumber, halted: boolean): void {
    this.#at(member).isHalted = halted;
  }

  haltMarket(halted: boolean): void {
    this.#isMarketHalted = halted;
  }

  reserved(member: MemberNumber): number {
    const sum = this.reservedExactly(member);
    assert(sum >= 0n && sum <= BigInt(Number.MAX_SAFE_INTEGER), `member ${member} has ${sum} reserved`);
    return Number(sum);
  }

  reservedExactly(member: MemberNumber): bigint {
    return this.#holders.reduce((sum, holder) => sum + holder.reservedBy(member), 0n);
  }

  join(holder: ReservationHolder): void {
    this.#holders.push(holder);
  }

  get isMarketHalted(): boolean {
    return this.#isMarketHalted;
  }

  isHalted(member: MemberNumber): boolean {
    return this.#at(member).isHalted;
  }

  idOf(member: MemberNumber): string {
    return this.#at(member).id;
  }

  rulesOf(member: MemberNumber): MemberRules {
    return this.#at(member).rules;
  }

  #at(member: MemberNumber): NaiveMember {
    const found = this.#members[member];
    assert(found !== undefined, `no member ${member}`);
    return found;
  }
}
