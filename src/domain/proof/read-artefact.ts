import { ORDER_FATES } from '../market/order.ts';
import { VERDICTS } from '../market/verdict.ts';
import { isIdentifier } from '../units/identity.ts';
import { HASH_BYTES } from './canonical-bytes.ts';
import { ARTEFACT_SCHEMA, type ClearingArtefact } from './clearing-artefact.ts';
import type { SignedReceipt } from './receipt.ts';
import { byField, hex, integer, list, oneOf, orNull, record, type Shape, text } from './shape.ts';

/** Where a text is no artefact or no receipt: `.gate.log`, or `''` for the whole. */
export interface Malformed {
  readonly malformed: string;
}

const ADDRESS_BYTES = 20;
const SIGNATURE_BYTES = 65;
const MAX_WH = 2 ** 31 - 1;
const MAX_PRICE = 2 ** 31 - 1;

const identifier = text(isIdentifier);
const hash = hex(HASH_BYTES);
const count = integer(0, 2 ** 32 - 1);
const sequence = integer(0, Number.MAX_SAFE_INTEGER);
const instant = integer(0, Number.MAX_SAFE_INTEGER);
const energy = integer(0, MAX_WH);
const price = integer(-MAX_PRICE, MAX_PRICE);
const fee = integer(0, MAX_PRICE);
const money = integer(0, Number.MAX_SAFE_INTEGER);
const flag = oneOf([true, false]);
const hidden = record({ leaf: hash });

function part(fields: Readonly<Record<string, Shape>>): Shape {
  return byField('leaf', hidden, record({ ...fields, salt: hash }));
}

const memberState = part({
  sequence,
  number: count,
  id: identifier,
  address: hex(ADDRESS_BYTES),
  capability: integer(0, Number.MAX_SAFE_INTEGER),
  collateral: orNull(money),
  group: count,
  zone: count,
  active: flag,
  halted: flag,
});

const loggedCommand = part({
  sequence,
  record: hex(),
  verdict: oneOf(VERDICTS),
  previous: hash,
  reserved: orNull(money),
  filled: energy,
  fate: orNull(oneOf(ORDER_FATES)),
});

const productRules = record({
  product: instant,
  mechanism: oneOf(['call', 'continuous']),
  rationing: oneOf(['pro-rata', 'price-time']),
  tick: integer(1, MAX_PRICE),
  band: record({ lowest: price, highest: price }),
  importPrice: price,
  penalty: fee,
  maxVolume: energy,
  fees: list(fee),
  zoneLimits: list(record({ from: count, to: count, capacity: money })),
});

const trade = record({
  buyer: count,
  buyOrder: count,
  seller: count,
  sellOrder: count,
  energy,
  price,
  sellerPrice: price,
});

const artefact = record({
  schema: oneOf([ARTEFACT_SCHEMA]),
  viewer: orNull(identifier),
  chainId: sequence,
  engine: hex(ADDRESS_BYTES),
  gate: record({
    market: identifier,
    product: instant,
    sequence,
    commands: count,
    log: hash,
    rules: hash,
    members: hash,
    result: hash,
  }),
  signature: hex(SIGNATURE_BYTES),
  rules: record({
    engineVersion: count,
    opened: sequence,
    halts: list(record({ sequence, halted: flag })),
    product: productRules,
  }),
  members: list(memberState),
  changes: list(memberState),
  commands: list(loggedCommand),
  result: record({
    prices: list(orNull(price)),
    volume: integer(0, Number.MAX_SAFE_INTEGER),
    trades: byField('leaf', hidden, record({ salt: hash, list: list(trade) })),
  }),
});

const signedReceipt = record({
  receipt: record({
    market: identifier,
    product: instant,
    sequence,
    member: identifier,
    verdict: oneOf(VERDICTS),
    record: hash,
    previous: hash,
  }),
  index: count,
  count,
  path: list(hash, 32),
  head: record({ market: identifier, firstSequence: sequence, count, previous: hash, root: hash }),
  signature: hex(SIGNATURE_BYTES),
});

/** An artefact from JSON: nothing is missing, nothing is unknown, every number is in its bounds. */
export function readArtefact(json: string): ClearingArtefact | Malformed {
  const value = parsed(json);
  const problem = artefact(value);
  return problem === null ? (value as ClearingArtefact) : { malformed: problem };
}

/** One receipt, or a list of them, from JSON. */
export function readReceipts(json: string): readonly SignedReceipt[] | Malformed {
  const value = parsed(json);
  const receipts = Array.isArray(value) ? value : [value];
  const problem = list(signedReceipt)(receipts);
  return problem === null ? (receipts as SignedReceipt[]) : { malformed: problem };
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return undefined;
  }
}
