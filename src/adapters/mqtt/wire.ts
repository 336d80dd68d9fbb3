import { z } from 'zod';
import { type ClientOrderId, ORDER_TYPES, SIDES } from '../../domain/market/order.ts';
import { VERDICTS } from '../../domain/market/verdict.ts';
import type { Wh } from '../../domain/units/energy.ts';
import { isIdentifier, type MarketId, type MemberId } from '../../domain/units/identity.ts';
import type { Watt } from '../../domain/units/power.ts';
import { pricePerKwh } from '../../domain/units/price.ts';
import type { EpochMs } from '../../domain/units/time.ts';

/** The JSON messages of the market, integers only, QoS 1. Topics: `el/v1/{market}/{kind}[/{member}]`. */

const id = z.string().refine(isIdentifier, 'not an identifier');
const member = id.transform((text) => text as MemberId);
const market = id.transform((text) => text as MarketId);
const instant = z.int().transform((value) => value as EpochMs);
const energy = z
  .int()
  .min(0)
  .transform((value) => value as Wh);
const price = z
  .int()
  .gt(-(2 ** 31))
  .lt(2 ** 31)
  .transform((value) => pricePerKwh(value));
const clientOrderId = z
  .int()
  .min(0)
  .max(2 ** 32 - 1)
  .transform((value): ClientOrderId => value);
const signature = z.string().regex(/^0x[0-9a-f]{128,130}$/);

/** What fits into a record of the journal; how much of that the market takes is its own answer. */
const orderEnergy = z
  .int()
  .min(0)
  .lt(2 ** 31)
  .transform((value) => value as Wh);

const orderFields = {
  kind: z.literal('order'),
  product: instant,
  clientOrderId,
  side: z.enum(SIDES),
  type: z.enum(ORDER_TYPES),
  limit: price,
  energy: orderEnergy,
  /** The open order of the same side that this one takes the place of: continuous markets only. */
  replaces: clientOrderId.optional(),
};
const cancelFields = { kind: z.literal('cancel'), product: instant, clientOrderId };

/** A new order of the member that the topic names. `signature`: EIP-712, 65 bytes. */
export const orderMessage = z.strictObject({ ...orderFields, signature });

/** Withdraws an open order before the gate. */
export const cancelMessage = z.strictObject({ ...cancelFields, signature });

const MOST_IN_BATCH = 64;

/**
 * Up to 64 orders and cancels of one member, of any products, under one EIP-712 signature over the root of their tree.
 * They are taken one after another, and each is answered as if it had come alone.
 */
export const batchMessage = z.strictObject({
  kind: z.literal('batch'),
  entries: z
    .array(z.discriminatedUnion('kind', [z.strictObject(orderFields), z.strictObject(cancelFields)]))
    .min(1)
    .max(MOST_IN_BATCH),
  signature,
});

export const orderTopicMessage = z.discriminatedUnion('kind', [orderMessage, cancelMessage, batchMessage]);

/** The answer to an order or a cancel, alone or in a batch. `sequence` is the place in the journal where one was taken. */
export const replyMessage = z.strictObject({
  kind: z.enum(['order', 'cancel']),
  product: instant,
  clientOrderId,
  ok: z.boolean(),
  code: z.string(),
  sequence: z.int().optional(),
});

/** What the clearing of a product gave one member. */
export const tradesMessage = z.strictObject({
  product: instant,
  price: price.nullable(),
  bought: energy,
  sold: energy,
  fills: z.array(z.strictObject({ clientOrderId, filled: energy, fate: z.string() })),
});

const sequence = z.int().min(0);
const count = z
  .int()
  .min(0)
  .max(2 ** 32 - 1);
const hash = z.string().regex(/^0x[0-9a-f]{64}$/);
/** Of the engine: EIP-712, 65 bytes. */
const engineSignature = z.string().regex(/^0x[0-9a-f]{130}$/);

/** So many receipts go into one message; a member with more of them in one commit gets several messages. */
export const MOST_RECEIPTS = 64;

/**
 * What the engine confirms of a member's orders and withdrawals, in journal order: each with its place under the head
 * that was signed for the whole commit. Keep them: against a clearing without the order, a receipt is the proof.
 */
