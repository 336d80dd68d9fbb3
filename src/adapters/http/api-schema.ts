import { z } from '@hono/zod-openapi';

/** What the HTTP API answers. Money and prices are decimal strings, energies integer Wh, powers integer W, times epoch ms. */

const money = z.string().openapi({ example: '0.171' });
const price = z.string().openapi({ example: '0.19' });
const instant = z.int().openapi({ example: 1_782_032_400_000 });
const energyWh = z.int();
const powerW = z.int();

/** Import from the grid is positive, export negative; a battery that charges is positive. Null: not there or stale. */
export const homeView = z
  .object({
    id: z.string(),
    online: z.boolean(),
    stale: z.boolean(),
    powerW: powerW.nullable(),
    pvW: powerW.nullable(),
    batteryW: powerW.nullable(),
    socPermille: z.int().nullable(),
    relay: z.enum(['closed', 'open', 'unknown']),
    /** Blink code: 0 none, 3 voltage, 5 meter communication ... */
    faultCode: z.int(),
    /** This interval's firm trades: bought positive, sold negative. */
    tradedWh: energyWh,
  })
  .openapi('Home');

export const ledgerStateView = z
  .object({
    /** ok: every settlement is final or on its way. parked: the chain does not answer, settlements wait. */
    state: z.enum(['ok', 'parked']),
    pending: z.int(),
    lastBlock: z.int().nullable(),
    settledIntervals: z.int(),
  })
  .openapi('LedgerState');

export const conservationView = z.object({ energyWh: z.string(), money }).openapi('Conservation');

/** The street at this moment. Sent as the SSE event `now` about once a second. */
export const nowView = z
  .object({
    market: z.string(),
    name: z.string(),
    currency: z.string(),
    timezone: z.string(),
    intervalMs: z.int(),
    mode: z.enum(['production', 'paper']),
    speed: z.number(),
    interlock: z.boolean(),
    marketTime: instant,
    /** For whom market time stands still, if it does. */
    heldFor: z.array(z.string()),
    interval: instant,
    importPerKwh: price,
    exportPerKwh: price,
    /** Age of the tariff where it is not the current one: internet gone. */
    tariffAgeMs: z.int().nullable(),
    /** Of the interval being delivered; null where nothing traded. */
    pricePerKwh: price.nullable(),
    flow: z.object({ pvW: powerW, loadW: powerW, batteryW: powerW, gridW: powerW, neighboursW: powerW }),
    homes: z.array(homeView),
    ledger: ledgerStateView,
    conservation: conservationView,
  })
  .openapi('Now');

export const curveStepView = z.object({ pricePerKwh: price, energyWh }).openapi('CurveStep');

/** How one product was cleared. Curves are merged to at least five members per step where there are as many. */
export const clearingView = z
  .object({
    interval: instant,
    pricePerKwh: price.nullable(),
    tradedWh: energyWh,
    orders: z.int(),
    demand: z.array(curveStepView),
    supply: z.array(curveStepView),
    importPerKwh: price,
    exportPerKwh: price,
    /** One sentence: why this price. */
    why: z.string(),
  })
  .openapi('Clearing');

/**
 * A price level whose orders were filled in part. What stands at it is shown where five members do, or to a member with
 * an order at it.
 */
export const sharedLevelView = z
  .object({
    side: z.enum(['buy', 'sell']),
    pricePerKwh: price.nullable(),
    energyWh: energyWh.nullable(),
    filledWh: energyWh.nullable(),
  })
  .openapi('SharedLevel');

/** One order of the member that asks. `code`: what became of it; of a refused order, the refusal. */
export const ownOrderView = z
  .object({
    clientOrderId: z.int(),
    side: z.enum(['buy', 'sell']),
    limitPerKwh: price,
    energyWh,
    filledWh: energyWh,
    code: z.string(),
    /** One clause, for people. */
    reason: z.string(),
  })
  .openapi('OwnOrder');

/** Why a product has its price, and why the orders of one member fared as they did. */
export const whyView = z
  .object({
    interval: instant,
    member: z.string().nullable(),
    pricePerKwh: price.nullable(),
    tradedWh: energyWh,
    demand: z.array(curveStepView),
    supply: z.array(curveStepView),
    /** Empty where nothing had to be shared. */
    shared: z.array(sharedLevelView),
    orders: z.array(ownOrderView),
    /** One sentence. */
    why: z.string(),
  })
  .openapi('Why');

const hex = z.string().regex(/^0x(?:[0-9a-f]{2})*$/);
const leaf = z.strictObject({ leaf: hex });
const memberState = z.strictObject({
  sequence: z.int(),
  number: z.int(),
  id: z.string(),
  address: hex,
  capability: energyWh,
  collateral: z.int().nullable(),
  group: z.int(),
  zone: z.int(),
  active: z.boolean(),
  halted: z.boolean(),
  salt: hex,
});
const loggedCommand = z.strictObject({
  sequence: z.int(),
  record: hex,
  verdict: z.string(),
  previous: hex,
  reserved: z.int().nullable(),
  filled: energyWh,
  fate: z.string().nullable(),
  salt: hex,
});

/**
 * What the root of a product was made of: whoever has it replays the clearing. `viewer`: the member whose own it shows;
 * the rest are hashes. Null: everything is shown. Energies in Wh, prices in micro-currency per kWh.
 */
