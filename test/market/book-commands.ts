import type { MemberNumber, MemberRules, OrderState, Placement, ProductRules } from '../../src/domain/market/book.ts';
import { MAX_ORDER_WH, wh } from '../../src/domain/units/energy.ts';
import { type CommandManner, randomManner } from './command-manner.ts';
import { bookOf, type Market, type MarketCommand } from './market-command.ts';
import { randomProducts } from './random-products.ts';
import { SeededRandom } from './seeded-random.ts';

const MAX_U32 = 2 ** 32 - 1;
const MAX_I32 = 2 ** 31 - 1;
const MIN_I32 = -(2 ** 31);

/**
 * Random commands for one market, from a seed. It looks at what stands in a market that carries them out, so that
 * cancels find their order and energies land on the edge of what is allowed.
 */
export class BookCommands {
  readonly products: readonly ProductRules[];
  readonly #random: SeededRandom;
  readonly #manner: CommandManner;
  readonly #rules: MemberRules[] = [];
  readonly #nextId: number[] = [];
  #sequence = 0;
  #left: number;
  #isMarketHalted = false;
  readonly #halted = new Set<MemberNumber>();

  /** `length`: how many commands will be asked for; most gates close near the end. */
  constructor(seed: number, length: number) {
    this.#left = length;
    this.#random = new SeededRandom(seed);
    this.products = randomProducts(this.#random);
    this.#manner = randomManner(this.#random, length);
    this.#sequence = this.#random.oneOf([0, 0, 2 ** 31 - 100, 2 ** 32 - 100, 2 ** 48]);
  }

  next(market: Market): MarketCommand {
    const { memberCount, memberLimit, memberChanges, halts, gates } = this.#manner;
    const random = this.#random;
    this.#left -= 1;
    if (this.#rules.length < memberCount) return this.#admit();
    const draw = random.below(1000);
    if (draw < 2 && this.#rules.length < memberLimit) return this.#admit();
    if (random.happens(memberChanges)) return this.#change();
    if (this.#isMarketHalted ? random.happens(200) : random.happens(halts)) return this.#haltMarket();
    if (random.happens(this.#halted.size > 0 ? 60 : halts)) return this.#halt();
    if (random.happens(this.#left < 30 ? 200 : gates)) return this.#gate(market);
    return this.#order(market);
  }

  #admit(): MarketCommand {
    const member = this.#rules.length;
    const rules = this.#memberRules(member);
    this.#rules.push(rules);
    this.#nextId.push(this.#manner.ids === 'backwards' ? 5000 : 0);
    return { kind: 'admit', id: memberId(member), rules };
  }

  #change(): MarketCommand {
    const member = this.#random.below(this.#rules.length);
    const rules = this.#memberRules(member);
    this.#rules[member] = rules;
    return { kind: 'change', member, rules };
  }

  #memberRules(member: MemberNumber): MemberRules {
    const random = this.#random;
    const { largestEnergy } = this.#manner;
    const some = random.between(0, Math.min(MAX_I32, largestEnergy * 6));
    const zones = this.products[0]?.fees.length ?? 1;
    return {
      capability: wh(random.happens(this.#manner.tight) ? random.oneOf([some, some, some, 0]) : MAX_I32),
      collateral: random.happens(this.#manner.tight)
        ? random.oneOf([this.#someMoney(), this.#someMoney(), this.#someMoney(), 0])
        : random.oneOf([null, 2 ** 53 - 1]),
      group: random.happens(this.#manner.grouped) ? random.below(member + 1) : member,
      zone: random.below(zones),
    };
  }

  #someMoney(): number {
    const { band } = this.#product(this.#random.below(this.products.length));
    const perWh = Math.max(1, Math.abs(band.highest), band.highest - band.lowest);
    return Math.min(2 ** 53 - 1, Math.floor(perWh * this.#manner.largestEnergy * 0.01 * this.#random.below(600)));
  }

  #haltMarket(): MarketCommand {
    this.#isMarketHalted = !this.#isMarketHalted;
    return { kind: 'halt-market', halted: this.#isMarketHalted };
  }

  #halt(): MarketCommand {
    const isResume = this.#halted.size > 0 && this.#random.happens(700);
    const member = isResume ? this.#random.oneOf([...this.#halted]) : this.#random.below(this.#rules.length);
    if (isResume) this.#halted.delete(member);
    else this.#halted.add(member);
    return { kind: 'halt', member, halted: !isResume };
  }

  #gate(market: Market): MarketCommand {
    const book = this.#random.below(this.products.length);
    const isClosed = bookOf(market, book).isClosed;
    return isClosed && this.#random.happens(600) ? { kind: 'release', book } : { kind: 'close-gate', book };
  }

  #order(market: Market): MarketCommand {
    const random = this.#random;
    this.#sequence += random.happens(900) ? 1 : random.between(2, 9);
    const sequence = this.#sequence;
    const book = random.below(this.products.length);
    if (random.happens(this.#manner.cancels))
      return { kind: 'cancel', book, ...this.#toCancel(market, book), sequence };
    const placement = random.happens(this.#manner.repeats) ? this.#repeat(market, book) : this.#fresh(market, book);
    const clockOffMs = random.happens(20) ? random.oneOf([50, -50, 51, -51, 49, MAX_I32, MIN_I32]) : 0;
    return { kind: 'place', book, ...placement, clockOffMs, sequence };
  }

  #toCancel(market: Market, book: number): { member: MemberNumber; clientOrderId: number } {
    const order = this.#someOrder(market, book);
    if (order !== null && this.#random.happens(950))
      return { member: order.member, clientOrderId: order.clientOrderId };
    const clientOrderId = this.#random.oneOf([order?.clientOrderId ?? 0, this.#random.below(100), MAX_U32]);
    return { member: this.#random.below(this.#rules.length), clientOrderId };
  }

  /** An earlier order, the latest more often. */
  #someOrder(market: Market, position: number): OrderState | null {
    const book = bookOf(market, position);
    if (book.orderCount === 0) return null;
    const span = this.#random.happens(700) ? Math.min(book.orderCount, 40) : book.orderCount;
    let order = book.orderAt(book.orderCount - 1 - this.#random.below(span));
    for (let again = 0; again < 6 && order.open === 0 && this.#random.happens(700); again += 1)
      order = book.orderAt(book.orderCount - 1 - this.#random.below(span));
    return order;
  }

  /** The same order again, or nearly. */
  #repeat(market: Market, book: number): Placement {
    const order = this.#someOrder(market, book);
    if (order === null) return this.#fresh(market, book);
    const { member, clientOrderId, side, type, limit, energy, replaces } = order;
    const same: Placement = { member, clientOrderId, side, type, limit, energy, replaces };
    if (this.#random.happens(500)) return same;
    const other = this.#fresh(market, book);
    const field = this.#random.oneOf(['side', 'type', 'limit', 'energy', 'replaces', 'all'] as const);
    return field === 'all' ? { ...other, member, clientOrderId } : { ...same, [field]: other[field] };
  }

  #fresh(market: Market, book: number): Placement {
    const random = this.#random;
    const member = random.below(this.#rules.length);
    const isContinuous = this.#product(book).mechanism === 'continuous';
    const side = random.happens(900) ? member % 2 : random.below(2);
    const order: Placement = {
      member,
      clientOrderId: this.#clientOrderId(member),
      side,
      type: random.happens(isContinuous ? this.#manner.taking : 40) ? random.below(4) : random.happens(30) ? 1 : 0,
      limit: this.#limit(book, side),
      energy: this.#energy(),
      replaces: -1,
    };
    const replacing = random.happens(isContinuous ? this.#manner.replaces : 10)
      ? this.#replacing(market, book, order)
      : order;
    return random.happens(60) ? this.#onTheEdge(market, book, replacing) : replacing;
  }

  #clientOrderId(member: MemberNumber): number {
    const random = this.#random;
    if (random.happens(this.#manner.strange)) return random.oneOf([0, MAX_U32, MAX_I32, MAX_I32 + 1, MAX_U32 - 1]);
    if (this.#manner.ids === 'few') return random.below(120);
    if (this.#manner.ids === 'any') return random.below(2 ** 32);
    const step = this.#manner.ids === 'counting' ? 1 : -1;
    const id = (this.#nextId[member] ?? 0) + step * (random.happens(900) ? 1 : random.between(2, 5));
    this.#nextId[member] = Math.max(0, id);
    return Math.max(0, random.happens(950) ? id : id - step * random.below(4));
  }

  #limit(book: number, side: number): number {
    const random = this.#random;
    const { band, tick } = this.#product(book);
    if (random.happens(this.#manner.strange)) {
      const off = random.oneOf([-tick, -1, 1, tick]);
      return random.oneOf([0, MAX_I32, MIN_I32, -1, band.lowest + off, band.highest + off, band.lowest, band.highest]);
    }
    const ticks = Math.floor((band.highest - band.lowest) / tick);
    const near = Math.min(ticks, this.#manner.nearTicks);
    const spread = random.happens(800)
      ? Math.floor((ticks - near) / 2) + random.below(near + 1)
      : random.below(ticks + 1);
    const towards = random.happens(300) ? Math.floor(near / 3) * (side === 0 ? -1 : 1) : 0;
    return band.lowest + Math.min(ticks, Math.max(0, spread + towards)) * tick;
  }

  #energy(): number {
    const random = this.#random;
    if (random.happens(this.#manner.strange)) {
      return random.oneOf([0, -1, 1, MAX_ORDER_WH, MAX_ORDER_WH + 1, MAX_I32, MIN_I32]);
    }
    return random.between(1, this.#manner.largestEnergy);
  }

  #replacing(market: Market, book: number, order: Placement): Placement {
    const random = this.#random;
    const old = this.#someOrder(market, book);
    if (old === null || random.happens(60)) {
      return { ...order, replaces: random.oneOf([order.clientOrderId, MAX_U32, random.below(100)]) };
    }
    const { member, clientOrderId, limit, open, energy } = old;
    const side = random.happens(950) ? old.side : order.side;
    const sameEnergy = random.oneOf([open, open - 1, open + 1, energy, order.energy]);
    const isSamePrice = random.happens(500);
    const clientOrderIdOfNew = this.#clientOrderId(member);
    return {
      ...order,
      member: random.happens(970) ? member : order.member,
      clientOrderId: clientOrderIdOfNew,
      side,
      limit: isSamePrice ? limit : order.limit,
      energy: sameEnergy,
      replaces: clientOrderId,
    };
  }

  /** The most that a limit of the member or of the book still allows, or 1 Wh beside it. */
  #onTheEdge(market: Market, position: number, order: Placement): Placement {
    const random = this.#random;
    const { maxVolume } = this.#product(position);
    const rules = this.#rules[order.member];
    if (rules === undefined) return order;
    const beside = random.oneOf([-1, 0, 0, 1]);
    const book = bookOf(market, position);
    const held = (isOwn: boolean) => heldOn(book, order.side, isOwn ? order.member : null);
    const edge = random.below(3);
    if (edge === 0) return { ...order, energy: asInt32(maxVolume - held(false) + beside) };
    if (edge === 1)
      return { ...order, side: 1, energy: asInt32(rules.capability - heldOn(book, 1, order.member) + beside) };
    if (rules.collateral === null) return order;
    const left = rules.collateral - market.members.reserved(order.member);
    const perWh = this.#reservedPerWh(position, order);
    return perWh === 0 ? order : { ...order, energy: asInt32(Math.floor(left / perWh) + beside) };
  }

  #reservedPerWh(position: number, { side, limit }: Placement): number {
    const { importPrice, penalty } = this.#product(position);
    return side === 0 ? Math.max(0, limit) : Math.max(0, importPrice - limit) + penalty;
  }

  #product(book: number): ProductRules {
    const product = this.products[book];
    if (product === undefined) throw new Error(`no product ${book}`);
    return product;
  }
}

function heldOn(
  book: { orderCount: number; orderAt(position: number): OrderState },
  side: number,
  member: number | null,
) {
  let held = 0;
  for (let position = 0; position < book.orderCount; position += 1) {
    const order = book.orderAt(position);
    if (order.side === side && (member === null || order.member === member)) held += order.open + order.filled;
  }
  return held;
}

function asInt32(value: number): number {
  return Math.min(MAX_I32, Math.max(MIN_I32, value));
}

/** Ids whose order by code unit is not that of their numbers. */
function memberId(member: MemberNumber): string {
  const forms = [`home-${member}`, `h${99 - member}`, `home${member}`, `a-${member}`, `z${member}`];
  return forms[(member * 7) % forms.length] ?? `home-${member}`;
}
