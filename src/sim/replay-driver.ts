import type { BoundaryReading, Command, MarketTerms } from '../domain/engine/command.ts';
import { type Books, INTERVAL_CYCLE } from '../domain/interval-cycle.ts';
import { mechanismOf } from '../domain/market/mechanism.ts';
import type { CancelVerdict, OrderVerdict } from '../domain/market/order.ts';
import { MAX_PRODUCT_WH, OrderBook } from '../domain/market/order-book.ts';
import type { Clearing } from '../domain/market/trade.ts';
import { type MeterTrack, NEW_METER } from '../domain/metering/interval-energy.ts';
import { NEW_ACCOUNTS } from '../domain/settlement/accounts.ts';
import { closeFeeder } from '../domain/settlement/feeder-energy.ts';
import type { IntervalSettlement } from '../domain/settlement/interval-settlement.ts';
import type { MemberInterval } from '../domain/settlement/single-supply.ts';
import { assert } from '../domain/units/assert.ts';
import { ZERO_WH } from '../domain/units/energy.ts';
import type { MemberId } from '../domain/units/identity.ts';
import { energyOf, watt } from '../domain/units/power.ts';
import { priceBand, type Tariff } from '../domain/units/tariff.ts';
import { type EpochMs, plusMs } from '../domain/units/time.ts';
import { type Gate, gateOf, NO_GATE } from './batch-driver.ts';

const [readMeter, , , , acceptOrder, matchAndClear, , verify, settle, bill] = INTERVAL_CYCLE;

/** What a command log comes to when the rows of the interval cycle are run on it. */
export interface Replay {
  /** Of orders and withdrawals, in the order of the log. */
  readonly verdicts: readonly (OrderVerdict | CancelVerdict)[];
  /** By delivery start. */
  readonly clearings: ReadonlyMap<EpochMs, Clearing>;
  readonly settlements: ReadonlyMap<EpochMs, IntervalSettlement>;
  readonly books: Books;
}

/** The batch driver on the input of a live run: its journaled commands instead of forecasts and simulated flows. */
export function replayCommands(commands: Iterable<Command>): Replay {
  const replay = new Replayed();
  for (const command of commands) replay.take(command);
  return replay;
}

type Complete = Extract<Command, { type: 'complete' }>;

interface OpenProduct {
  readonly tariff: Tariff;
  /** `null` where nobody can bid. */
  readonly book: OrderBook | null;
  gate: Gate;
}

const WEEK_MS = 7 * 86_400_000;
const FEEDER = 'the feeder meter';

class Replayed implements Replay {
  readonly verdicts: (OrderVerdict | CancelVerdict)[] = [];
  readonly clearings = new Map<EpochMs, Clearing>();
  readonly settlements = new Map<EpochMs, IntervalSettlement>();
  books: Books = { accounts: NEW_ACCOUNTS, statements: new Map() };
  readonly #products = new Map<EpochMs, OpenProduct>();
  readonly #tracks = new Map<string, MeterTrack>();
  #terms: MarketTerms | null = null;
  #sequence = 0;
  #baseline = false;

