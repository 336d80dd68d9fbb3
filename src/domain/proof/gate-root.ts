import type { BookTrade, MemberNumber, ProductRules } from '../market/book.ts';
import type { OrderFate } from '../market/order.ts';
import type { Hasher } from '../ports.ts';
import type { MarketId, MemberId } from '../units/identity.ts';
import type { EpochMs } from '../units/time.ts';
import { CanonicalBytes, type Hex } from './canonical-bytes.ts';
import { merkleRoot } from './merkle-tree.ts';

/** Everything that decides about a product's orders beside the members: fixed at opening, but for the halts. Public. */
export interface ClearingRules {
  readonly engineVersion: number;
  /** Journal sequence of the opening. */
  readonly opened: number;
  /** Of the whole market, from the opening to the gate; one that held at the opening carries that sequence. */
  readonly halts: readonly { readonly sequence: number; readonly halted: boolean }[];
  readonly product: ProductRules;
}

/** What a member was allowed from `sequence` on. Energies in Wh, collateral in nano-currency. */
export interface MemberState {
  /** Of the command that made it so. */
  readonly sequence: number;
  readonly number: MemberNumber;
  readonly id: MemberId;
  /** The account whose signatures speak for the member, lower-case hex. */
  readonly address: Hex;
  readonly capability: number;
  readonly collateral: number | null;
  readonly group: MemberNumber;
  readonly zone: number;
  /** Named by the terms. Who is not may withdraw orders and place none. */
  readonly active: boolean;
  readonly halted: boolean;
}

/** What became of one command beside its verdict. */
export interface CommandOutcome {
  /** What the member had reserved before the command in all products, nano-currency; null: it needs no collateral. */
  readonly reserved: number | null;
  /** Of an order that this command placed: Wh traded by the gate ... */
  readonly filled: number;
  /** ... and why not more; null for every other command. */
  readonly fate: OrderFate | null;
}

/** What the product came to. Public; the trades only as their salted hash. */
export interface ClearingResult {
  /** By zone, micro-currency per kWh. */
  readonly prices: readonly (number | null)[];
  /** Wh traded. */
  readonly volume: number;
}

/** A leaf of the command log. `receipt`: its hash, which stands for sequence, content and verdict. */
export function commandLeaf(
  receipt: Uint8Array,
  outcome: CommandOutcome,
  salt: Uint8Array,
  hasher: Hasher,
): Uint8Array {
  const { reserved, filled, fate } = outcome;
  const bytes = new CanonicalBytes('el/command/1').hash(salt).hash(receipt).optional(reserved);
  return hasher.keccak256(bytes.i64(filled).text(fate ?? '').bytes);
}

export function memberLeaf(state: MemberState, salt: Uint8Array, hasher: Hasher): Uint8Array {
  const { sequence, number, id, address, capability, collateral, group, zone, active, halted } = state;
  const bytes = new CanonicalBytes('el/member/1').hash(salt).i64(sequence).i64(number).text(id).text(address);
  bytes.i64(capability).optional(collateral).i64(group).i64(zone);
  return hasher.keccak256(bytes.u8(Number(active)).u8(Number(halted)).bytes);
}

/** The members as they were at the opening, by number, and every change until the gate. */
export function membersHash(opening: Uint8Array, changes: readonly Uint8Array[], hasher: Hasher): Uint8Array {
  const bytes = new CanonicalBytes('el/members/1').hash(opening).u32(changes.length);
  return hasher.keccak256(bytes.hash(merkleRoot(changes, hasher)).bytes);
}

/** The first half of `membersHash`: it changes only when a member does, so it can be kept. */
export function openingHash(members: readonly Uint8Array[], hasher: Hasher): Uint8Array {
  const bytes = new CanonicalBytes('el/opening/1').u32(members.length);
  return hasher.keccak256(bytes.hash(merkleRoot(members, hasher)).bytes);
}

export function rulesHash(rules: ClearingRules, hasher: Hasher): Uint8Array {
  const { engineVersion, opened, halts, product } = rules;
  const { band, fees, zoneLimits } = product;
  const bytes = new CanonicalBytes('el/rules/1').i64(engineVersion).i64(opened).u32(halts.length);
  for (const { sequence, halted } of halts) bytes.i64(sequence).u8(Number(halted));
  bytes.i64(product.product).text(product.mechanism).text(product.rationing).i64(product.tick);
  bytes.i64(band.lowest).i64(band.highest).i64(product.importPrice).i64(product.penalty).i64(product.maxVolume);
  bytes.u32(fees.length);
  for (const fee of fees) bytes.i64(fee);
  bytes.u32(zoneLimits.length);
  for (const { from, to, capacity } of zoneLimits) bytes.i64(from).i64(to).i64(capacity);
  return hasher.keccak256(bytes.bytes);
}

/** Salted, because few trades of few members could be guessed. */
export function tradesHash(trades: readonly BookTrade[], salt: Uint8Array, hasher: Hasher): Uint8Array {
  const bytes = new CanonicalBytes('el/trades/1').hash(salt).u32(trades.length);
  for (const { buyer, buyOrder, seller, sellOrder, energy, price, sellerPrice } of trades) {
    bytes.i64(buyer).i64(buyOrder).i64(seller).i64(sellOrder).i64(energy).i64(price).i64(sellerPrice);
  }
  return hasher.keccak256(bytes.bytes);
}

export function resultHash({ prices, volume }: ClearingResult, trades: Uint8Array, hasher: Hasher): Uint8Array {
  const bytes = new CanonicalBytes('el/result/1').u32(prices.length);
  for (const price of prices) bytes.optional(price);
  return hasher.keccak256(bytes.i64(volume).hash(trades).bytes);
}

/** The secret of one product, of the engine's own: whoever has it can undo the salts of that product and of no other. */
export function productSecret(secret: Uint8Array, market: MarketId, product: EpochMs, hasher: Hasher): Uint8Array {
  return hasher.keccak256(new CanonicalBytes('el/secret/1').hash(secret).text(market).i64(product).bytes);
}

/** The salt of one leaf: without it nobody can guess a neighbour's order from its hash. */
export function saltOf(
  secret: Uint8Array,
  kind: 'command' | 'member' | 'trades',
  sequence: number,
  hasher: Hasher,
  number = 0,
): Uint8Array {
  return hasher.keccak256(new CanonicalBytes('el/salt/1').hash(secret).text(kind).i64(sequence).i64(number).bytes);
}
