import { assert, assertSafeInteger } from '../units/assert.ts';
import { compareIds } from '../units/identity.ts';
import type { MemberNumber, MemberRules, Members } from './book.ts';
import { SnapshotReader, SnapshotWriter } from './snapshot-words.ts';

const FORMAT = 1;

/** Words of one member. */
const WORDS = 5;
const CAPABILITY = 0;
const ZONE = 1;
const GROUP = 2;
/** The next member of the owner group, in a ring; a member that stands alone is its own next. */
const NEXT_IN_GROUP = 3;
const HALTED = 4;

/** Amounts of one member, nano-currency. */
const AMOUNTS = 2;
const COLLATERAL = 0;
const RESERVED = 1;
const NO_COLLATERAL = -1;

/** A product holds less on either side: a larger capability is no limit. */
const MAX_CAPABILITY = 2 ** 31 - 1;
const MAX_ZONE = 255;
const FIRST_CAPACITY = 8;

/** The members of a market in typed arrays: what every order of every book asks for, without an allocation. */
export class MemberTable implements Members {
  isMarketHalted = false;
  readonly #ids: string[] = [];
  #words = new Int32Array(FIRST_CAPACITY * WORDS);
  #amounts = new Float64Array(FIRST_CAPACITY * AMOUNTS);
  /** One member of every group that has any. */
  readonly #someoneOf = new Map<number, MemberNumber>();
  #ranks: Int32Array | null = null;

  static restore(bytes: Uint8Array): MemberTable {
    const reader = new SnapshotReader(bytes, FORMAT);
    const table = new MemberTable();
    table.isMarketHalted = reader.word() === 1;
    for (let left = reader.word(); left > 0; left -= 1) table.#restoreMember(reader);
    reader.end();
    return table;
  }

  get count(): number {
    return this.#ids.length;
  }

  get bytesHeld(): number {
    return this.#words.byteLength + this.#amounts.byteLength;
  }

