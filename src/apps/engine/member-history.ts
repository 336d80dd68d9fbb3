import { toHex } from '../../adapters/keys/hex.ts';
import type { MemberNumber } from '../../domain/market/book.ts';
import type { Hasher } from '../../domain/ports.ts';
import type { Part } from '../../domain/proof/clearing-artefact.ts';
import { type MemberState, memberLeaf, openingHash, saltOf } from '../../domain/proof/gate-root.ts';
import { assert } from '../../domain/units/assert.ts';
import type { MemberId } from '../../domain/units/identity.ts';

/** A member as it was from one command on, with the leaf that hides it. */
export interface HashedMember {
  readonly state: MemberState;
  readonly salt: Uint8Array;
  readonly leaf: Uint8Array;
}

/** All members at one moment and the hash over them. Shared by every product that opened while none of them changed. */
export interface MembersThen {
  readonly members: readonly HashedMember[];
  readonly hash: Uint8Array;
}

export interface MemberSecrets {
  readonly hasher: Hasher;
  readonly secret: Uint8Array;
}

/** What the members of the market are now, for products that open. */
export class MemberHistory {
  readonly #secrets: MemberSecrets;
  readonly #members: HashedMember[];
  #then: MembersThen | null = null;
  #isMarketHalted: boolean;

  /** `now`: the members of another history as they were last. */
  constructor(secrets: MemberSecrets, now: MembersThen | null = null, isMarketHalted = false) {
    this.#secrets = secrets;
    this.#then = now;
    this.#members = [...(now?.members ?? [])];
    this.#isMarketHalted = isMarketHalted;
  }

  get isMarketHalted(): boolean {
    return this.#isMarketHalted;
  }

  haltMarket(halted: boolean): void {
    this.#isMarketHalted = halted;
  }

  /** The member that was admitted under that number. */
  idOf(number: MemberNumber): MemberId {
    const member = this.#members[number];
    assert(member !== undefined, `there is no member ${number}`);
    return member.state.id;
  }

  /** Those that are new, or not as they were. `states`: by number from 0 on, nobody left out. */
  set(sequence: number, states: readonly Omit<MemberState, 'sequence'>[]): HashedMember[] {
    assert(states.length >= this.#members.length, 'a member that was admitted keeps its number');
    const changed = states.filter((state, number) => {
      assert(state.number === number, `member ${state.id} has number ${state.number}`);
      const known = this.#members[number]?.state;
      return known === undefined || !isSame(known, state);
    });
    const hashed = changed.map((state) => hashedMember({ ...state, sequence }, this.#secrets));
    for (const member of hashed) this.#members[member.state.number] = member;
    if (hashed.length > 0) this.#then = null;
    return hashed;
  }

  now(): MembersThen {
    this.#then ??= membersThen(this.#members, this.#secrets.hasher);
    return this.#then;
  }
}

export function membersThen(all: readonly HashedMember[], hasher: Hasher): MembersThen {
  const members = [...all];
  const leaves = members.map(({ leaf }) => leaf);
  return { members, hash: openingHash(leaves, hasher) };
}

export function hashedMember(state: MemberState, { secret, hasher }: MemberSecrets): HashedMember {
  const salt = saltOf(secret, 'member', state.sequence, hasher, state.number);
  return { state, salt, leaf: memberLeaf(state, salt, hasher) };
}

/** What a viewer sees of a member: the operator all, a member itself. */
export function memberPart({ state, salt, leaf }: HashedMember, viewer: MemberId | null): Part<MemberState> {
  return viewer === null || viewer === state.id ? { ...state, salt: toHex(salt) } : { leaf: toHex(leaf) };
}

function isSame(known: MemberState, state: Omit<MemberState, 'sequence'>): boolean {
  return Object.entries(state).every(([name, value]) => name === 'sequence' || Reflect.get(known, name) === value);
}
