import {
  encodeAbiParameters,
  encodeFunctionData,
  type Hex,
  hexToString,
  keccak256,
  parseAbiParameters,
  stringToHex,
  toHex,
} from 'viem';
import { z } from 'zod';
import type { SettlementChunk } from '../../domain/ports.ts';
import type { MemberPosition } from '../../domain/settlement/interval-settlement.ts';
import { assert } from '../../domain/units/assert.ts';
import { compareIds, isIdentifier } from '../../domain/units/identity.ts';
import { INTERVAL_STRUCT, SETTLEMENT_ABI } from './settlement-abi.ts';

const REGISTER_LIMIT = 2 ** 32;
const PRICE_LIMIT = 2 ** 31;
const FEEDER_LIMIT = 2 ** 48;
const PARTY_BYTES = 28;
/** What the contract hashes: the interval, the chunk, and the hash of the parties. */
const HASHED = parseAbiParameters(['Interval interval, uint16 chunk, bytes32 parties', INTERVAL_STRUCT]);

const energy = z.int().min(0).lt(REGISTER_LIMIT);
const feederEnergy = z.int().min(0).lt(FEEDER_LIMIT);
const price = z.int().gt(-PRICE_LIMIT).lt(PRICE_LIMIT);
const identifier = z.string().refine(isIdentifier, 'not an identifier');

const party = z.strictObject({
  member: identifier,
  bought: energy,
  sold: energy,
  imported: energy,
  exported: energy,
  balancedLong: energy,
  balancedShort: energy,
  substituted: z.boolean(),
});

/** One chunk in canonical form: what the outbox keeps and compares. Parties in the order of their ids, each once. */
const chunkContent = z
  .strictObject({
    market: identifier,
    start: z.int().min(0),
    lengthMs: z.int().positive().lt(REGISTER_LIMIT),
    chunk: z.int().min(0),
    chunks: z
      .int()
      .positive()
      .lt(2 ** 16),
    local: price,
    short: price,
    long: price,
    importPrice: price,
    exportPrice: price,
    feederImported: feederEnergy,
    feederExported: feederEnergy,
    parties: z.array(party),
  })
  .refine(({ chunk, chunks }) => chunk < chunks, 'chunk is not below chunks')
  .refine(({ parties }) => parties.every(({ member }, at) => parties[at - 1]?.member !== member), 'a member twice');

export type ChunkContent = z.infer<typeof chunkContent>;
export type Party = z.infer<typeof party>;

/** What one settlement looks like to the contract. */
export interface ChunkPayload {
  readonly callData: Hex;
  /** The hash that the contract computes over the same content. */
  readonly payloadHash: Hex;
}

/** The canonical form, or why the ledger could never take it. */
export function contentOf(chunk: SettlementChunk): ChunkContent | { readonly refusal: string } {
  const { settlement } = chunk;
  const { prices, feeder } = settlement;
  const parsed = chunkContent.safeParse({
    market: settlement.market,
    start: settlement.interval.start,
    lengthMs: settlement.interval.lengthMs,
    chunk: chunk.chunk,
    chunks: chunk.chunks,
    local: prices.local,
    short: prices.short,
    long: prices.long,
    importPrice: prices.tariff.importPrice,
    exportPrice: prices.tariff.exportPrice,
    feederImported: feeder.imported,
    feederExported: feeder.exported,
    parties: settlement.positions.map(partyOf).sort((a, b) => compareIds(a.member, b.member)),
  });
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  return { refusal: `${issue?.path.join('.') || 'settlement'}: ${issue?.message ?? 'malformed'}` };
}

function partyOf(position: MemberPosition): Party {
  const { member, bought, sold, imported, exported, balancedLong, balancedShort, origin } = position;
  return {
    member,
    bought,
    sold,
    imported,
    exported,
    balancedLong,
    balancedShort,
    substituted: origin === 'substituted',
  };
}

/** The same content gives the same text: the schema fixes the order of the fields. */
export function textOf(content: ChunkContent): string {
  return JSON.stringify(content);
}

export function parseContent(text: string): ChunkContent {
  return chunkContent.parse(JSON.parse(text));
}

/** An identifier as the contract keeps it: ASCII in the high bytes. */
export function idWord(id: string): Hex {
  return stringToHex(id, { size: 32 });
}

export function idOfWord(word: Hex): string {
  return hexToString(word, { size: 32 });
}

/** @param numbers under which the members are registered, all of them */
export function payloadOf(content: ChunkContent, numbers: ReadonlyMap<string, number>): ChunkPayload {
  const interval = intervalTuple(content);
  const parties = packParties(content.parties, numbers);
  const callData = encodeFunctionData({
    abi: SETTLEMENT_ABI,
    functionName: 'settle',
    args: [interval, content.chunk, parties],
  });
  const hashed = encodeAbiParameters(HASHED, [interval, content.chunk, keccak256(parties)]);
  return { callData, payloadHash: keccak256(hashed) };
}

function intervalTuple(content: ChunkContent) {
  return {
    market: idWord(content.market),
    start: BigInt(content.start),
    lengthMs: content.lengthMs,
    chunks: content.chunks,
    localPrice: BigInt(content.local),
    shortPrice: BigInt(content.short),
    longPrice: BigInt(content.long),
    importPrice: BigInt(content.importPrice),
    exportPrice: BigInt(content.exportPrice),
    feederImported: BigInt(content.feederImported),
    feederExported: BigInt(content.feederExported),
  };
}

/** 28 bytes each, members ascending by their number, as `settle` documents. */
function packParties(parties: readonly Party[], numbers: ReadonlyMap<string, number>): Hex {
  const bytes = new Uint8Array(parties.length * PARTY_BYTES);
  const view = new DataView(bytes.buffer);
  const numbered = parties.map((each) => ({ ...each, index: numbers.get(each.member) ?? 0 }));
  assert(
    numbered.every(({ index }) => index > 0),
    'every member of a payload has a number',
  );
  numbered.sort((a, b) => a.index - b.index);
  numbered.forEach((each, row) => {
    const at = row * PARTY_BYTES;
    view.setUint8(at, each.index >>> 16);
    view.setUint16(at + 1, each.index & 0xffff);
    view.setUint32(at + 3, each.bought);
    view.setUint32(at + 7, each.sold);
    view.setUint32(at + 11, each.imported);
    view.setUint32(at + 15, each.exported);
    view.setUint32(at + 19, each.balancedLong);
    view.setUint32(at + 23, each.balancedShort);
    view.setUint8(at + 27, each.substituted ? 1 : 0);
  });
  return toHex(bytes);
}
