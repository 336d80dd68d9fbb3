import type { HomeDevices, HomeFlow } from './dispatch/home-dispatch.ts';
import { dispatchHome, planHome } from './dispatch/home-dispatch.ts';
import { type PlannedOrder, type PricePreference, ruleOrders } from './dispatch/rule-agent.ts';
import type { Load, MeasuredLoad } from './forecast/load.ts';
import { perfectForecast } from './forecast/perfect.ts';
import { correctedForTodaysSun } from './forecast/todays-sun.ts';
import { yesterdayForecast } from './forecast/yesterday.ts';
import type { Book } from './market/book.ts';
import type { Mechanism } from './market/mechanism.ts';
import type { MemberDirectory } from './market/member-directory.ts';
import type { ClientOrderId, Order, OrderKey, OrderVerdict } from './market/order.ts';
import { type OrderEntry, submitOrder } from './market/order-entry.ts';
import type { Clearing } from './market/trade.ts';
import {
  acceptReading,
  bookSubstitute,
  closeInterval,
  type MeterLimits,
  type MeterTrack,
  type ReadingVerdict,
} from './metering/interval-energy.ts';
import type { IntervalEnergy, MeterReading } from './metering/meter-reading.ts';
import { substituteEnergy } from './metering/substitute-reading.ts';
import type {
  InterlockInput,
  InterlockOutputs,
  InterlockSettings,
  InterlockState,
  InterlockTime,
} from './safety/interlock-state.ts';
import { stepInterlock } from './safety/relay-interlock.ts';
import { type Accounts, addToAccounts } from './settlement/accounts.ts';
import { settleAllocated } from './settlement/allocated-supply.ts';
import type { IntervalSettlement } from './settlement/interval-settlement.ts';
import { type SettlementInput, settleInterval } from './settlement/single-supply.ts';
import { addToStatement, EMPTY_STATEMENT, type Statement } from './settlement/statement.ts';
import { type Delivery, verifyDelivery } from './settlement/verify-delivery.ts';
import { assert } from './units/assert.ts';
import { type Wh, ZERO_WH } from './units/energy.ts';
import type { MemberId } from './units/identity.ts';
import type { DeliveryInterval } from './units/interval.ts';
import { type PriceBand, priceBand } from './units/tariff.ts';
import type { EpochMs } from './units/time.ts';

export type Stage =
  | 'read meter'
  | 'publish'
  | 'forecast'
  | 'plan and bid'
  | 'accept order'
  | 'match and clear'
  | 'dispatch and interlock'
  | 'verify delivery'
  | 'settle'
  | 'bill';

export type Trigger =
  | 'reading'
  | 'planning tick'
  | 'order'
  | 'gate closure'
  | 'delivery start'
  | 'interval complete'
  | 'settled';

export type Owner = 'gateway' | 'engine' | 'relay';

type Step = (state: never, input: never, now: EpochMs) => Stepped<unknown, unknown>;

/** One stage. `step` is synchronous, asks no clock and sees no port. An order book is the one state changed in place. */
export interface CycleRow {
  readonly stage: Stage;
  readonly trigger: Trigger;
  readonly owner: Owner;
  readonly step: Step;
  /** What the home's devices do under the permission that `step` gives. */
  readonly devices?: Step;
}

export interface Stepped<State, Output> {
  readonly state: State;
  readonly outputs: Output;
}

/** The straight line: what one kWh passes through per delivery interval. Drivers run these rows. */
export const INTERVAL_CYCLE = [
  { stage: 'read meter', trigger: 'reading', owner: 'gateway', step: readMeter },
  { stage: 'publish', trigger: 'reading', owner: 'gateway', step: publish },
  { stage: 'forecast', trigger: 'planning tick', owner: 'gateway', step: forecast },
  { stage: 'plan and bid', trigger: 'planning tick', owner: 'gateway', step: planAndBid },
  { stage: 'accept order', trigger: 'order', owner: 'engine', step: acceptOrder },
  { stage: 'match and clear', trigger: 'gate closure', owner: 'engine', step: matchAndClear },
  { stage: 'dispatch and interlock', trigger: 'delivery start', owner: 'relay', step: interlock, devices: dispatch },
  { stage: 'verify delivery', trigger: 'interval complete', owner: 'engine', step: verifyMember },
  { stage: 'settle', trigger: 'interval complete', owner: 'engine', step: settle },
  { stage: 'bill', trigger: 'settled', owner: 'engine', step: bill },
] as const satisfies readonly CycleRow[];

type Row = (typeof INTERVAL_CYCLE)[number];

