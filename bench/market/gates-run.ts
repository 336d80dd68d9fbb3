import { clockMessage } from '../../src/adapters/mqtt/wire.ts';
import { epochMs } from '../../src/domain/units/time.ts';
import { atRate } from './doors-load.ts';
import { DOOR_MARKET, type LoadMembers } from './doors-members.ts';
import { MqttLink } from './doors-mqtt-link.ts';
import { openLinks } from './doors-open.ts';
import { comeAndGo } from './gates-presence.ts';
import { shortestTrip } from './gates-trip.ts';

export interface GatePlan {
  readonly members: number;
  readonly membersPerLink: number;
  /** Measured, after the first few. */
  readonly gates: number;
  /** Market time against the wall's: an interval of five minutes takes 300 s / speed. */
  readonly speed: number;
  readonly ordersPerGate: number;
}

/** From the gate on, ms. */
export interface GateFigures {
  readonly toFirst: number;
  readonly toLast: number;
}

export interface GateRun {
  readonly gates: readonly GateFigures[];
  readonly connections: number;
  readonly taken: number;
  readonly refused: number;
}

export const GATE_INTERVAL_MS = 300_000;
/** Half an interval, so that no gate falls on the end of one. */
export const GATE_LEAD_MS = 150_000;
export const GATE_START = 1_800_000_000_000;
/** Machine code and buffers grow during these. */
const WARM_UP_GATES = 4;
/** The market waits for its members when it starts; so many of them are worth announcing. */
const MOST_ANNOUNCED = 2000;
const LATE_MS = 20_000;

/** Signed before the market starts: by gate, then by arrival. */
export function gateOrders(members: LoadMembers, plan: GatePlan): string[][] {
  return Array.from({ length: WARM_UP_GATES + plan.gates }, (_, gate) =>
    Array.from({ length: plan.ordersPerGate }, (__, at) => {
      const number = 1 + Math.floor(at / plan.members);
      return members.order(at % plan.members, productOf(gate), number);
    }),
  );
}

function productOf(gate: number) {
  return epochMs(GATE_START + (gate + 1) * GATE_INTERVAL_MS);
}

/** Lets gate after gate close while orders arrive, and notes when which member was told. @throws where one was not */
export async function runGates(
  url: string,
  members: LoadMembers,
  plan: GatePlan,
  orders: readonly (readonly string[])[],
): Promise<GateRun> {
  const street = new GateStreet(members, plan, orders, await shortestTrip(url));
  const listen = (topic: string, payload: Buffer) => street.take(topic, payload);
  const links = await openLinks(url, members.ids, plan.membersPerLink, ['reply', 'receipt', 'trades'], listen);
  const clock = await MqttLink.open(url, 'load-clock', listen);
  street.links = links;
  await clock.subscribe(`el/v1/${DOOR_MARKET}/clock`);
  if (plan.members <= MOST_ANNOUNCED) void comeAndGo(clock, members.ids, street.started);
  try {
    await street.finished;
  } finally {
    for (const link of [...links, clock]) link.close();
  }
  const { taken, refused } = street;
  return { gates: street.figures().slice(WARM_UP_GATES), connections: links.length, taken, refused };
}

/** The members' side: it follows the market's clock, sends what is due before each gate, and listens. */
class GateStreet {
  readonly finished: Promise<void>;
  readonly started: Promise<void>;
  links: readonly MqttLink[] = [];
  taken = 0;
  refused = 0;
  readonly #members: LoadMembers;
  readonly #plan: GatePlan;
  readonly #orders: readonly (readonly string[])[];
  readonly #sent: number[];
  readonly #told: number[];
  readonly #closedAt: number[];
  readonly #firstToldAt: number[];
  readonly #lastToldAt: number[];
  readonly #trip: number;
  /** From the engine's wall clock to this process's own, plus how long the quickest clock message took. */
  #offset = Number.POSITIVE_INFINITY;
  /** Clock messages are repeated. */
  #followed = 0;
  readonly #finish = Promise.withResolvers<void>();
  readonly #start = Promise.withResolvers<void>();
  #late: NodeJS.Timeout | undefined;