  take(command: Command): void {
    this.#sequence += 1;
    if (command.type === 'terms') this.#terms = command.terms;
    else if (command.type === 'open') this.#open(command.product, command.tariff);
    else if (command.type === 'order') this.verdicts.push(this.#order(command));
    else if (command.type === 'cancel') this.verdicts.push(this.#cancel(command));
    else if (command.type === 'close') this.#close(command.product);
    else this.#complete(command);
  }

  get #rules(): MarketTerms {
    assert(this.#terms !== null, 'a log begins with its terms');
    return this.#terms;
  }

  #open(product: EpochMs, tariff: Tariff): void {
    const { market, mechanism, tick } = this.#rules;
    const band = priceBand(tariff, tick);
    const takesOrders = band !== 'tariff_inverted' && mechanism === 'call';
    const book = takesOrders ? new OrderBook({ market, product, band, tick, maxVolume: MAX_PRODUCT_WH }) : null;
    this.#products.set(product, { tariff, book, gate: NO_GATE });
  }

  #order(command: Extract<Command, { type: 'order' }>): OrderVerdict {
    const { market, members, lengthMs } = this.#rules;
    const { product, member, clientOrderId, side, orderType: type, limit, energy, clockOffMs } = command;
    const owner = members.find(({ id }) => id === member);
    const open = this.#products.get(product);
    if (owner === undefined) return { ok: false, code: 'unknown_member' };
    if (open === undefined) return { ok: false, code: 'unknown_product' };
    if (open.book === null) return { ok: false, code: this.#noBook(open.tariff) };
    const capability = energyOf(owner.exportCapability, lengthMs);
    const order = { market, product, member, clientOrderId, side, type, limit, energy };
    const context = { marketHalted: false, memberHalted: false, clockOffMs, capability };
    return acceptOrder.step(open.book, { order, sequence: this.#sequence, context }).outputs;
  }

  #noBook(tariff: Tariff) {
    const { mechanism, tick } = this.#rules;
    const isInverted = mechanism === 'call' && priceBand(tariff, tick) === 'tariff_inverted';
    return isInverted ? 'tariff_inverted' : 'mechanism_takes_no_orders';
  }

  #cancel({ product, member, clientOrderId }: Extract<Command, { type: 'cancel' }>): CancelVerdict {
    const book = this.#products.get(product)?.book ?? null;
    return book?.cancel(member, clientOrderId, this.#sequence) ?? { ok: false, code: 'unknown_order' };
  }

  #close(product: EpochMs): void {
    const open = this.#products.get(product);
    if (open === undefined || open.book === null) return;
    const clearing = matchAndClear.step(open.book, mechanismOf(this.#rules)).outputs;
    if (clearing === null) return;
    this.clearings.set(product, clearing);
    open.gate = gateOf(clearing, open.book.openOrders().length);
  }

  #complete(command: Complete): void {
    this.#readMeters(command);
    const { lengthMs } = this.#rules;
    const interval = { start: plusMs(command.boundary, -lengthMs), lengthMs };
    const { gate, tariff } = this.#products.get(interval.start) ?? { gate: NO_GATE, tariff: command.tariff };
    const members = this.#verified(interval, gate);
    const { track, feeder } = closeFeeder(this.#tracks.get(FEEDER) ?? NEW_METER, interval, members);
    this.#tracks.set(FEEDER, track);
    if (this.#baseline) this.#settle({ interval, tariff, clearingPrice: gate.price, members, feeder });
    this.#baseline = true;
  }

  /** A reading that is no good leaves the meter's track as it was. */
  #readMeters({ readings, feeder }: Complete): void {
    const { members } = this.#rules;
    for (const reading of readings) {
      const maxPower = members.find(({ id }) => id === reading.member)?.connectionPower;
      if (maxPower !== undefined) this.#read(reading.member, reading, maxPower);
    }
    const street = members.reduce((sum, { connectionPower }) => sum + connectionPower, 0);
    if (feeder !== null) this.#read(FEEDER, feeder, street);
  }

  #read(meter: string, { at, importRegister, exportRegister }: BoundaryReading, maxPower: number): void {
    const reading = { at, importRegister, exportRegister, power: watt(0), quality: 'good' } as const;
    const limits = { maxPower: watt(maxPower), lengthMs: this.#rules.lengthMs };
    this.#tracks.set(meter, readMeter.step(this.#tracks.get(meter) ?? NEW_METER, { reading, limits }).state);
  }

  #verified(interval: Parameters<typeof verify.step>[1]['interval'], gate: Gate): MemberInterval[] {
    const lastWeek = this.settlements.get(plusMs(interval.start, -WEEK_MS))?.positions ?? [];
    const parties = [...this.#rules.members.map(({ id }) => id), ...gate.bought.keys(), ...gate.sold.keys()];
    return [...new Set<MemberId>(parties)].map((member) => {
      const [bought, sold] = [gate.bought.get(member) ?? ZERO_WH, gate.sold.get(member) ?? ZERO_WH];
      const importedLastWeek = lastWeek.find((position) => position.member === member)?.imported ?? null;
      const track = this.#tracks.get(member) ?? NEW_METER;
      const { state, outputs } = verify.step(track, { interval, bought, sold, importedLastWeek });
      this.#tracks.set(member, state);
      return { member, bought, sold, energy: outputs.energy };
    });
  }

  #settle(closed: Omit<Parameters<typeof settle.step>[1], 'market' | 'tick' | 'mechanism'>): void {
    const { market, tick, imbalanceWeightPermille, disputeIntervals, lengthMs } = this.#rules;
    const mechanism = mechanismOf(this.#rules);
    const settlement = settle.step(null, { market, tick, imbalanceWeightPermille, mechanism, ...closed }).outputs;
    this.settlements.set(closed.interval.start, settlement);
    this.books = bill.step(this.books, settlement).state;
    const kept = closed.interval.start - disputeIntervals * lengthMs;
    for (const start of this.#products.keys()) if (start < kept) this.#products.delete(start);
  }
}
