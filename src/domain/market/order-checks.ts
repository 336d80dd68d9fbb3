import { MAX_ORDER_WH } from '../units/energy.ts';
import type { ProductRules } from './book.ts';
import type { MemberTable } from './member-table.ts';
import { ORDER_TYPES, SIDES } from './order.ts';
import type { OrderKeys } from './order-keys.ts';
import { NO_ORDER, type OrderLines } from './order-lines.ts';
import type { OrderRecords } from './order-records.ts';
import type { PositionTable } from './position-table.ts';
import { OFF_TICK, type PriceLadder } from './price-ladder.ts';
import { reservedPerWh } from './reservation.ts';
import { type VerdictCode, verdictCode } from './verdict.ts';

const BUY = SIDES.indexOf('buy');
const IOC = ORDER_TYPES.indexOf('ioc');
const MAX_CLOCK_OFF_MS = 50;

const ACCEPTED = verdictCode('accepted');
const EXISTS = verdictCode('exists');
const OTHER_SIDE = verdictCode('exists_with_different_side');
const OTHER_TYPE = verdictCode('exists_with_different_type');
const OTHER_LIMIT = verdictCode('exists_with_different_limit');
const OTHER_ENERGY = verdictCode('exists_with_different_energy');
const OTHER_REPLACES = verdictCode('exists_with_different_replaces');
const MARKET_HALTED = verdictCode('market_halted');
const MEMBER_HALTED = verdictCode('member_halted');
const PRICE_MISMATCH = verdictCode('price_mismatch');
const ORDER_TYPE_NOT_IN_CALL = verdictCode('order_type_not_in_call');
const ENERGY_NOT_POSITIVE = verdictCode('energy_not_positive');
const ENERGY_TOO_LARGE = verdictCode('energy_too_large');
const TICK_SIZE = verdictCode('tick_size');
const OUTSIDE_BAND = verdictCode('outside_band');
const REPLACED_UNKNOWN = verdictCode('replaced_unknown');
const REPLACED_NOT_OPEN = verdictCode('replaced_not_open');
const REPLACED_OTHER_SIDE = verdictCode('replaced_other_side');
const SELF_CROSS = verdictCode('self_cross');
const EXCEEDS_CAPABILITY = verdictCode('exceeds_capability');
const EXCEEDS_COLLATERAL = verdictCode('exceeds_collateral');

/** What the checks look at. */
export interface CheckedBook {
  readonly rules: ProductRules;
  readonly ladder: PriceLadder;
  readonly members: MemberTable;
  readonly lines: OrderLines;
  readonly records: OrderRecords;
  readonly keys: OrderKeys;
  readonly positions: PositionTable;
}

/** Decides whether an order is accepted. It changes nothing in the book. */
export class OrderChecks {
  /** Open and filled Wh of all members. */
  heldBuys = 0;
  heldSells = 0;
  /** What the checks found out about the last order that they passed: the tick of its book price, ... */
  tick = 0;
  /** ... the order that it takes the place of, ... */
  replaced = NO_ORDER;
  /** ... its member's row, below 0 where it has none yet, ... */
  row = 0;
  /** ... and the nano-currency that each of its Wh reserves where collateral is asked for. */
  rate = 0;
  readonly #rules: ProductRules;
  readonly #ladder: PriceLadder;
  readonly #members: MemberTable;
  readonly #lines: OrderLines;
  readonly #records: OrderRecords;
  readonly #keys: OrderKeys;
  readonly #positions: PositionTable;
  readonly #isCall: boolean;
  readonly #maxVolume: number;
  readonly #lowest: number;
  readonly #highest: number;

  constructor({ rules, ladder, members, lines, records, keys, positions }: CheckedBook) {
    this.#rules = rules;
    this.#ladder = ladder;
    this.#members = members;
    this.#lines = lines;
    this.#records = records;
    this.#keys = keys;
    this.#positions = positions;
    this.#isCall = rules.mechanism === 'call';
    this.#maxVolume = rules.maxVolume;
    this.#lowest = rules.band.lowest;
    this.#highest = rules.band.highest;
  }

