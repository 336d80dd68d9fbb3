import type { HomeDevices, HomeFlow } from '../domain/dispatch/home-dispatch.ts';
import type { PricePreference } from '../domain/dispatch/rule-agent.ts';
import type { MeasuredLoad } from '../domain/forecast/load.ts';
import { NO_LOAD } from '../domain/forecast/load.ts';
import { sameTimeYesterday } from '../domain/forecast/yesterday.ts';
import {
  type Books,
  type ForecastMethod,
  INTERVAL_CYCLE,
  NO_PLAN,
  type VerifiedInterval,
} from '../domain/interval-cycle.ts';
import type { Mechanism } from '../domain/market/mechanism.ts';
import type { Order } from '../domain/market/order.ts';
import { MAX_PRODUCT_WH, OrderBook } from '../domain/market/order-book.ts';
import type { Clearing } from '../domain/market/trade.ts';
import { acceptReading, type MeterTrack, NEW_METER } from '../domain/metering/interval-energy.ts';
import type { MeterReading } from '../domain/metering/meter-reading.ts';
import { NEW_ACCOUNTS } from '../domain/settlement/accounts.ts';
import type { FeederEnergy, IntervalSettlement } from '../domain/settlement/interval-settlement.ts';
import type { MemberInterval } from '../domain/settlement/single-supply.ts';
import { assert } from '../domain/units/assert.ts';
import { excessWh, MAX_ORDER_WH, type Wh, wh, ZERO_WH } from '../domain/units/energy.ts';
import type { MarketId, MemberId } from '../domain/units/identity.ts';
import { type DeliveryInterval, type IntervalLengthMs, intervalEnd } from '../domain/units/interval.ts';
import { meanPower, watt } from '../domain/units/power.ts';
import type { PricePerKwh } from '../domain/units/price.ts';
import { type PriceBand, priceBand, type Tariff } from '../domain/units/tariff.ts';
import { type EpochMs, plusMs } from '../domain/units/time.ts';

/** One home as the batch driver sees it. `load` is the truth: what its devices will really do. */
export interface BatchHome {
  readonly member: MemberId;
  readonly devices: HomeDevices;
  readonly load: MeasuredLoad;
  readonly preference: PricePreference;
}

/** What stays the same over a run. */
export interface BatchTerms {
  readonly market: MarketId;
  readonly lengthMs: IntervalLengthMs;
  readonly timezone: string;
  readonly tick: number;
  readonly gateLeadMs: number;
  readonly mechanism: Mechanism;
  readonly forecast: ForecastMethod;
  readonly homes: readonly BatchHome[];
}

export interface BatchState {
  readonly devices: readonly HomeDevices[];
  /** What each meter shows, and what is known of it. */
  readonly meters: readonly MeterReading[];
  readonly published: readonly (MeterReading | null)[];
  readonly tracks: readonly MeterTrack[];
  readonly books: Books;
  readonly sequence: number;
}

export interface IntervalOutcome {
  /** Of the auction or the pool; null where nothing traded. */
  readonly price: PricePerKwh | null;
  readonly settlement: IntervalSettlement;
  /** In the order of the homes. */
  readonly flows: readonly HomeFlow[];
  readonly verified: readonly VerifiedInterval[];
}

const [
  readMeter,
  publish,
  forecast,
  planAndBid,
  acceptOrder,
  matchAndClear,
  { devices: dispatch },
  verify,
  settle,
  bill,
] = INTERVAL_CYCLE;

/** No meter of a simulated home lies about its power, so nothing it shows is implausible. */
const NO_LIMIT = watt(2 ** 31 - 1);

/** The street at the first boundary: every meter stands at zero and has been read once. */
export function startBatch(terms: BatchTerms, at: EpochMs): BatchState {
  const reading: MeterReading = {
    at,
    importRegister: ZERO_WH,
    exportRegister: ZERO_WH,
    power: watt(0),
    quality: 'good',
  };
  const { track } = acceptReading(NEW_METER, reading, { maxPower: NO_LIMIT, lengthMs: terms.lengthMs });
  return {
    devices: terms.homes.map(({ devices }) => devices),
    meters: terms.homes.map(() => reading),
    published: terms.homes.map(() => null),
    tracks: terms.homes.map(() => track),
    books: { accounts: NEW_ACCOUNTS, statements: new Map() },
    sequence: 1,
  };
}

