import { joinParts, splitParts } from '../../domain/engine/byte-parts.ts';
import type { ProductRules } from '../../domain/market/book.ts';
import { VERDICTS } from '../../domain/market/verdict.ts';
import { CanonicalBytes, type Hex, toHex } from '../../domain/proof/canonical-bytes.ts';
import type { ClearingRules, MemberState } from '../../domain/proof/gate-root.ts';
import type { GateRoot } from '../../domain/proof/typed-statement.ts';
import type { MarketId } from '../../domain/units/identity.ts';
import {
  type HashedMember,
  hashedMember,
  type MemberSecrets,
  type MembersThen,
  membersThen,
} from './member-history.ts';

/** Of the bytes below. Those of another version are not read: the journal is replayed instead. */
const VERSION = 1;

/** A product's log without its commands, which lie in a tape of their own. Members by their place in the list of all. */
export interface FlatLog {
  readonly engineVersion: number;
  readonly opened: number;
  readonly rules: ProductRules;
  readonly opening: number;
  readonly changes: readonly number[];
  readonly halts: ClearingRules['halts'];
  readonly chain: Hex;
  readonly gate: GateRoot | null;
}

export interface FlatReceipts {
  readonly link: Hex;
  readonly stray: Hex;
  readonly isMarketHalted: boolean;
  /** Place among the openings. */
  readonly now: number;
  readonly logs: readonly { readonly flat: FlatLog; readonly tape: Uint8Array }[];
}

interface FlatHeader extends Omit<FlatReceipts, 'logs'> {
  readonly version: number;
  readonly identity: Hex;
  /** Tapes hold the places of verdicts. */
  readonly verdicts: readonly string[];
  readonly states: readonly MemberState[];
  readonly openings: readonly (readonly number[])[];
  readonly logs: readonly FlatLog[];
}

/** Whose receipts they are: with another key or secret the same journal has other ones. */
export interface ReceiptIdentity extends MemberSecrets {
  readonly market: MarketId;
  readonly chainId: number;
  readonly engine: Hex;
}

/** Members and openings that many products share, each once. */
export class MemberPool {
  readonly #states: MemberState[] = [];
  readonly #openings: number[][] = [];
  readonly #places = new Map<HashedMember, number>();
  readonly #openingPlaces = new Map<MembersThen, number>();

  get parts(): Pick<FlatHeader, 'states' | 'openings'> {
    return { states: this.#states, openings: this.#openings };
  }

  placeOf(member: HashedMember): number {
    const place = this.#places.get(member) ?? this.#states.push(member.state) - 1;
    this.#places.set(member, place);
    return place;
  }

  openingOf(then: MembersThen): number {
    const known = this.#openingPlaces.get(then);
    if (known !== undefined) return known;
    const place = this.#openings.push(then.members.map((member) => this.placeOf(member))) - 1;
    this.#openingPlaces.set(then, place);
    return place;
  }
}

/** Equal books have equal bytes. */
export function encodeReceipts(pool: MemberPool, receipts: FlatReceipts, identity: ReceiptIdentity): Uint8Array {
  const header: FlatHeader = {
    ...receipts,
    ...pool.parts,
    ...{ version: VERSION, identity: fingerprint(identity), verdicts: VERDICTS },
    logs: receipts.logs.map(({ flat }) => flat),
  };
  return joinParts([Buffer.from(JSON.stringify(header)), ...receipts.logs.map(({ tape }) => tape)]);
}

export interface RestoredReceipts extends FlatReceipts {
  readonly members: readonly HashedMember[];
  readonly openings: readonly MembersThen[];
}

/** The inverse; a text says why they cannot be used. The bytes' checksum has been verified. */
export function decodeReceipts(bytes: Uint8Array, identity: ReceiptIdentity): RestoredReceipts | string {
  const [text, ...tapes] = splitParts(bytes) ?? [];
  if (text === undefined) return 'has no receipts';
  const header = JSON.parse(Buffer.from(text).toString('utf8')) as FlatHeader;
  if (header.version !== VERSION || header.verdicts.join() !== VERDICTS.join()) return 'is of another version';
  if (header.identity !== fingerprint(identity)) return 'has the receipts of another key, market or chain';
  const members = header.states.map((state) => hashedMember(state, identity));
  const openings = header.openings.map((places) => membersThen(placesIn(members, places), identity.hasher));
  const logs = header.logs.flatMap((flat, place) => {
    const tape = tapes[place];
    return tape === undefined ? [] : [{ flat, tape }];
  });
  return logs.length === header.logs.length ? { ...header, members, openings, logs } : 'lacks a log';
}

export function placesIn(members: readonly HashedMember[], places: readonly number[]): HashedMember[] {
  return places.flatMap((place) => members[place] ?? []);
}

function fingerprint({ market, chainId, engine, secret, hasher }: ReceiptIdentity): Hex {
  const bytes = new CanonicalBytes('el/receipt-book/1').text(market).i64(chainId).text(engine).hash(secret);
  return toHex(hasher.keccak256(bytes.bytes));
}
