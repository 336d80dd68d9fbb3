import { assert } from '../units/assert.ts';
import type { MemberId } from '../units/identity.ts';
import type { MemberNumber, MemberRules, Members } from './book.ts';

/** The members of one market by name and by number. A number is given once and for ever, in the order of admission. */
export class MemberDirectory<Table extends Members = Members> {
  readonly table: Table;
  readonly #numbers = new Map<MemberId, MemberNumber>();
  readonly #ids: MemberId[] = [];

  /** `ids`: who stands in the table already, by number. */
  constructor(table: Table, ids: readonly MemberId[] = []) {
    assert(table.count === ids.length, `${table.count} members in the table and ${ids.length} names`);
    this.table = table;
    for (const id of ids) this.#name(id);
  }

  get ids(): readonly MemberId[] {
    return this.#ids;
  }

  /** Admits a member, or changes the rules of one that is known. */
  admit(id: MemberId, rules: Omit<MemberRules, 'group'> & { readonly group?: MemberNumber }): MemberNumber {
    const known = this.#numbers.get(id);
    const number = known ?? this.#ids.length;
    const complete = { ...rules, group: rules.group ?? number };
    if (known === undefined) {
      assert(this.table.admit(id, complete) === number, 'the table numbers its members in another order');
      this.#name(id);
    } else this.table.change(number, complete);
    return number;
  }

  numberOf(id: MemberId): MemberNumber | undefined {
    return this.#numbers.get(id);
  }

  idOf(number: MemberNumber): MemberId | undefined {
    return this.#ids[number];
  }

  #name(id: MemberId): void {
    this.#numbers.set(id, this.#ids.length);
    this.#ids.push(id);
  }
}