export const artefactView = z
  .object({
    schema: z.literal(1),
    viewer: z.string().nullable(),
    chainId: z.int(),
    engine: hex,
    gate: z.object({
      ...{ market: z.string(), product: instant, sequence: z.int(), commands: z.int() },
      ...{ log: hex, rules: hex, members: hex, result: hex },
    }),
    signature: hex,
    rules: z.object({
      engineVersion: z.int(),
      opened: z.int(),
      halts: z.array(z.object({ sequence: z.int(), halted: z.boolean() })).readonly(),
      product: z.object({
        product: instant,
        mechanism: z.enum(['call', 'continuous']),
        rationing: z.enum(['pro-rata', 'price-time']),
        tick: z.int(),
        band: z.object({ lowest: z.int(), highest: z.int() }),
        importPrice: z.int(),
        penalty: z.int(),
        maxVolume: energyWh,
        fees: z.array(z.int()).readonly(),
        zoneLimits: z.array(z.object({ from: z.int(), to: z.int(), capacity: energyWh })).readonly(),
      }),
    }),
    members: z.array(z.union([memberState, leaf])).readonly(),
    changes: z.array(z.union([memberState, leaf])).readonly(),
    commands: z.array(z.union([loggedCommand, leaf])).readonly(),
    result: z.object({
      prices: z.array(z.int().nullable()).readonly(),
      volume: energyWh,
      trades: z.union([
        z.strictObject({
          salt: hex,
          list: z
            .array(
              z.object({
                ...{ buyer: z.int(), buyOrder: z.int(), seller: z.int(), sellOrder: z.int() },
                ...{ energy: energyWh, price: z.int(), sellerPrice: z.int() },
              }),
            )
            .readonly(),
        }),
        leaf,
      ]),
    }),
  })
  .openapi('Artefact');

export const tradeView = z
  .object({ interval: instant, buyer: z.string(), seller: z.string(), energyWh, pricePerKwh: price, amount: money })
  .openapi('Trade');

/** One interval from its clearing to the chain. `settledBlock` is null until it is final. SSE event `interval` when it is. */
export const intervalView = z
  .object({
    interval: instant,
    pricePerKwh: price.nullable(),
    tradedWh: energyWh,
    balancedWh: energyWh,
    orders: z.int(),
    deliveredWh: energyWh,
    importPerKwh: price,
    exportPerKwh: price,
    feederImportWh: energyWh,
    feederExportWh: energyWh,
    substituted: z.int(),
    settledBlock: z.int().nullable(),
    conservation: conservationView,
  })
  .openapi('Interval');

/** A member's account since the start: positive amounts are paid by the member. */
export const memberView = z
  .object({
    id: z.string(),
    bill: money,
    /** The same meter readings at the utility's tariff alone. */
    baseline: money,
    saving: money,
    boughtWh: energyWh,
    soldWh: energyWh,
    importWh: energyWh,
    exportWh: energyWh,
    shortfallWh: energyWh,
  })
  .openapi('Member');

export const statementLineView = z
  .object({
    interval: instant,
    kind: z.string(),
    energyWh,
    pricePerKwh: price,
    amount: money,
  })
  .openapi('StatementLine');

export const statementView = z.object({ member: memberView, lines: z.array(statementLineView) }).openapi('Statement');

export const ledgerView = z
  .object({
    state: ledgerStateView,
    address: z.string().nullable(),
    chainId: z.int().nullable(),
    community: money,
    utility: money,
    entries: z.array(
      z.object({ interval: instant, block: z.int(), transactionHash: z.string(), payloadHash: z.string() }),
    ),
  })
  .openapi('Ledger');

/** RFC 9457. `code` is stable; `hint` says what to do; `errors` points to each wrong place of a request. */
export const problemView = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    code: z.string(),
    hint: z.string().optional(),
    detail: z.string().optional(),
    errors: z.array(z.object({ pointer: z.string(), detail: z.string() })).optional(),
  })
  .openapi('Problem');

/** The answer to an order or a cancellation that was taken. `exists`: the same content again, the first answer again. */
export const verdictView = z
  .object({ ok: z.literal(true), code: z.string(), sequence: z.int().optional() })
  .openapi('Verdict');

/** One entry of a batch, answered as if it had come alone. */
export const entryVerdictView = z
  .object({
    kind: z.enum(['order', 'cancel']),
    product: instant,
    clientOrderId: z.int(),
    ok: z.boolean(),
    code: z.string(),
    sequence: z.int().optional(),
  })
  .openapi('EntryVerdict');

export type HomeView = z.infer<typeof homeView>;
export type NowView = z.infer<typeof nowView>;
export type ClearingView = z.infer<typeof clearingView>;
export type WhyView = z.infer<typeof whyView>;
export type ArtefactView = z.infer<typeof artefactView>;
export type TradeView = z.infer<typeof tradeView>;
export type IntervalView = z.infer<typeof intervalView>;
export type MemberView = z.infer<typeof memberView>;
export type StatementView = z.infer<typeof statementView>;
export type LedgerView = z.infer<typeof ledgerView>;
export type ProblemView = z.infer<typeof problemView>;
export type ConservationView = z.infer<typeof conservationView>;