/** One row by its name: a driver takes those that it runs. */
export function rowOf<Name extends Stage>(stage: Name): Extract<Row, { readonly stage: Name }> {
  const row = INTERVAL_CYCLE.find((each): each is Extract<Row, { readonly stage: Name }> => each.stage === stage);
  assert(row !== undefined, `there is no stage ${stage}`);
  return row;
}

interface MeterInput {
  readonly reading: MeterReading;
  readonly limits: MeterLimits;
}

function readMeter(track: MeterTrack, { reading, limits }: MeterInput): Stepped<MeterTrack, ReadingVerdict> {
  const { track: state, verdict } = acceptReading(track, reading, limits);
  return { state, outputs: verdict };
}

interface PublishInput {
  readonly reading: MeterReading;
  /** It ends an interval, or nothing was said for long: it is published even if it shows nothing new. */
  readonly due: boolean;
}

/** Report by exception: what a meter repeats does not leave the home, and nothing leaves it twice. */
function publish(
  last: MeterReading | null,
  { reading, due }: PublishInput,
): Stepped<MeterReading | null, MeterReading[]> {
  const isNews = last === null || (reading.at > last.at && (due || !showsTheSame(last, reading)));
  return { state: isNews ? reading : last, outputs: isNews ? [reading] : [] };
}

function showsTheSame(a: MeterReading, b: MeterReading): boolean {
  const registers = a.importRegister === b.importRegister && a.exportRegister === b.exportRegister;
  return registers && a.power === b.power && a.quality === b.quality;
}

/** `todays-sun`: yesterday, its generation scaled by how the last hour compares. */
export type ForecastMethod = 'perfect' | 'yesterday' | 'todays-sun';

interface ForecastInput {
  readonly method: ForecastMethod;
  readonly interval: DeliveryInterval;
  /** `sameTimeYesterday` of its start. */
  readonly sameIntervalYesterday: EpochMs;
  readonly timezone: string;
}

/** `measured` knows only what is complete at `now`, except for the perfect forecast, which it gives away. */
function forecast(measured: MeasuredLoad, input: ForecastInput, now: EpochMs): Stepped<MeasuredLoad, Load> {
  const { method, interval, sameIntervalYesterday, timezone } = input;
  if (method === 'perfect') return { state: measured, outputs: perfectForecast(measured, interval) };
  const expected = yesterdayForecast(measured, interval, now, sameIntervalYesterday);
  if (method === 'yesterday') return { state: measured, outputs: expected };
  const { lengthMs } = interval;
  return { state: measured, outputs: correctedForTodaysSun(expected, measured, now, { lengthMs, timezone }) };
}

/** What a gateway has on the market for one product. */
export interface OpenPlan {
  readonly orders: readonly Order[];
  readonly nextClientOrderId: ClientOrderId;
}

export const NO_PLAN: OpenPlan = { orders: [], nextClientOrderId: 1 };

interface PlanInput {
  readonly key: Omit<OrderKey, 'clientOrderId'>;
  readonly devices: HomeDevices;
  readonly forecast: Load;
  readonly band: PriceBand;
  readonly tick: number;
  readonly preference: PricePreference;
  readonly lengthMs: number;
}

export interface PlanOutput {
  readonly cancel: readonly ClientOrderId[];
  readonly place: readonly Order[];
}

/** Sends orders when there is something to trade, and others in their place only if their Wh or limit changed. */
function planAndBid(open: OpenPlan, input: PlanInput): Stepped<OpenPlan, PlanOutput> {
  const plan = planHome(input.devices, input.forecast, input.lengthMs);
  const wanted = ruleOrders(plan, input.band, input.tick, input.preference);
  const kept = open.orders.filter((order) => wanted.some((each) => isSame(each, order)));
  const cancel = open.orders.filter((order) => !kept.includes(order)).map(({ clientOrderId }) => clientOrderId);
  const missing = wanted.filter((each) => !kept.some((order) => isSame(each, order)));
  const place = missing.map((each, n) => ({ ...input.key, ...each, clientOrderId: open.nextClientOrderId + n }));
  const state = { orders: [...kept, ...place], nextClientOrderId: open.nextClientOrderId + place.length };
  return { state, outputs: { cancel, place } };
}

function isSame(planned: PlannedOrder, order: Order): boolean {
  return planned.side === order.side && planned.limit === order.limit && planned.energy === order.energy;
}

interface OrderInput extends OrderEntry {
  readonly members: MemberDirectory;
}

