import { rowOf } from '../interval-cycle.ts';
import { mechanismOf } from '../market/mechanism.ts';
import type { OrderRefusal } from '../market/order.ts';
import { MAX_PRODUCT_WH, OrderBook } from '../market/order-book.ts';
import { openingOf } from '../market/products.ts';
import type { Clearing } from '../market/trade.ts';
import { acceptReading, NEW_METER } from '../metering/interval-energy.ts';
import type { MeterReading } from '../metering/meter-reading.ts';
import { closeFeeder } from '../settlement/feeder-energy.ts';
import type { MemberInterval } from '../settlement/single-supply.ts';
import { assert } from '../units/assert.ts';
import type { Wh } from '../units/energy.ts';
import type { MemberId } from '../units/identity.ts';
import type { DeliveryInterval } from '../units/interval.ts';
import { energyOf, type Watt } from '../units/power.ts';
import { type PriceBand, priceBand, type Tariff } from '../units/tariff.ts';
import { type EpochMs, plusMs } from '../units/time.ts';
import type { BoundaryReading, CancelCommand, Command, MarketTerms, MemberTerms, OrderCommand } from './command.ts';
import type { EngineEvent } from './event.ts';
import { type EngineState, type Product, tradedBy } from './state.ts';

const { step: acceptOrder } = rowOf('accept order');
const { step: matchAndClear } = rowOf('match and clear');
const { step: verifyDelivery } = rowOf('verify delivery');
const { step: settle } = rowOf('settle');
const { step: bill } = rowOf('bill');

/**
 * The engine: one command, in journal order, to the events it has. Deterministic and total for every command that the
 * doors let through; live, replay and simulation run this same function. Changes `state` in place and owns it.
 */
export function applyCommand(state: EngineState, command: Command): EngineEvent[] {
  assert(command.at >= state.now, `market time went back from ${state.now} to ${command.at}`);
  state.sequence += 1;
  state.now = command.at;
  switch (command.type) {
    case 'terms':
      state.terms = command.terms;
      return [{ type: 'terms_changed' }];
    case 'open':
      return openProduct(state, command.product, command.tariff);
    case 'order':
      return answerOrder(state, command);
    case 'cancel':
      return answerCancel(state, command);
    case 'close':
      return closeGate(state, command.product);
    case 'complete':
      return completeInterval(state, command);
  }
}

function openProduct(state: EngineState, start: EpochMs, tariff: Tariff): EngineEvent[] {
  const terms = termsOf(state);
  assert(!state.products.has(start), `product ${start} was opened before`);
  assert(openingOf(start, terms) <= state.now, `product ${start} opens too early`);
  const band = priceBand(tariff, terms.tick);
  const book = band === 'tariff_inverted' || terms.mechanism !== 'call' ? null : newBook(terms, start, band);
  state.products.set(start, { start, tariff, band, book, clearing: null });
  state.lastOpened = start;
  return [{ type: 'opened', product: start, tariff, band }];
}

function newBook({ market, tick }: MarketTerms, product: EpochMs, band: PriceBand): OrderBook {
  return new OrderBook({ market, product, tick, band, maxVolume: MAX_PRODUCT_WH });
}

function answerOrder(state: EngineState, command: OrderCommand): EngineEvent[] {
  const { product, member, clientOrderId } = command;
  const answered = { type: 'answered', kind: 'order', product, member, clientOrderId } as const;
  const terms = termsOf(state);
  const owner = memberOf(terms, member);
  if (owner === null) return [{ ...answered, verdict: { ok: false, code: 'unknown_member' } }];
  const open = state.products.get(product);
  if (open === undefined) return [{ ...answered, verdict: { ok: false, code: 'unknown_product' } }];
  if (open.book === null) return [{ ...answered, verdict: { ok: false, code: noBookOf(open, terms) } }];
  const { side, orderType: type, limit, energy } = command;
  const order = { market: terms.market, product, member, clientOrderId, side, type, limit, energy };
  const capability = energyOf(owner.exportCapability, terms.lengthMs);
  const context = { clockOffMs: command.clockOffMs, capability, marketHalted: false, memberHalted: false };
  const { outputs: verdict } = acceptOrder(open.book, { order, sequence: state.sequence, context });
  return [{ ...answered, verdict }];
}

function noBookOf({ band }: Product, { mechanism }: MarketTerms): OrderRefusal {
  return mechanism === 'call' && band === 'tariff_inverted' ? 'tariff_inverted' : 'mechanism_takes_no_orders';
}

function answerCancel(state: EngineState, command: CancelCommand): EngineEvent[] {
  const { product, member, clientOrderId } = command;
  const answered = { type: 'answered', kind: 'cancel', product, member, clientOrderId } as const;
  const book = state.products.get(product)?.book;
  if (book === undefined || book === null) return [{ ...answered, verdict: { ok: false, code: 'unknown_order' } }];
  return [{ ...answered, verdict: book.cancel(member, clientOrderId, state.sequence) }];
}

