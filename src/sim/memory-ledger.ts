import { keccak_256 } from '@noble/hashes/sha3.js';
import { bytesToHex } from '@noble/hashes/utils.js';
import type { LedgerAccounts, LedgerReceipt, SettlementChunk, SettlementLedger } from '../domain/ports.ts';
import type { MemberPosition } from '../domain/settlement/interval-settlement.ts';
import { compareIds, isIdentifier, type MarketId, type MemberId } from '../domain/units/identity.ts';
import { INTERVAL_LENGTHS } from '../domain/units/interval.ts';
import type { NanoTotal } from '../domain/units/money.ts';
import type { EpochMs } from '../domain/units/time.ts';
import { Fault } from '../errors/fault.ts';

const REGISTER_LIMIT = 2 ** 32;
const PRICE_LIMIT = 2 ** 31;
const FEEDER_LIMIT = 2 ** 48;
const SLOT_MS = INTERVAL_LENGTHS['5m'];
const WORD_BYTES = 32;
const PARTY_BYTES = 28;

interface IntervalProgress {
  /** What all chunks of an interval share, as bytes in hex. */
  readonly shared: string;
  readonly members: Set<MemberId>;
  chunks: number;
  openTraded: bigint;
  openBalanced: bigint;
}

interface MarketBooks {
  readonly members: Map<MemberId, bigint>;
  readonly receipts: Map<string, LedgerReceipt>;
  readonly progress: Map<EpochMs, IntervalProgress>;
  readonly coveredSlots: Set<number>;
  community: bigint;
  utility: bigint;
  intervals: number;
}

/**
 * The settlement ledger in memory: the rules and the arithmetic of `contracts/SettlementLedger.sol` written a second
 * time, in bigint, with the same payload hashes. A block for every settlement.
 */
export class MemoryLedger implements SettlementLedger {
  readonly #markets = new Map<MarketId, MarketBooks>();
  readonly #numbers = new Map<MemberId, number>();
  #blocks = 0;