  /** The answer to a key that is known: the same order again gets its first answer, another is told what differs. */
  repeat(position: number, side: number, type: number, limit: number, energy: number, replaces: number): VerdictCode {
    const records = this.#records;
    if (records.side(position) !== side) return OTHER_SIDE;
    if (records.type(position) !== type) return OTHER_TYPE;
    if (records.limit(position) !== limit) return OTHER_LIMIT;
    if (records.energy(position) !== energy) return OTHER_ENERGY;
    if (records.replaces(position) !== replaces) return OTHER_REPLACES;
    const answer = records.answer(position);
    return answer === ACCEPTED ? EXISTS : answer;
  }

  /** The checks of a new order after the gate's own, in the order of ORDER_REFUSALS. */
  check(
    member: number,
    side: number,
    type: number,
    limit: number,
    energy: number,
    replaces: number,
    clockOffMs: number,
  ): VerdictCode {
    const members = this.#members;
    if (members.isMarketHalted) return MARKET_HALTED;
    if (members.isHalted(member)) return MEMBER_HALTED;
    if (clockOffMs > MAX_CLOCK_OFF_MS || clockOffMs < -MAX_CLOCK_OFF_MS) return PRICE_MISMATCH;
    if (this.#isCall && (type >= IOC || replaces !== NO_ORDER)) return ORDER_TYPE_NOT_IN_CALL;
    if (energy <= 0) return ENERGY_NOT_POSITIVE;
    if (energy > MAX_ORDER_WH) return ENERGY_TOO_LARGE;
    const replaced = replaces === NO_ORDER ? NO_ORDER : this.#keys.find(member, replaces);
    const withdrawn = replaced >= 0 && this.#sideOf(replaced) === side ? this.#lines.openOf(replaced) : 0;
    const more = energy - withdrawn;
    if (more > this.#maxVolume - (side === BUY ? this.heldBuys : this.heldSells)) return ENERGY_TOO_LARGE;
    if (limit < this.#lowest || limit > this.#highest) return this.#outside(limit);
    const limitTick = this.#ladder.tickOfLimit(limit);
    if (limitTick === OFF_TICK) return TICK_SIZE;
    if (replaces !== NO_ORDER && withdrawn === 0) return this.#irreplaceable(replaced);
    const tick = this.#ladder.bookTick(side, limitTick, members.zone(member));
    const row = this.#positions.find(member);
    if (this.#positions.meets(row, side, tick) || this.#groupMeets(member, side, tick)) return SELF_CROSS;
    if (side !== BUY && more > members.capability(member) - this.#positions.sells(row)) return EXCEEDS_CAPABILITY;
    this.replaced = replaced;
    this.tick = tick;
    this.row = row;
    if (!members.hasCollateral(member)) return ACCEPTED;
    this.rate = reservedPerWh(this.#rules, side, limit);
    const back = withdrawn > 0 ? this.reservation(replaced, withdrawn) : 0;
    return members.covers(member, this.rate * energy, back) ? ACCEPTED : EXCEEDS_COLLATERAL;
  }

  /** Nano-currency that `energy` Wh of an accepted order hold reserved. */
  reservation(position: number, energy: number): number {
    const records = this.#records;
    if (!records.reserves(position)) return 0;
    return reservedPerWh(this.#rules, records.side(position), records.limit(position)) * energy;
  }

  #sideOf(position: number): number {
    return this.#lines.keyOf(position) & 1;
  }

  #outside(limit: number): VerdictCode {
    return limit % this.#rules.tick === 0 ? OUTSIDE_BAND : TICK_SIZE;
  }

  /** Why an order of which nothing stands on the side of the new one cannot be replaced. */
  #irreplaceable(replaced: number): VerdictCode {
    if (replaced < 0 || this.#records.answer(replaced) !== ACCEPTED) return REPLACED_UNKNOWN;
    return this.#lines.openOf(replaced) === 0 ? REPLACED_NOT_OPEN : REPLACED_OTHER_SIDE;
  }

  /** Whether the order would meet one of another member of its owner group. */
  #groupMeets(member: number, side: number, tick: number): boolean {
    for (let owner = this.#members.nextInGroup(member); owner !== member; owner = this.#members.nextInGroup(owner)) {
      if (this.#positions.meets(this.#positions.find(owner), side, tick)) return true;
    }
    return false;
  }
}
