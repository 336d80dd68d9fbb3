import type { BoundaryReading, Command, MarketTerms } from '../domain/engine/command.ts';
import { productRules, takesOrders } from '../domain/engine/product-rules.ts';
import { type Books, INTERVAL_CYCLE } from '../domain/interval-cycle.ts';
import type { Book } from '../domain/market/book.ts';
import { MECHANISMS, type MechanismName, mechanismOf } from '../domain/market/mechanism.ts';
import { MemberDirectory } from '../domain/market/member-directory.ts';
import { NaiveMembers } from '../domain/market/naive-members.ts';
import { NaiveProductBook } from '../domain/market/naive-product-book.ts';
import type { CancelVerdict, OrderVerdict } from '../domain/market/order.ts';
import { cancelOrder } from '../domain/market/order-entry.ts';
import type { Clearing } from '../domain/market/trade.ts';
import { type MeterTrack, NEW_METER } from '../domain/metering/interval-energy.ts';
import { NEW_ACCOUNTS } from '../domain/settlement/accounts.ts';
import { closeFeeder } from '../domain/settlement/feeder-energy.ts';
import type { IntervalSettlement } from '../domain/settlement/interval-settlement.ts';
import type { MemberInterval } from '../domain/settlement/single-supply.ts';
import { assert } from '../domain/units/assert.ts';
import type { MemberId } from '../domain/units/identity.ts';
import { energyOf, watt } from '../domain/units/power.ts';
import { pricePerKwh } from '../domain/units/price.ts';
import { priceBand, type Tariff } from '../domain/units/tariff.ts';
import { type EpochMs, plusMs } from '../domain/units/time.ts';
import { type Gate, gateOf, NO_GATE, tradedAt } from './batch-driver.ts';

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
  readonly mechanism: MechanismName;
  readonly tariff: Tariff;
  /** `null` where nobody can bid. */
  readonly book: Book | null;
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
  readonly #members = new MemberDirectory(new NaiveMembers());
  readonly #zones: string[] = [];
  readonly #homeZones = new Map<MemberId, number>();
  readonly #tracks = new Map<string, MeterTrack>();
  #terms: MarketTerms | null = null;
  #sequence = 0;
  #baseline = false;

  take(command: Command): void {
    this.#sequence += 1;
    if (command.type === 'terms') this.#change(command.terms);
    else if (command.type === 'open') this.#open(command.product, command.tariff);
    else if (command.type === 'order') this.verdicts.push(this.#order(command));
    else if (command.type === 'cancel') this.verdicts.push(this.#cancel(command));
    else if (command.type === 'close') this.#close(command.product);
    else if (command.type === 'complete') this.#complete(command);
    else this.#halt(command.member, command.type === 'halt');
  }

  #change(terms: MarketTerms): void {
    this.#terms = terms;
    this.#zones.push(...(terms.zones ?? []).map(({ id }) => id).filter((id) => !this.#zones.includes(id)));
    for (const { id, exportCapability, collateral = null, owner, zone } of terms.members) {
      const first = owner === undefined ? id : (terms.members.find((other) => other.owner === owner)?.id ?? id);
      const group = this.#members.numberOf(first);
      const capability = energyOf(exportCapability, terms.lengthMs);
      const home = this.#homeZones.get(id) ?? (zone === undefined ? 0 : this.#zones.indexOf(zone));
      this.#homeZones.set(id, home);
      const rules = { capability, collateral, zone: home };
      this.#members.admit(id, group === undefined || first === id ? rules : { ...rules, group });
    }
  }

  #halt(member: MemberId | null, halted: boolean): void {
    const number = member === null ? undefined : this.#members.numberOf(member);
    if (number !== undefined) this.#members.table.halt(number, halted);
    else if (member === null) this.#members.table.haltMarket(halted);
  }

  get #rules(): MarketTerms {
    assert(this.#terms !== null, 'a log begins with its terms');
    return this.#terms;
  }

  #open(product: EpochMs, tariff: Tariff): void {
    const { mechanism, tick } = this.#rules;
    const band = priceBand(tariff, tick);
    const rules =
      band === 'tariff_inverted'
        ? null
        : productRules({ zones: this.#zones }, this.#rules, { start: product, tariff, band });
    const book = rules === null ? null : new NaiveProductBook(rules, this.#members.table);
    this.#products.set(product, { mechanism, tariff, book, gate: NO_GATE });
  }

  #order(command: Extract<Command, { type: 'order' }>): OrderVerdict {
    const { product, member, orderType: type, clockOffMs } = command;
    const open = this.#products.get(product);
    if (!this.#rules.members.some(({ id }) => id === member)) return { ok: false, code: 'unknown_member' };
    if (open === undefined) return { ok: false, code: 'unknown_product' };
    if (open.book === null) return { ok: false, code: this.#noBook(open.tariff) };
    if ((this.#homeZones.get(member) ?? 0) >= open.book.rules.fees.length)
      return { ok: false, code: 'unknown_product' };
    const entry = { order: { ...command, type }, sequence: this.#sequence, clockOffMs, members: this.#members };
    return acceptOrder.step(open.book, entry).outputs;
  }

  #noBook(tariff: Tariff) {
    const { mechanism, tick } = this.#rules;
    const isInverted = takesOrders(mechanism) && priceBand(tariff, tick) === 'tariff_inverted';
    return isInverted ? 'tariff_inverted' : 'mechanism_takes_no_orders';
  }

  #cancel(command: Extract<Command, { type: 'cancel' }>): CancelVerdict {
    const book = this.#products.get(command.product)?.book ?? null;
    if (book === null) return { ok: false, code: 'unknown_order' };
    return cancelOrder(book, this.#members, command, this.#sequence);
  }

  #close(product: EpochMs): void {
    const open = this.#products.get(product);
    if (open === undefined || open.book === null) return;
    const input = { mechanism: MECHANISMS[open.mechanism], members: this.#members };
    const clearing = matchAndClear.step(open.book, input).outputs;
    if (clearing === null) return;
    this.clearings.set(product, clearing);
    const { mechanism } = open;
    open.gate = gateOf(clearing, { mechanism, tick: this.#rules.tick, orders: clearing.fills.length });
  }

  #complete(command: Complete): void {
    this.#readMeters(command);
    const { lengthMs } = this.#rules;
    const interval = { start: plusMs(command.boundary, -lengthMs), lengthMs };
    const open = this.#products.get(interval.start);
    const { gate, tariff } = open ?? { gate: NO_GATE, tariff: command.tariff };
    const members = this.#verified(interval, gate, open?.book ?? null).map((each) => {
      const shortfallCause = command.causes?.find(({ member }) => member === each.member)?.cause;
      return shortfallCause === undefined ? each : { ...each, shortfallCause };
    });
    const { track, feeder } = closeFeeder(this.#tracks.get(FEEDER) ?? NEW_METER, interval, members);
    this.#tracks.set(FEEDER, track);
    const mechanism = mechanismOf({ ...this.#rules, mechanism: open?.mechanism ?? this.#rules.mechanism });
    const penalty = open?.book?.rules.penalty ?? 0;
    const { price: clearingPrice, zoneRent } = gate;
    const closed = { interval, tariff, mechanism, clearingPrice, zoneRent, members, feeder };
    if (this.#baseline) this.#settle(penalty === 0 ? closed : { ...closed, penaltyRate: pricePerKwh(penalty) });
    open?.book?.release();
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

  #verified(interval: Parameters<typeof verify.step>[1]['interval'], gate: Gate, book: Book | null): MemberInterval[] {
    const lastWeek = this.settlements.get(plusMs(interval.start, -WEEK_MS))?.positions ?? [];
    const parties = [...this.#rules.members.map(({ id }) => id), ...gate.bought.keys(), ...gate.sold.keys()];
    return [...new Set<MemberId>(parties)].map((member) => {
      const traded = tradedAt(gate, member);
      const importedLastWeek = lastWeek.find((position) => position.member === member)?.imported ?? null;
      const track = this.#tracks.get(member) ?? NEW_METER;
      const { state, outputs } = verify.step(track, { interval, ...traded, importedLastWeek });
      this.#tracks.set(member, state);
      return { member, ...traded, energy: outputs.energy, ...this.#gridFee(member, book) };
    });
  }

  #gridFee(member: MemberId, book: Book | null) {
    const fee = book?.rules.fees[this.#homeZones.get(member) ?? 0] ?? 0;
    return fee === 0 ? {} : { gridFee: pricePerKwh(fee) };
  }

  #settle(closed: Omit<Parameters<typeof settle.step>[1], 'market' | 'tick'>): void {
    const { market, tick, imbalanceWeightPermille, disputeIntervals, lengthMs, supply = 'single' } = this.#rules;
    const settlement = settle.step(null, { market, tick, imbalanceWeightPermille, supply, ...closed }).outputs;
    this.settlements.set(closed.interval.start, settlement);
    this.books = bill.step(this.books, settlement).state;
    const kept = closed.interval.start - disputeIntervals * lengthMs;
    for (const start of this.#products.keys()) if (start < kept) this.#products.delete(start);
  }
}