function closeGate(state: EngineState, start: EpochMs): EngineEvent[] {
  const product = state.products.get(start);
  assert(product !== undefined, `no product ${start} to close`);
  if (product.book === null) return [];
  const { outputs: clearing } = matchAndClear(product.book, mechanismOf(termsOf(state)));
  if (clearing === null) return [];
  product.clearing = clearing;
  return [{ type: 'cleared', product: start, clearing }];
}

type Complete = Extract<Command, { type: 'complete' }>;

function completeInterval(state: EngineState, command: Complete): EngineEvent[] {
  const terms = termsOf(state);
  const interval: DeliveryInterval = { start: plusMs(command.boundary, -terms.lengthMs), lengthMs: terms.lengthMs };
  assert(state.completedUntil === null || command.boundary > state.completedUntil, 'an interval is completed once');
  const first = state.completedUntil === null;
  state.completedUntil = command.boundary;
  recordReadings(state, terms, command);
  const parties = partiesOf(terms, state.products.get(interval.start)?.clearing ?? null);
  const members = parties.map((id) => memberInterval(state, terms, interval, id));
  const { track, feeder } = closeFeeder(state.feederMeter, interval, members);
  state.feederMeter = track;
  if (first) return [{ type: 'baseline', boundary: command.boundary }];
  return settleAndBill(state, interval, { tariff: command.tariff, members, feeder });
}

/** The members, and whoever left since the gate: their trades are firm, their readings substituted. */
function partiesOf({ members }: MarketTerms, clearing: Clearing | null): MemberId[] {
  const traders = clearing?.trades.flatMap(({ buyer, seller }) => [buyer, seller]) ?? [];
  return [...new Set([...members.map(({ id }) => id), ...traders])];
}

function recordReadings(state: EngineState, terms: MarketTerms, { readings, feeder }: Complete): void {
  for (const reading of readings) {
    const power = memberOf(terms, reading.member)?.connectionPower;
    if (power === undefined) continue;
    const track = state.meters.get(reading.member) ?? NEW_METER;
    const limits = { maxPower: power, lengthMs: terms.lengthMs };
    state.meters.set(reading.member, acceptReading(track, meterReading(reading), limits).track);
  }
  if (feeder === null) return;
  const maxPower = terms.members.reduce((sum, { connectionPower }) => sum + connectionPower, 0) as Watt;
  const limits = { maxPower, lengthMs: terms.lengthMs };
  state.feederMeter = acceptReading(state.feederMeter, meterReading(feeder), limits).track;
}

function meterReading({ at, importRegister, exportRegister }: BoundaryReading): MeterReading {
  return { at, importRegister, exportRegister, power: 0 as Watt, quality: 'good' };
}

function memberInterval(
  state: EngineState,
  terms: MarketTerms,
  interval: DeliveryInterval,
  member: MemberId,
): MemberInterval {
  const traded = tradedBy(state.products.get(interval.start)?.clearing ?? null, member);
  const importedLastWeek = lastWeekImport(state, terms, interval, member);
  const verified = verifyDelivery(state.meters.get(member) ?? NEW_METER, { interval, ...traded, importedLastWeek });
  state.meters.set(member, verified.state);
  return { member, ...traded, energy: verified.outputs.energy };
}

const WEEK_MS = 7 * 86_400_000;

function lastWeekImport(
  state: EngineState,
  { lengthMs }: MarketTerms,
  { start }: DeliveryInterval,
  member: MemberId,
): Wh | null {
  assert(WEEK_MS % lengthMs === 0, 'a week is a whole number of intervals');
  const settlement = state.settlements.get(plusMs(start, -WEEK_MS));
  return settlement?.positions.find((position) => position.member === member)?.imported ?? null;
}

type Metered = Pick<Parameters<typeof settle>[1], 'tariff' | 'members' | 'feeder'>;

function settleAndBill(state: EngineState, interval: DeliveryInterval, metered: Metered): EngineEvent[] {
  const terms = termsOf(state);
  const { market, tick, imbalanceWeightPermille } = terms;
  const product = state.products.get(interval.start);
  const { outputs: settlement } = settle(null, {
    ...{ market, interval, tick, imbalanceWeightPermille, mechanism: mechanismOf(terms) },
    ...metered,
    tariff: product?.tariff ?? metered.tariff,
    clearingPrice: product?.clearing?.price ?? null,
  });
  state.settlements.set(interval.start, settlement);
  const { accounts, statements } = state;
  Object.assign(state, bill({ accounts, statements }, settlement).state);
  forgetOldProducts(state, terms, interval.start);
  return [{ type: 'settled', settlement }];
}

/** The orders of a product are kept, so that a repeated one gets its first answer, until its dispute window ends. */
function forgetOldProducts(state: EngineState, { disputeIntervals, lengthMs }: MarketTerms, settled: EpochMs): void {
  for (const start of state.products.keys()) {
    if (start < settled - disputeIntervals * lengthMs) state.products.delete(start);
  }
}

function termsOf(state: EngineState): MarketTerms {
  assert(state.terms !== null, 'the terms come first');
  return state.terms;
}

function memberOf(terms: MarketTerms, member: MemberId): MemberTerms | null {
  return terms.members.find(({ id }) => id === member) ?? null;
}
