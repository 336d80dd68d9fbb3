import type { ProductsMessage } from '../../adapters/mqtt/wire.ts';
import { dispatchHome, type HomeDevices } from '../../domain/dispatch/home-dispatch.ts';
import type { PricePreference } from '../../domain/dispatch/rule-agent.ts';
import { type Load, type MeasuredLoad, NO_LOAD } from '../../domain/forecast/load.ts';
import { sameTimeYesterday } from '../../domain/forecast/yesterday.ts';
import { rowOf } from '../../domain/interval-cycle.ts';
import { ZERO_WH } from '../../domain/units/energy.ts';
import type { MarketId, MemberId } from '../../domain/units/identity.ts';
import { intervalEnd as endOf, type IntervalLengthMs, intervalAt } from '../../domain/units/interval.ts';
import { priceBand } from '../../domain/units/tariff.ts';
import type { EpochMs } from '../../domain/units/time.ts';
import type { Standing } from './order-file.ts';
import type { StandingOrders } from './standing-orders.ts';

const { step: forecast } = rowOf('forecast');
const { step: planAndBid } = rowOf('plan and bid');

/** What the agent knows of its home when it plans. */
export interface AgentTerms {
  readonly market: MarketId;
  readonly member: MemberId;
  readonly lengthMs: IntervalLengthMs;
  readonly timezone: string;
  readonly preference: PricePreference;
}

/** The devices as they are measured when it plans; null: the meter is not believed, and the home has nothing to trade. */
export type HomeNow = HomeDevices | null;

type OpenProduct = ProductsMessage['open'][number];

const NO_DEVICES: HomeDevices = { battery: null, stored: ZERO_WH };
const DAY_MS = 86_400_000;

/**
 * The rule agent of one home. It plans a product when it opens and once more before its gate, and sends an order then
 * only if its content changed: the old one is withdrawn, the new one has the next number.
 */
export class Bidder {
  readonly #terms: AgentTerms;
  readonly #history: MeasuredLoad;
  readonly #orders: StandingOrders;
  #products: ProductsMessage = { tick: 1, open: [] };
  #tail: Promise<void> = Promise.resolve();

  constructor(terms: AgentTerms, history: MeasuredLoad, orders: StandingOrders) {
    this.#terms = terms;
    this.#history = history;
    this.#orders = orders;
  }

  /** New products are planned, unanswered orders sent again; the rest is left until its last plan. Resolves when done. */
  open(products: ProductsMessage, now: EpochMs, home: HomeNow): Promise<void> {
    this.#products = products;
    const fresh = products.open.filter(({ product }) => !this.#orders.isPlanned(product));
    return this.#then(() => this.#plan(fresh, now, home));
  }

  /** The last plan of the products whose gate closes at `gate`. */
  lastPlan(gate: EpochMs, now: EpochMs, home: HomeNow): Promise<void> {
    return this.#then(() =>
      this.#plan(
        this.#products.open.filter((each) => each.gate === gate),
        now,
        home,
      ),
    );
  }

  /** Resolves when nothing is on its way. */
  settled(): Promise<void> {
    return this.#tail;
  }

  #then(work: () => Promise<void>): Promise<void> {
    this.#tail = this.#tail.then(work);
    return this.#tail;
  }

  async #plan(products: readonly OpenProduct[], now: EpochMs, home: HomeNow): Promise<void> {
    const orders = this.#orders;
    for (const product of products) orders.put(product.product, this.#planned(product, now, home));
    const open = this.#products.open.filter(({ product }) => orders.isUnfinished(product));
    orders.forgetBefore((now - DAY_MS) as EpochMs);
    if (products.length > 0) orders.save();
    await Promise.all(open.map(({ product }) => orders.send(product)));
    if (open.length > 0) orders.save();
  }

  #planned({ product, importPrice, exportPrice }: OpenProduct, now: EpochMs, home: HomeNow): Standing {
    const { market, member, preference, lengthMs } = this.#terms;
    const before = this.#orders.of(product);
    const band = priceBand({ importPrice, exportPrice }, this.#products.tick);
    if (band === 'tariff_inverted') return before;
    const key = { market, product, member };
    const expected = home === null ? NO_LOAD : this.#forecast(product, now);
    const devices = home === null ? NO_DEVICES : this.#carried(home, product, now);
    const input = { key, devices, forecast: expected, band, tick: this.#products.tick, preference, lengthMs };
    const { state, outputs } = planAndBid(before.plan, input);
    const kept = before.unanswered.filter((id) => !outputs.cancel.includes(id));
    return {
      plan: state,
      unanswered: [...kept, ...outputs.place.map(({ clientOrderId }) => clientOrderId)],
      withdrawing: [...before.withdrawing, ...outputs.cancel],
    };
  }

  /** The home is carried forward on its forecast, interval by interval, up to the product. */
  #carried(home: HomeDevices, product: EpochMs, now: EpochMs): HomeDevices {
    const { lengthMs } = this.#terms;
    let devices = home;
    for (let start = endOf(intervalAt(now, lengthMs)); start < product; start = endOf({ start, lengthMs })) {
      const { stored } = dispatchHome(devices, this.#forecast(start, now), ZERO_WH, true, lengthMs);
      devices = { ...devices, stored };
    }
    return devices;
  }

  #forecast(start: EpochMs, now: EpochMs): Load {
    const { lengthMs, timezone } = this.#terms;
    const sameIntervalYesterday = sameTimeYesterday(start, timezone);
    const input = { method: 'todays-sun', interval: { start, lengthMs }, sameIntervalYesterday, timezone } as const;
    return forecast(this.#history, input, now).outputs;
  }
}