export const receiptMessage = z
  .array(
    z.strictObject({
      receipt: z.strictObject({
        ...{ market: id, product: z.int(), sequence, member: id },
        ...{ verdict: z.enum(VERDICTS), record: hash, previous: hash },
      }),
      index: count,
      count,
      path: z.array(hash).max(32).readonly(),
      head: z.strictObject({ market: id, firstSequence: sequence, count, previous: hash, root: hash }),
      signature: engineSignature,
    }),
  )
  .min(1)
  .max(MOST_RECEIPTS);

/** The root of a product whose gate has closed: its command log, rules, members and result. Retained. */
export const gateMessage = z.strictObject({
  chainId: z.int(),
  /** The account that signed, lower case. */
  engine: z.string().regex(/^0x[0-9a-f]{40}$/),
  gate: z.strictObject({
    ...{ market: id, product: z.int(), sequence, commands: count },
    ...{ log: hash, rules: hash, members: hash, result: hash },
  }),
  signature: engineSignature,
});

/** The public result of a product. */
export const clearingMessage = z.strictObject({ product: instant, price: price.nullable(), traded: energy });

/** The products that take orders, the next to be delivered first, each with the tariff it was opened with. Retained. */
export const productsMessage = z.strictObject({
  tick: z.int().positive(),
  open: z.array(z.strictObject({ product: instant, gate: instant, importPrice: price, exportPrice: price })),
});

/** `signature`: Ed25519 over `leaseText`, 64 bytes. Retained: a relay that restarts finds its certificate. */
export const leaseMessage = z.strictObject({
  market,
  member,
  intervalStart: instant,
  lengthMs: z.int().positive(),
  permittedExport: z
    .int()
    .min(0)
    .transform((value) => value as Watt),
  sequence: z.int().positive(),
  signature,
});

/** `signature`: Ed25519 over `heartbeatText`, 64 bytes. */
export const heartbeatMessage = z.strictObject({ market, sequence: z.int().positive(), wall: instant, signature });

/**
 * Where market time stands: at `wallAnchor` it was `marketAnchor`, and it runs `speed` times as fast, up to `holdAt`
 * (then it stands until the next such message; null: it never stands). Retained.
 */
export const clockMessage = z.strictObject({
  marketAnchor: instant,
  wallAnchor: instant,
  speed: z.number().positive(),
  holdAt: instant.nullable(),
});

/** A gateway has done all that was due up to and including market time `at`. */
export const readyMessage = z.strictObject({ at: instant });

/** What the interlock of a home does, from its relay. Retained. `faultCode`: the blink code, 0 is none. */
export const safetyMessage = z.strictObject({ closed: z.boolean(), faultCode: z.int().min(0) });

export type OrderMessage = z.infer<typeof orderMessage>;
export type CancelMessage = z.infer<typeof cancelMessage>;
export type BatchMessage = z.infer<typeof batchMessage>;
export type BatchEntry = BatchMessage['entries'][number];
export type ReplyMessage = z.infer<typeof replyMessage>;
export type ProductsMessage = z.infer<typeof productsMessage>;
export type LeaseMessage = z.infer<typeof leaseMessage>;
export type HeartbeatMessage = z.infer<typeof heartbeatMessage>;
export type ClockMessage = z.infer<typeof clockMessage>;
type MemberTopic = 'order' | 'reply' | 'receipt' | 'trades' | 'lease' | 'ready' | 'safety';
type MarketTopic = 'clearing' | 'products' | 'heartbeat' | 'clock';

/** `memberTopic('elm', 'order', '+')` is the filter for every member's orders. */
export function memberTopic(marketId: string, kind: MemberTopic, memberId: string): string {
  return `el/v1/${marketId}/${kind}/${memberId}`;
}

export function marketTopic(marketId: string, kind: MarketTopic): string {
  return `el/v1/${marketId}/${kind}`;
}

/** `gateTopic('elm', '+')` is the filter for the roots of all products. */
export function gateTopic(marketId: string, product: EpochMs | '+'): string {
  return `el/v1/${marketId}/gate/${product}`;
}
