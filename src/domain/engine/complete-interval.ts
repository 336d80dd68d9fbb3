import { rowOf } from '../interval-cycle.ts';
import { mechanismOf } from '../market/mechanism.ts';
import { acceptReading, type MeterLimits, NEW_METER } from '../metering/interval-energy.ts';
import type { MeterReading } from '../metering/meter-reading.ts';
import { closeFeeder } from '../settlement/feeder-energy.ts';
import type { ShortfallCause } from '../settlement/interval-settlement.ts';
import { addToTotals, NO_TOTALS } from '../settlement/member-totals.ts';
import type { MemberInterval } from '../settlement/single-supply.ts';
import { tradedPositions } from '../settlement/traded-positions.ts';
import { assert } from '../units/assert.ts';
import type { MemberId } from '../units/identity.ts';
import type { DeliveryInterval } from '../units/interval.ts';
import { ZERO_TOTAL } from '../units/money.ts';
import type { Watt } from '../units/power.ts';
import { type PricePerKwh, pricePerKwh } from '../units/price.ts';
import { type EpochMs, plusMs } from '../units/time.ts';
import type { BoundaryReading, Command, MarketTerms } from './command.ts';
import type { EngineEvent } from './event.ts';
import { type EngineState, NOTHING_TRADED, type Product, type Traded, termsOf, tradedByMember } from './state.ts';

const { step: verifyDelivery } = rowOf('verify delivery');
const { step: settle } = rowOf('settle');
const { step: bill } = rowOf('bill');

type Complete = Extract<Command, { type: 'complete' }>;
type Metered = Pick<Parameters<typeof settle>[1], 'tariff' | 'members' | 'feeder' | 'clearingPrice' | 'zoneRent'>;

const WEEK_MS = 7 * 86_400_000;

/** Reads the meters, verifies what was delivered, settles and bills. The first interval only sets the registers. */
export function completeInterval(state: EngineState, command: Complete): EngineEvent[] {
  const terms = termsOf(state);
  const interval: DeliveryInterval = { start: plusMs(command.boundary, -terms.lengthMs), lengthMs: terms.lengthMs };
  assert(state.completedUntil === null || command.boundary > state.completedUntil, 'an interval is completed once');
  const first = state.completedUntil === null;
  state.completedUntil = command.boundary;
  recordReadings(state, terms, command);
  const product = state.products.get(interval.start);
  const trades = tradesOf(product, terms);
  const causes = new Map(command.causes?.map(({ member, cause }) => [member, cause]));
  const parties = new Set([...terms.members.map(({ id }) => id), ...trades.members.keys()]);
  const members = [...parties].map((id) => ({
    ...memberInterval(state, interval, id, trades.members.get(id) ?? NOTHING_TRADED),
    ...gridFeeOf(state, product, id),
    ...causeOf(causes.get(id)),
  }));
  const { track, feeder } = closeFeeder(state.feederMeter, interval, members);
  state.feederMeter = track;
  if (first) return [{ type: 'baseline', boundary: command.boundary }];
  const { price: clearingPrice, zoneRent } = trades;
  return settleAndBill(state, interval, { tariff: command.tariff, members, feeder, clearingPrice, zoneRent });
}

function recordReadings(state: EngineState, { members, lengthMs }: MarketTerms, { readings, feeder }: Complete): void {
  const powers = new Map(members.map(({ id, connectionPower }) => [id, connectionPower]));
  for (const reading of readings) {
    const maxPower = powers.get(reading.member);
    if (maxPower === undefined) continue;
    const track = state.meters.get(reading.member) ?? NEW_METER;
    state.meters.set(reading.member, withReading(track, reading, { maxPower, lengthMs }));
  }
  if (feeder === null) return;
  const maxPower = members.reduce((sum, { connectionPower }) => sum + connectionPower, 0) as Watt;
  state.feederMeter = withReading(state.feederMeter, feeder, { maxPower, lengthMs });
}

function withReading(track: typeof NEW_METER, reading: BoundaryReading, limits: MeterLimits): typeof NEW_METER {
  return acceptReading(track, meterReading(reading), limits).track;
}