/** In a continuous book it may trade at once. */
function acceptOrder(book: Book, { members, ...entry }: OrderInput): Stepped<Book, OrderVerdict> {
  return { state: book, outputs: submitOrder(book, members, entry) };
}

interface GateInput {
  readonly mechanism: Mechanism;
  readonly members: MemberDirectory;
}

/** `null` under a mechanism without orders. */
function matchAndClear(book: Book, { mechanism, members }: GateInput): Stepped<Book, Clearing | null> {
  return { state: book, outputs: mechanism.atGate?.(book, members) ?? null };
}

interface RelayInput {
  readonly settings: InterlockSettings;
  readonly input: InterlockInput;
  readonly time: InterlockTime;
}

/** The relay grants the export path and takes it back, on every tick of its own. */
function interlock(state: InterlockState, relay: RelayInput): Stepped<InterlockState, InterlockOutputs> {
  return stepInterlock(relay.settings, state, relay.input, relay.time);
}

interface DispatchInput {
  readonly load: Load;
  readonly sold: Wh;
  /** What the relay grants: open, and nothing leaves the home. */
  readonly exportPathClosed: boolean;
  readonly lengthMs: number;
}

/** A whole interval of a home's devices. In a real home the gateway's set-points do this, measurement by measurement. */
function dispatch(devices: HomeDevices, input: DispatchInput): Stepped<HomeDevices, HomeFlow> {
  const flow = dispatchHome(devices, input.load, input.sold, input.exportPathClosed, input.lengthMs);
  return { state: { ...devices, stored: flow.stored }, outputs: flow };
}

interface VerifyInput {
  readonly interval: DeliveryInterval;
  readonly bought: Wh;
  readonly sold: Wh;
  /** Imported in the same interval last week; `null`: not known. Only a substitute needs it. */
  readonly importedLastWeek: Wh | null;
}

export interface VerifiedInterval {
  readonly energy: IntervalEnergy;
  readonly delivery: Delivery;
}

/** Closes one member's interval. Total: where its reading is missing, the substitute is verified. */
function verifyMember(track: MeterTrack, input: VerifyInput): Stepped<MeterTrack, VerifiedInterval> {
  const closed = closeInterval(track, input.interval);
  const energy = closed.energy ?? substituteEnergy(input.bought, input.importedLastWeek);
  const state = closed.energy === null ? bookSubstitute(closed.track, energy) : closed.track;
  const { imported, exported } = energy;
  return { state, outputs: { energy, delivery: verifyDelivery({ ...input, imported, exported }) } };
}

/** `members` and `clearingPrice` are of the gate; a mechanism that works after delivery replaces both. */
export interface SettleInput extends Omit<SettlementInput, 'balancing'> {
  readonly mechanism: Mechanism;
  /** `allocated`: each home keeps its own supply contract. Absent: the community is the utility's one customer. */
  readonly supply?: 'single' | 'allocated';
}

function settle(none: null, { mechanism, supply, ...input }: SettleInput): Stepped<null, IntervalSettlement> {
  const complete = { ...input, ...pool(mechanism, input), balancing: mechanism.balancing };
  return { state: none, outputs: supply === 'allocated' ? settleAllocated(complete) : settleInterval(complete) };
}

type Traded = Pick<SettlementInput, 'members' | 'clearingPrice'>;

/** The metered surplus and deficit of an interval meet in one pool. `null` under a mechanism that has none. */
function pool(
  { afterDelivery }: Mechanism,
  { members, tariff, tick }: Omit<SettlementInput, 'balancing'>,
): Traded | null {
  const band = priceBand(tariff, tick);
  if (afterDelivery === null || band === 'tariff_inverted') return null;
  const positions = members.map(({ member, energy }) => ({ member, demand: energy.imported, supply: energy.exported }));
  const { price, shares } = afterDelivery(positions, band, tick);
  const shared = members.map((member, index) => ({ ...member, ...NO_SHARE, ...shares[index] }));
  return { members: shared, clearingPrice: price };
}

const NO_SHARE = { bought: ZERO_WH, sold: ZERO_WH };

/** Every account and statement of a community. */
export interface Books {
  readonly accounts: Accounts;
  readonly statements: ReadonlyMap<MemberId, Statement>;
}

function bill(books: Books, settlement: IntervalSettlement): Stepped<Books, null> {
  const statements = new Map(books.statements);
  for (const position of settlement.positions) {
    const before = statements.get(position.member) ?? EMPTY_STATEMENT;
    statements.set(position.member, addToStatement(before, position, settlement.prices));
  }
  return { state: { accounts: addToAccounts(books.accounts, settlement), statements }, outputs: null };
}