  admit(id: string, rules: MemberRules): MemberNumber {
    const member = this.count;
    if (member * WORDS === this.#words.length) this.#grow();
    this.#ids.push(id);
    this.#ranks = null;
    this.#write(member, rules);
    this.#join(member, rules.group);
    return member;
  }

  change(member: MemberNumber, rules: MemberRules): void {
    assert(member < this.count, `no member ${member}`);
    this.#write(member, rules);
    if (this.#words[member * WORDS + GROUP] === rules.group) return;
    this.#leave(member);
    this.#join(member, rules.group);
  }

  halt(member: MemberNumber, halted: boolean): void {
    assert(member < this.count, `no member ${member}`);
    this.#words[member * WORDS + HALTED] = halted ? 1 : 0;
  }

  haltMarket(halted: boolean): void {
    this.isMarketHalted = halted;
  }

  reserved(member: MemberNumber): number {
    return this.#amounts[member * AMOUNTS + RESERVED] as number;
  }

  isHalted(member: MemberNumber): boolean {
    return this.#words[member * WORDS + HALTED] !== 0;
  }

  capability(member: MemberNumber): number {
    return this.#words[member * WORDS + CAPABILITY] as number;
  }

  zone(member: MemberNumber): number {
    return this.#words[member * WORDS + ZONE] as number;
  }

  /** Going on from member to member leads through its owner group and back. */
  nextInGroup(member: MemberNumber): MemberNumber {
    return this.#words[member * WORDS + NEXT_IN_GROUP] as number;
  }

  hasCollateral(member: MemberNumber): boolean {
    return (this.#amounts[member * AMOUNTS + COLLATERAL] as number) >= 0;
  }

  /**
   * Whether `need` more is covered once `back` is given back, nano-currency. Exact although `need` may be beyond the
   * safe integers, for it is then beyond any collateral, and what it is compared with is not.
   */
  covers(member: MemberNumber, need: number, back: number): boolean {
    const at = member * AMOUNTS;
    const free = (this.#amounts[at + COLLATERAL] as number) - ((this.#amounts[at + RESERVED] as number) - back);
    return need <= free;
  }

  /** Reserves nano-currency, or, below 0, gives it back. */
  reserve(member: MemberNumber, amount: number): void {
    const at = member * AMOUNTS + RESERVED;
    const sum = (this.#amounts[at] as number) + amount;
    assert(sum >= 0 && sum <= Number.MAX_SAFE_INTEGER, 'reserved collateral is no safe integer');
    this.#amounts[at] = sum;
  }

  /** Place of the member among all members sorted by id. */
  rank(member: MemberNumber): number {
    this.#ranks ??= ranksOf(this.#ids);
    return this.#ranks[member] as number;
  }

  snapshot(): Uint8Array {
    const writer = new SnapshotWriter(FORMAT);
    writer.word(this.isMarketHalted ? 1 : 0);
    writer.word(this.count);
    for (const [member, id] of this.#ids.entries()) {
      writer.text(id);
      for (const word of [CAPABILITY, ZONE, GROUP, HALTED]) writer.word(this.#words[member * WORDS + word] as number);
      writer.wide(this.#amounts[member * AMOUNTS + COLLATERAL] as number);
      writer.wide(this.#amounts[member * AMOUNTS + RESERVED] as number);
    }
    return writer.bytes();
  }

  #restoreMember(reader: SnapshotReader): void {
    const id = reader.text();
    const [capability, zone, group, halted] = [reader.word(), reader.word(), reader.word(), reader.word()];
    const collateral = reader.wide();
    const rules = { capability, zone, group, collateral: collateral === NO_COLLATERAL ? null : collateral };
    const member = this.admit(id, rules as MemberRules);
    this.halt(member, halted === 1);
    this.#amounts[member * AMOUNTS + RESERVED] = reader.wide();
  }

  #write(member: MemberNumber, { capability, collateral, zone }: MemberRules): void {
    assert(Number.isSafeInteger(capability) && capability >= 0, `a capability of ${capability} Wh`);
    assert(Number.isInteger(zone) && zone >= 0 && zone <= MAX_ZONE, `zone ${zone}`);
    if (collateral !== null) assertSafeInteger(collateral, 'collateral');
    assert(collateral === null || collateral >= 0, `a collateral of ${collateral}`);
    this.#words[member * WORDS + CAPABILITY] = Math.min(capability, MAX_CAPABILITY);
    this.#words[member * WORDS + ZONE] = zone;
    this.#amounts[member * AMOUNTS + COLLATERAL] = collateral ?? NO_COLLATERAL;
  }

  #join(member: MemberNumber, group: number): void {
    const someone = this.#someoneOf.get(group) ?? member;
    if (someone === member) this.#someoneOf.set(group, member);
    this.#words[member * WORDS + GROUP] = group;
    this.#words[member * WORDS + NEXT_IN_GROUP] = someone === member ? member : this.nextInGroup(someone);
    this.#words[someone * WORDS + NEXT_IN_GROUP] = member;
  }

  #leave(member: MemberNumber): void {
    const next = this.nextInGroup(member);
    let previous = next;
    while (this.nextInGroup(previous) !== member) previous = this.nextInGroup(previous);
    this.#words[previous * WORDS + NEXT_IN_GROUP] = next;
    const group = this.#words[member * WORDS + GROUP] as number;
    if (next === member) this.#someoneOf.delete(group);
    else this.#someoneOf.set(group, next);
  }

  #grow(): void {
    const [words, amounts] = [this.#words, this.#amounts];
    this.#words = new Int32Array(words.length * 2);
    this.#words.set(words);
    this.#amounts = new Float64Array(amounts.length * 2);
    this.#amounts.set(amounts);
  }
}

function ranksOf(ids: readonly string[]): Int32Array {
  const sorted = ids.map((_, member) => member).sort((a, b) => compareIds(ids[a] ?? '', ids[b] ?? '') || a - b);
  const ranks = new Int32Array(ids.length);
  for (const [rank, member] of sorted.entries()) ranks[member] = rank;
  return ranks;
}