  async settle(chunk: SettlementChunk): Promise<LedgerReceipt> {
    const refusal = shapeRefusal(chunk);
    if (refusal !== null) throw rejected(chunk, refusal);
    this.#number(chunk.settlement.positions);
    const { market, interval } = chunk.settlement;
    const books = this.#books(market);
    const key = `${interval.start} ${chunk.chunk}`;
    const payloadHash = hashOf(chunk, this.#numbers);
    const first = books.receipts.get(key);
    if (first !== undefined) return sameOrThrow(first, payloadHash, key);
    post(books, chunk);
    this.#blocks += 1;
    const receipt = { payloadHash, block: this.#blocks, transactionHash: payloadHash };
    books.receipts.set(key, receipt);
    return receipt;
  }

  async find(market: MarketId, interval: EpochMs, chunk: number): Promise<LedgerReceipt | null> {
    return this.#books(market).receipts.get(`${interval} ${chunk}`) ?? null;
  }

  async accounts(market: MarketId): Promise<LedgerAccounts> {
    const { members, community, utility, intervals } = this.#books(market);
    return {
      members: new Map([...members].map(([member, balance]) => [member, balance as NanoTotal])),
      community: community as NanoTotal,
      utility: utility as NanoTotal,
      intervals,
    };
  }

  #books(market: MarketId): MarketBooks {
    let books = this.#markets.get(market);
    if (books === undefined) {
      books = {
        members: new Map(),
        receipts: new Map(),
        progress: new Map(),
        coveredSlots: new Set(),
        community: 0n,
        utility: 0n,
        intervals: 0,
      };
      this.#markets.set(market, books);
    }
    return books;
  }

  /** Members first seen are numbered in the order of their ids. */
  #number(positions: readonly MemberPosition[]): void {
    const fresh = positions.map(({ member }) => member).filter((member) => !this.#numbers.has(member));
    for (const member of fresh.sort(compareIds)) this.#numbers.set(member, this.#numbers.size + 1);
  }
}

function sameOrThrow(first: LedgerReceipt, payloadHash: string, key: string): LedgerReceipt {
  if (first.payloadHash === payloadHash) return first;
  throw new Fault('ALREADY_SETTLED_DIFFERENTLY', `${key} is settled as ${first.payloadHash}, not as ${payloadHash}`);
}

function rejected({ settlement, chunk }: SettlementChunk, reason: string): Fault {
  return new Fault('LEDGER_REJECTED', `${settlement.market} ${settlement.interval.start} chunk ${chunk}: ${reason}`);
}

// ---------------------------------------------------------------------------------------------- refusals

/** Why no ledger could ever take it, or null. */
function shapeRefusal({ settlement, chunk, chunks }: SettlementChunk): string | null {
  const { market, positions } = settlement;
  const members = positions.map(({ member }) => member);
  if (![market, ...members].every(isIdentifier)) return 'not an identifier';
  if (new Set(members).size !== members.length) return 'a member twice';
  if (!isBelow(chunks, 2 ** 16) || !isBelow(chunk, chunks)) return 'chunk is not below chunks';
  const { feeder } = settlement;
  if (!isBelow(feeder.imported, FEEDER_LIMIT) || !isBelow(feeder.exported, FEEDER_LIMIT)) return 'feeder out of bounds';
  if (!pricesOf(settlement).every((price) => Number.isInteger(price) && Math.abs(price) < PRICE_LIMIT)) {
    return 'price out of bounds';
  }
  const energies = positions.flatMap(energiesOf);
  return energies.every((energy) => isBelow(energy, REGISTER_LIMIT)) ? null : 'energy out of bounds';
}

function isBelow(value: number, limit: number): boolean {
  return Number.isSafeInteger(value) && value >= 0 && value < limit;
}

function intervalRefusal(books: MarketBooks, { settlement, chunk }: SettlementChunk, shared: string): string | null {
  const { start, lengthMs } = settlement.interval;
  const known = Object.values(INTERVAL_LENGTHS).some((length) => length === lengthMs);
  if (!known || start < 0 || start % lengthMs !== 0) return `IntervalMisaligned(${start}, ${lengthMs})`;
  const progress = books.progress.get(start);
  if (progress !== undefined && progress.shared !== shared) return `IntervalDiffers(${start}) in chunk ${chunk}`;
  if (progress === undefined && slotsOf(start, lengthMs).some((slot) => books.coveredSlots.has(slot))) {
    return `IntervalOverlaps(${start})`;
  }
  return null;
}

function positionRefusal({ settlement }: SettlementChunk, settledBefore: ReadonlySet<MemberId>): string | null {
  const { local, long, short, tariff } = settlement.prices;
  const ladder = [tariff.exportPrice, long, local, short, tariff.importPrice];
  const ordered = ladder.every((price, at) => at === 0 || (ladder[at - 1] ?? price) <= price);
  for (const position of settlement.positions) {
    const { member, bought, sold, balancedLong, balancedShort } = position;
    if (settledBefore.has(member)) return `MemberTwiceInInterval(${member})`;
    const deviation = deviationOf(position);
    if (balancedLong > deviation.long || balancedShort > deviation.short) return `BalancedAboveDeviation(${member})`;
    if (!ordered && bought + sold + balancedLong + balancedShort > 0) return 'PricesOutOfOrder()';
  }
  return null;
}

// ---------------------------------------------------------------------------------------------- postings

interface Legs {
  readonly trade: bigint;
  readonly imbalance: bigint;
  readonly tariff: bigint;
}

/** Checks everything, then books everything: a refused chunk leaves no trace. */
function post(books: MarketBooks, chunk: SettlementChunk): void {
  const { settlement } = chunk;
  const { start, lengthMs } = settlement.interval;
  const shared = bytesToHex(intervalBytes(chunk));
  const progress = books.progress.get(start) ?? newProgress(shared);
  const refusal = intervalRefusal(books, chunk, shared) ?? positionRefusal(chunk, progress.members);
  if (refusal !== null) throw rejected(chunk, refusal);
  const traded = progress.openTraded + sumOf(settlement.positions, ({ sold, bought }) => sold - bought);
  const balanced =
    progress.openBalanced + sumOf(settlement.positions, (each) => each.balancedLong - each.balancedShort);
  const last = progress.chunks + 1 === chunk.chunks;
  if (last && (traded !== 0n || balanced !== 0n)) throw rejected(chunk, `UnbalancedInterval(${traded}, ${balanced})`);
  for (const slot of slotsOf(start, lengthMs)) books.coveredSlots.add(slot);
  for (const position of settlement.positions) bookPosition(books, progress, position, legsOf(position, settlement));
  Object.assign(progress, { chunks: progress.chunks + 1, openTraded: traded, openBalanced: balanced });
  books.progress.set(start, progress);
  if (last) books.intervals += 1;
}

function newProgress(shared: string): IntervalProgress {
  return { shared, members: new Set(), chunks: 0, openTraded: 0n, openBalanced: 0n };
}

function bookPosition(books: MarketBooks, progress: IntervalProgress, { member }: MemberPosition, legs: Legs): void {
  const amount = legs.trade + legs.imbalance + legs.tariff;
  books.members.set(member, (books.members.get(member) ?? 0n) + amount);
  books.community -= legs.imbalance;
  books.utility -= legs.tariff;
  progress.members.add(member);
}

function legsOf(position: MemberPosition, { prices }: SettlementChunk['settlement']): Legs {
  const { sold, bought, balancedLong, balancedShort } = position;
  const { long, short } = deviationOf(position);
  const at = (price: number, energy: number) => BigInt(price) * BigInt(energy);
  return {
    trade: at(prices.local, sold - bought),
    imbalance: at(prices.long, balancedLong) - at(prices.short, balancedShort),
    tariff: at(prices.tariff.exportPrice, long - balancedLong) - at(prices.tariff.importPrice, short - balancedShort),
  };
}

function deviationOf({ bought, sold, imported, exported }: MemberPosition): { long: number; short: number } {
  return {
    long: Math.max(0, exported - sold) + Math.max(0, bought - imported),
    short: Math.max(0, sold - exported) + Math.max(0, imported - bought),
  };
}

function sumOf(positions: readonly MemberPosition[], energy: (position: MemberPosition) => number): bigint {
  return positions.reduce((sum, position) => sum + BigInt(energy(position)), 0n);
}

function slotsOf(start: number, lengthMs: number): number[] {
  return Array.from({ length: lengthMs / SLOT_MS }, (_, at) => start / SLOT_MS + at);
}

// ---------------------------------------------------------------------------------------------- payload hash

/** keccak256 of the interval's fields, the chunk and keccak256 of the parties, each a word: the contract's encoding. */
function hashOf(chunk: SettlementChunk, numbers: ReadonlyMap<MemberId, number>): string {
  const parties = keccak_256(partyBytes(chunk.settlement.positions, numbers));
  const bytes = Uint8Array.from([...intervalBytes(chunk), ...word(BigInt(chunk.chunk)), ...parties]);
  return `0x${bytesToHex(keccak_256(bytes))}`;
}

function intervalBytes({ settlement, chunks }: SettlementChunk): Uint8Array {
  const { market, interval, feeder } = settlement;
  const id = new Uint8Array(WORD_BYTES);
  id.set(new TextEncoder().encode(market));
  const numbers = [
    interval.start,
    interval.lengthMs,
    chunks,
    ...pricesOf(settlement),
    feeder.imported,
    feeder.exported,
  ];
  return Uint8Array.from([id, ...numbers.map((value) => word(BigInt(value)))].flatMap((bytes) => [...bytes]));
}

/** 32 bytes, big-endian, two's complement. */
function word(value: bigint): Uint8Array {
  const bytes = new Uint8Array(WORD_BYTES);
  let rest = BigInt.asUintN(256, value);
  for (let at = WORD_BYTES - 1; at >= 0; at -= 1) {
    bytes[at] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  return bytes;
}

function partyBytes(positions: readonly MemberPosition[], numbers: ReadonlyMap<MemberId, number>): Uint8Array {
  const numbered = positions.map((position) => ({ position, number: numbers.get(position.member) ?? 0 }));
  numbered.sort((a, b) => a.number - b.number);
  const view = new DataView(new ArrayBuffer(positions.length * PARTY_BYTES));
  numbered.forEach(({ position, number }, row) => {
    const at = row * PARTY_BYTES;
    view.setUint8(at, number >>> 16);
    view.setUint16(at + 1, number & 0xffff);
    for (const [field, energy] of energiesOf(position).entries()) view.setUint32(at + 3 + 4 * field, energy);
    view.setUint8(at + PARTY_BYTES - 1, position.origin === 'substituted' ? 1 : 0);
  });
  return new Uint8Array(view.buffer);
}

function energiesOf({ bought, sold, imported, exported, balancedLong, balancedShort }: MemberPosition): number[] {
  return [bought, sold, imported, exported, balancedLong, balancedShort];
}

function pricesOf({ prices }: SettlementChunk['settlement']): number[] {
  return [prices.local, prices.short, prices.long, prices.tariff.importPrice, prices.tariff.exportPrice];
}