function meterReading({ at, importRegister, exportRegister }: BoundaryReading): MeterReading {
  return { at, importRegister, exportRegister, power: 0 as Watt, quality: 'good' };
}

/** One price for all: what each bought and sold says everything. Several: what each of its trades came to does. */
function tradesOf(product: Product | undefined, { tick }: MarketTerms) {
  const clearing = product?.clearing ?? null;
  const hasOnePrice = clearing === null || (product?.mechanism === 'call' && clearing.zonePrices === undefined);
  if (!hasOnePrice) return tradedPositions(clearing.trades, tick);
  return { members: tradedByMember(clearing), price: clearing?.price ?? null, zoneRent: ZERO_TOTAL };
}

function causeOf(shortfallCause: ShortfallCause | undefined): { shortfallCause?: ShortfallCause } {
  return shortfallCause === undefined ? {} : { shortfallCause };
}

/** Of its zone, as it was when the product opened. */
function gridFeeOf(state: EngineState, product: Product | undefined, member: MemberId): { gridFee?: PricePerKwh } {
  const number = state.members.numberOf(member);
  const fee = number === undefined ? undefined : product?.book?.rules.fees[state.members.table.zone(number)];
  return fee === undefined || fee === 0 ? {} : { gridFee: fee };
}

function penaltyOf(product: Product | undefined): { penaltyRate?: PricePerKwh } {
  const penalty = product?.book?.rules.penalty ?? 0;
  return penalty === 0 ? {} : { penaltyRate: pricePerKwh(penalty) };
}

/** Whoever left since the gate is among them: its trades are firm, its readings substituted. */
function memberInterval(
  state: EngineState,
  interval: DeliveryInterval,
  member: MemberId,
  traded: Traded,
): MemberInterval {
  const importedLastWeek = state.weekImports.get(plusMs(interval.start, -WEEK_MS))?.get(member) ?? null;
  const track = state.meters.get(member) ?? NEW_METER;
  const verified = verifyDelivery(track, { interval, ...traded, importedLastWeek });
  state.meters.set(member, verified.state);
  return { member, ...traded, energy: verified.outputs.energy };
}

function settleAndBill(state: EngineState, interval: DeliveryInterval, metered: Metered): EngineEvent[] {
  const terms = termsOf(state);
  const { market, tick, imbalanceWeightPermille, supply = 'single' } = terms;
  const product = state.products.get(interval.start);
  const { outputs: settlement } = settle(null, {
    ...{ market, interval, tick, imbalanceWeightPermille, supply },
    mechanism: mechanismOf({ ...terms, mechanism: product?.mechanism ?? terms.mechanism }),
    ...metered,
    tariff: product?.tariff ?? metered.tariff,
    ...penaltyOf(product),
  });
  product?.book?.release();
  state.settlements.set(interval.start, settlement);
  state.weekImports.set(interval.start, new Map(settlement.positions.map((each) => [each.member, each.imported])));
  for (const position of settlement.positions) {
    const before = state.totals.get(position.member) ?? NO_TOTALS;
    state.totals.set(position.member, addToTotals(before, position, settlement.prices));
  }
  const { accounts, statements } = state;
  Object.assign(state, bill({ accounts, statements }, settlement).state);
  forgetWhatIsOver(state, terms, interval.start);
  return [{ type: 'settled', settlement }];
}

/** The orders of a product are kept, so that a repeated one gets its first answer, until its dispute window ends. */
function forgetWhatIsOver(state: EngineState, { disputeIntervals, lengthMs }: MarketTerms, settled: EpochMs): void {
  const keptFrom = settled - disputeIntervals * lengthMs;
  forgetBefore(state.products, keptFrom);
  forgetBefore(state.settlements, keptFrom);
  forgetBefore(state.weekImports, settled - WEEK_MS);
}

/** Entries stand in the order of their instants. */
function forgetBefore(entries: Map<EpochMs, unknown>, instant: number): void {
  for (const at of entries.keys()) {
    if (at >= instant) return;
    entries.delete(at);
  }
}
