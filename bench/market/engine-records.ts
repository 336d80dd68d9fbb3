import type { Command } from '../../src/domain/engine/command.ts';
import { JournalNumbers } from '../../src/domain/engine/command-reader.ts';
import { encodeCommand } from '../../src/domain/engine/command-record.ts';
import { ORDER_TYPES, SIDES } from '../../src/domain/market/order.ts';
import { wh } from '../../src/domain/units/energy.ts';
import type { MarketId, MemberId } from '../../src/domain/units/identity.ts';
import type { Nano } from '../../src/domain/units/money.ts';
import type { Watt } from '../../src/domain/units/power.ts';
import { pricePerKwh } from '../../src/domain/units/price.ts';
import { epochMs } from '../../src/domain/units/time.ts';
import {
  CANCEL,
  COMMAND_WORDS,
  type CommandStream,
  LADDER_STEPS,
  LOWEST_PRICE,
  PRICE_TICK,
  priceAtStep,
} from './command-stream.ts';

const LENGTH_MS = 900_000;
const LEAD_MS = 60_000;
const FIRST_DELIVERY = 1_800_000_000_000 - (1_800_000_000_000 % LENGTH_MS);
const LIMIT = ORDER_TYPES[0];
const IOC = ORDER_TYPES[2];
/** As long as the real ones; nobody verifies it here. */
const SIGNATURE = `0x${'5a'.repeat(64)}1b`;
const BOUNDLESS_W = 4_000_000_000 as Watt;

/** A stream as the journal keeps it: terms, the opening of each book's product, then a record for every command. */
export function engineRecords(stream: CommandStream): Uint8Array[] {
  const numbers = new JournalNumbers();
  const terms = termsFor(stream);
  numbers.see(terms);
  const openings = Array.from({ length: stream.books }, (_, book) => opening(book));
  const records = [terms, ...openings].map((command) => encodeCommand(command, numbers));
  for (let at = 0; at < stream.words.length; at += COMMAND_WORDS) {
    records.push(encodeCommand(commandAt(stream.words, at), numbers));
  }
  return records;
}

/** All products of the benchmark are open at this instant. */
const NOW = epochMs(FIRST_DELIVERY - LENGTH_MS);

export function productOf(book: number) {
  return epochMs(FIRST_DELIVERY + book * LENGTH_MS);
}

function termsFor({ members, books }: CommandStream): Extract<Command, { type: 'terms' }> {
  const admitted = Array.from({ length: members }, (_, member) => ({
    id: memberId(member),
    address: '0x',
    exportCapability: BOUNDLESS_W,
    connectionPower: BOUNDLESS_W,
    collateral: Number.MAX_SAFE_INTEGER as Nano,
  }));
  return {
    type: 'terms',
    at: NOW,
    terms: {
      market: 'bench' as MarketId,
      lengthMs: LENGTH_MS,
      mechanism: 'continuous',
      rationing: 'price-time',
      tick: PRICE_TICK,
      lookAheadMs: (books + 1) * LENGTH_MS,
      gateLeadMs: LEAD_MS,
      imbalanceWeightPermille: 500,
      members: admitted,
      disputeIntervals: 96,
    },
  };
}

function opening(book: number): Command {
  const tariff = { importPrice: pricePerKwh(priceAtStep(LADDER_STEPS - 1)), exportPrice: pricePerKwh(LOWEST_PRICE) };
  return { type: 'open', at: NOW, product: productOf(book), tariff };
}

function commandAt(words: Int32Array, at: number): Command {
  const [operation = 0, book = 0, member = 0, clientOrderId = 0, , , energy = 0, limit = 0] = words.subarray(
    at,
    at + COMMAND_WORDS,
  );
  const signed = { at: NOW, product: productOf(book), member: memberId(member), clientOrderId, signature: SIGNATURE };
  if (operation === CANCEL) return { type: 'cancel', ...signed };
  const side = SIDES[operation & 1] ?? 'buy';
  const orderType = operation < 2 ? LIMIT : IOC;
  return { type: 'order', ...signed, side, orderType, limit: pricePerKwh(limit), energy: wh(energy), clockOffMs: 0 };
}

function memberId(member: number): MemberId {
  return `home-${member}` as MemberId;
}