/** Runs the rows of the interval cycle for one interval of one street: no clock, no promises. */
export function runInterval(
  terms: BatchTerms,
  before: BatchState,
  interval: DeliveryInterval,
  tariff: Tariff,
): { readonly state: BatchState; readonly outcome: IntervalOutcome } {
  const band = priceBand(tariff, terms.tick);
  const gate = band === 'tariff_inverted' ? NO_GATE : runGate(terms, before, interval, band);
  const { devices, flows } = deliver(terms, before, interval, gate);
  const { meters, published, tracks: read } = readMeters(terms, before, flows, interval);
  const { tracks, verified } = closeMembers(terms, read, interval, gate);
  const { market, tick, mechanism } = terms;
  const members = tradedMembers(terms, verified, gate);
  const clearing = { clearingPrice: gate.price, members, feeder: feederOf(flows) };
  const settlement = settle.step(null, { market, interval, tariff, tick, mechanism, ...clearing }).outputs;
  const books = bill.step(before.books, settlement).state;
  const state = { devices, meters, published, tracks, books, sequence: before.sequence + gate.orders };
  return { state, outcome: { price: priceOf(settlement), settlement, flows, verified } };
}

/** What a gate closure gave: Wh by member, and how many orders there were. */
export interface Gate {
  readonly price: PricePerKwh | null;
  readonly bought: ReadonlyMap<MemberId, Wh>;
  readonly sold: ReadonlyMap<MemberId, Wh>;
  readonly orders: number;
}

export const NO_GATE: Gate = { price: null, bought: new Map(), sold: new Map(), orders: 0 };

/** Forecast, plan and bid of every home, acceptance, and the clearing. Nothing happens under a mechanism without orders. */
function runGate(terms: BatchTerms, state: BatchState, interval: DeliveryInterval, band: PriceBand): Gate {
  if (terms.mechanism.atGate === null) return NO_GATE;
  const { market, tick } = terms;
  const now = plusMs(interval.start, -terms.gateLeadMs);
  const orders = planOrders(terms, state, interval, band, now);
  const book = new OrderBook({ market, product: interval.start, band, tick, maxVolume: MAX_PRODUCT_WH });
  orders.forEach((order, index) => {
    const sequence = state.sequence + index;
    const { outputs: verdict } = acceptOrder.step(book, { order, sequence, context: IN_GOOD_STANDING });
    assert(verdict.ok, `a rule agent's order was refused: ${verdict.code}`);
  });
  const clearing = matchAndClear.step(book, terms.mechanism).outputs;
  return clearing === null ? NO_GATE : gateOf(clearing, orders.length);
}

const IN_GOOD_STANDING = { marketHalted: false, memberHalted: false, clockOffMs: 0, capability: wh(MAX_ORDER_WH) };

function planOrders(
  terms: BatchTerms,
  state: BatchState,
  interval: DeliveryInterval,
  band: PriceBand,
  now: EpochMs,
): Order[] {
  const { market, tick, lengthMs, forecast: method } = terms;
  const sameIntervalYesterday = method === 'perfect' ? now : sameTimeYesterday(interval.start, terms.timezone);
  return terms.homes.flatMap(({ member, load, preference }, index) => {
    const measured = method === 'perfect' ? load : knownAt(load, now, lengthMs);
    const forecastLoad = forecast.step(
      measured,
      { method, interval, sameIntervalYesterday, timezone: terms.timezone },
      now,
    ).outputs;
    const devices = each(state.devices, index);
    const key = { market, product: interval.start, member };
    const input = { key, devices, forecast: forecastLoad, band, tick, preference, lengthMs };
    return planAndBid.step(NO_PLAN, input).outputs.place;
  });
}