  constructor(members: LoadMembers, plan: GatePlan, orders: readonly (readonly string[])[], trip: number) {
    [this.#members, this.#plan, this.#orders, this.#trip] = [members, plan, orders, trip];
    const empty = () => orders.map(() => 0);
    [this.#sent, this.#told, this.#closedAt] = [empty(), empty(), empty()];
    [this.#firstToldAt, this.#lastToldAt] = [empty(), empty()];
    this.finished = this.#finish.promise;
    this.started = this.#start.promise;
  }

  take(topic: string, payload: Buffer): void {
    const kind = topic.split('/', 4)[3];
    if (kind === 'trades') this.#tell(Number(payload.toString('latin1', TRADES_HEAD, TRADES_HEAD + INSTANT_DIGITS)));
    if (kind === 'reply') this.#reply(payload);
    if (kind === 'clock') this.#follow(clockMessage.parse(JSON.parse(payload.toString())));
  }

  figures(): GateFigures[] {
    return this.#closedAt.map((wall, gate) => {
      const closedAt = wall + this.#offset - this.#trip;
      return {
        toFirst: (this.#firstToldAt[gate] ?? Number.NaN) - closedAt,
        toLast: (this.#lastToldAt[gate] ?? Number.NaN) - closedAt,
      };
    });
  }

  #tell(product: number): void {
    const gate = (product - GATE_START) / GATE_INTERVAL_MS - 1;
    if (this.#told[gate] === undefined) return;
    if (this.#told[gate] === 0) this.#firstToldAt[gate] = performance.now();
    this.#told[gate] += 1;
    if (this.#told[gate] < this.#members.ids.length) return;
    this.#lastToldAt[gate] = performance.now();
    this.#expectMore();
    if (this.#lastToldAt.every((at) => at > 0)) this.#end();
  }

  #reply(payload: Buffer): void {
    if (payload.includes('"ok":true')) this.taken += 1;
    else this.refused += 1;
  }

  /** From one clock message to the next the market runs at one speed, up to the next gate or the end of an interval. */
  #follow({ marketAnchor, wallAnchor, speed, holdAt }: ClockLine): void {
    this.#offset = Math.min(this.#offset, performance.now() - wallAnchor);
    if (holdAt === null || holdAt <= marketAnchor || marketAnchor === this.#followed) return;
    this.#followed = marketAnchor;
    this.#start.resolve();
    this.#expectMore();
    const gate = Math.floor((marketAnchor - GATE_START + GATE_INTERVAL_MS - GATE_LEAD_MS) / GATE_INTERVAL_MS);
    const orders = this.#orders[gate];
    if (orders === undefined) return;
    const isGate = holdAt === productOf(gate) - GATE_LEAD_MS;
    const until = wallAnchor + (holdAt - marketAnchor) / speed;
    if (isGate) this.#closedAt[gate] = until;
    const left = orders.length - (this.#sent[gate] ?? 0);
    const count = isGate ? left : Math.min(left, Math.floor(orders.length / 2));
    void this.#send(gate, count, until + this.#offset - performance.now());
  }

  async #send(gate: number, count: number, withinMs: number): Promise<void> {
    const first = this.#sent[gate] ?? 0;
    this.#sent[gate] = first + count;
    const perSecond = (count * 1000) / Math.max(1, withinMs);
    await atRate(count, perSecond, (at) => this.#sendOne(first + at, this.#orders[gate]?.[first + at] ?? ''));
  }

  #sendOne(at: number, order: string): void {
    const member = at % this.#members.ids.length;
    const link = this.links[Math.floor(member / this.#plan.membersPerLink)];
    link?.publish(`el/v1/${DOOR_MARKET}/order/${this.#members.ids[member]}`, order);
  }

  #expectMore(): void {
    clearTimeout(this.#late);
    const told = () => this.#lastToldAt.filter((at) => at > 0).length;
    const complaint = () => new Error(`nothing came for ${LATE_MS} ms; all were told of ${told()} gates`);
    this.#late = setTimeout(() => this.#finish.reject(complaint()), LATE_MS);
  }

  #end(): void {
    clearTimeout(this.#late);
    this.#finish.resolve();
  }
}

interface ClockLine {
  readonly marketAnchor: number;
  readonly wallAnchor: number;
  readonly speed: number;
  readonly holdAt: number | null;
}

/** `{"product":1800000000000,...`: the rest need not be read to know whom it tells of what. */
const TRADES_HEAD = '{"product":'.length;
const INSTANT_DIGITS = 13;
