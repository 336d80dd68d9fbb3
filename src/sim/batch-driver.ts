import type { HomeDevices, HomeFlow } from '../domain/dispatch/home-dispatch.ts';
import type { PricePreference } from '../domain/dispatch/rule-agent.ts';
import { MAX_PRODUCT_WH } from '../domain/engine/product-rules.ts';
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
import type { ProductRules } from '../domain/market/book.ts';
import type { Mechanism, MechanismName } from '../domain/market/mechanism.ts';
import { MemberDirectory } from '../domain/market/member-directory.ts';
import { MemberTable } from '../domain/market/member-table.ts';
import type { Order } from '../domain/market/order.ts';
import { ProductBook } from '../domain/market/product-book.ts';
import type { Clearing } from '../domain/market/trade.ts';
import { acceptReading, type MeterTrack, NEW_METER } from '../domain/metering/interval-energy.ts';
import type { MeterReading } from '../domain/metering/meter-reading.ts';
import { NEW_ACCOUNTS } from '../domain/settlement/accounts.ts';
import type { FeederEnergy, IntervalSettlement, TradeAmounts } from '../domain/settlement/interval-settlement.ts';
import type { MemberInterval } from '../domain/settlement/single-supply.ts';
import { tradedPositions } from '../domain/settlement/traded-positions.ts';
import { assert } from '../domain/units/assert.ts';
import { excessWh, type Wh, wh, ZERO_WH } from '../domain/units/energy.ts';
import type { MarketId, MemberId } from '../domain/units/identity.ts';
import { type DeliveryInterval, type IntervalLengthMs, intervalEnd } from '../domain/units/interval.ts';
import { type NanoTotal, ZERO_TOTAL } from '../domain/units/money.ts';
import { meanPower, watt } from '../domain/units/power.ts';
import { type PricePerKwh, pricePerKwh } from '../domain/units/price.ts';
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
  const gate = band === 'tariff_inverted' ? NO_GATE : runGate(terms, before, interval, { band, tariff });
  const { devices, flows } = deliver(terms, before, interval, gate);
  const { meters, published, tracks: read } = readMeters(terms, before, flows, interval);
  const { tracks, verified } = closeMembers(terms, read, interval, gate);
  const { market, tick, mechanism } = terms;
  const members = tradedMembers(terms, verified, gate);
  const clearing = { clearingPrice: gate.price, zoneRent: gate.zoneRent, members, feeder: feederOf(flows) };
  const settlement = settle.step(null, { market, interval, tariff, tick, mechanism, ...clearing }).outputs;
  const books = bill.step(before.books, settlement).state;
  const state = { devices, meters, published, tracks, books, sequence: before.sequence + gate.orders };
  return { state, outcome: { price: priceOf(settlement), settlement, flows, verified } };
}

/** What a gate closure gave. `tradeAmounts` only where trades have prices of their own. */
export interface Gate {
  readonly price: PricePerKwh | null;
  readonly bought: ReadonlyMap<MemberId, Wh>;
  readonly sold: ReadonlyMap<MemberId, Wh>;
  readonly tradeAmounts: ReadonlyMap<MemberId, TradeAmounts>;
  readonly zoneRent: NanoTotal;
  readonly orders: number;
}

export const NO_GATE: Gate = {
  ...{ price: null, bought: new Map(), sold: new Map(), tradeAmounts: new Map() },
  ...{ zoneRent: ZERO_TOTAL, orders: 0 },
};

/** Forecast, plan and bid of every home, acceptance, and the clearing. Nothing happens under a mechanism without orders. */
function runGate(
  terms: BatchTerms,
  state: BatchState,
  interval: DeliveryInterval,
  prices: { readonly band: PriceBand; readonly tariff: Tariff },
): Gate {
  const { mechanism } = terms;
  if (mechanism.atGate === null) return NO_GATE;
  const now = plusMs(interval.start, -terms.gateLeadMs);
  const orders = planOrders(terms, state, interval, prices.band, now);
  const members = membersOf(terms);
  const book = new ProductBook(rulesOf(terms, interval, prices), members.table);
  orders.forEach((order, index) => {
    const entry = { order, sequence: state.sequence + index, clockOffMs: 0, members };
    const { outputs: verdict } = acceptOrder.step(book, entry);
    assert(verdict.ok, `a rule agent's order was refused: ${verdict.code}`);
  });
  const clearing = matchAndClear.step(book, { mechanism, members }).outputs;
  if (clearing === null) return NO_GATE;
  return gateOf(clearing, { mechanism: mechanism.name, tick: terms.tick, orders: orders.length });
}

/** Every home may deliver what it offers, and owes no collateral. */
function membersOf({ homes }: BatchTerms): MemberDirectory<MemberTable> {
  const members = new MemberDirectory(new MemberTable());
  for (const { member } of homes) members.admit(member, { capability: MAX_PRODUCT_WH, collateral: null, zone: 0 });
  return members;
}

function rulesOf(
  { mechanism, tick }: BatchTerms,
  { start: product }: DeliveryInterval,
  { band, tariff }: { readonly band: PriceBand; readonly tariff: Tariff },
): ProductRules {
  return {
    ...{ product, tick, band, maxVolume: MAX_PRODUCT_WH, rationing: 'pro-rata', zoneLimits: [] },
    mechanism: mechanism.name === 'continuous' ? 'continuous' : 'call',
    importPrice: tariff.importPrice,
    penalty: pricePerKwh(0),
    fees: [pricePerKwh(0)],
  };
}

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

/** A call of one zone has one price for all of its trades. */
export function gateOf({ price, trades, zonePrices }: Clearing, rules: GateRules): Gate {
  const { members, price: mean, zoneRent } = tradedPositions(trades, rules.tick);
  const hasOnePrice = rules.mechanism !== 'continuous' && zonePrices === undefined;
  const gate = {
    bought: mapValues(members, ({ bought }) => bought),
    sold: mapValues(members, ({ sold }) => sold),
    orders: rules.orders,
  };
  if (hasOnePrice) return { ...gate, price, tradeAmounts: new Map(), zoneRent: ZERO_TOTAL };
  return { ...gate, price: mean, tradeAmounts: mapValues(members, ({ tradeAmounts }) => tradeAmounts), zoneRent };
}

interface GateRules {
  readonly mechanism: MechanismName;
  readonly tick: number;
  readonly orders: number;
}

function mapValues<From, To>(map: ReadonlyMap<MemberId, From>, to: (value: From) => To): Map<MemberId, To> {
  return new Map([...map].map(([member, value]) => [member, to(value)]));
}

/** What a member traded at the gate, as settlement takes it. */
export function tradedAt(gate: Gate, member: MemberId) {
  const tradeAmounts = gate.tradeAmounts.get(member);
  const traded = { bought: gate.bought.get(member) ?? ZERO_WH, sold: gate.sold.get(member) ?? ZERO_WH };
  return tradeAmounts === undefined ? traded : { ...traded, tradeAmounts };
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
    ...tradedAt(gate, member),
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