/** A gateway knows only intervals that are complete. */
function knownAt(load: MeasuredLoad, now: EpochMs, lengthMs: number): MeasuredLoad {
  return (start) => (start + lengthMs <= now ? load(start) : null);
}

export function gateOf({ price, trades }: Clearing, orders: number): Gate {
  const bought = new Map<MemberId, Wh>();
  const sold = new Map<MemberId, Wh>();
  for (const { buyer, seller, energy } of trades) {
    bought.set(buyer, wh((bought.get(buyer) ?? 0) + energy));
    sold.set(seller, wh((sold.get(seller) ?? 0) + energy));
  }
  return { price, bought, sold, orders };
}

function deliver(terms: BatchTerms, state: BatchState, { start, lengthMs }: DeliveryInterval, { sold }: Gate) {
  const stepped = terms.homes.map(({ member, load }, index) =>
    dispatch(each(state.devices, index), {
      load: load(start) ?? NO_LOAD,
      sold: sold.get(member) ?? ZERO_WH,
      exportPathClosed: true,
      lengthMs,
    }),
  );
  return { devices: stepped.map(({ state: devices }) => devices), flows: stepped.map(({ outputs }) => outputs) };
}

/** The registers go on by what flowed; each meter is read at the end of the interval and the reading published. */
function readMeters(terms: BatchTerms, state: BatchState, flows: readonly HomeFlow[], interval: DeliveryInterval) {
  const limits = { maxPower: NO_LIMIT, lengthMs: terms.lengthMs };
  const meters = flows.map((flow, index) => advance(each(state.meters, index), flow, interval));
  const tracks = meters.map((reading, index) => {
    const { state: track, outputs: verdict } = readMeter.step(each(state.tracks, index), { reading, limits });
    assert(verdict.ok, `a simulated reading was refused: ${verdict.ok ? '' : verdict.code}`);
    return track;
  });
  const published = meters.map(
    (reading, index) => publish.step(each(state.published, index), { reading, due: true }).state,
  );
  return { meters, published, tracks };
}

function advance(meter: MeterReading, flow: HomeFlow, interval: DeliveryInterval): MeterReading {
  return {
    at: intervalEnd(interval),
    importRegister: wh(meter.importRegister + flow.imported),
    exportRegister: wh(meter.exportRegister + flow.exported),
    power: meanPower(wh(flow.imported - flow.exported), interval.lengthMs),
    quality: 'good',
  };
}

function closeMembers(terms: BatchTerms, tracks: readonly MeterTrack[], interval: DeliveryInterval, gate: Gate) {
  const stepped = terms.homes.map(({ member }, index) => {
    const bought = gate.bought.get(member) ?? ZERO_WH;
    const sold = gate.sold.get(member) ?? ZERO_WH;
    return verify.step(each(tracks, index), { interval, bought, sold, importedLastWeek: null });
  });
  return { tracks: stepped.map(({ state }) => state), verified: stepped.map(({ outputs }) => outputs) };
}

/** What each member traded at the gate, with what its meter then showed. */
function tradedMembers({ homes }: BatchTerms, verified: readonly VerifiedInterval[], gate: Gate): MemberInterval[] {
  return homes.map(({ member }, index) => ({
    member,
    bought: gate.bought.get(member) ?? ZERO_WH,
    sold: gate.sold.get(member) ?? ZERO_WH,
    energy: each(verified, index).energy,
  }));
}

function priceOf({ positions, prices }: IntervalSettlement): PricePerKwh | null {
  return positions.some(({ sold }) => sold > 0) ? prices.local : null;
}

/** The feeder meter sees what the homes did, whatever their meters say. Lossless. */
function feederOf(flows: readonly HomeFlow[]): FeederEnergy {
  const imported = wh(flows.reduce((sum, flow) => sum + flow.imported, 0));
  const exported = wh(flows.reduce((sum, flow) => sum + flow.exported, 0));
  return { imported: excessWh(imported, exported), exported: excessWh(exported, imported) };
}

function each<T>(list: readonly T[], index: number): T {
  const item = list[index];
  assert(item !== undefined, `no item ${index} of ${list.length}`);
  return item;
}
