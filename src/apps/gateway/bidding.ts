import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import type { ProductsMessage } from '../../adapters/mqtt/wire.ts';
import type { Battery } from '../../domain/dispatch/battery-rule.ts';
import { dispatchHome, planHome } from '../../domain/dispatch/home-dispatch.ts';
import { type PlannedOrder, type PricePreference, ruleOrders } from '../../domain/dispatch/rule-agent.ts';
import type { MeasuredLoad } from '../../domain/forecast/load.ts';
import { sameTimeYesterday, yesterdayForecast } from '../../domain/forecast/yesterday.ts';
import { type Wh, ZERO_WH } from '../../domain/units/energy.ts';
import { type IntervalLengthMs, intervalAt } from '../../domain/units/interval.ts';
import { priceBand } from '../../domain/units/tariff.ts';
import type { EpochMs } from '../../domain/units/time.ts';
import type { OrderClient } from './order-client.ts';

/** What the agent knows of its home when it plans. */
export interface AgentTerms {
  readonly lengthMs: IntervalLengthMs;
  readonly timezone: string;
  readonly battery: Battery | null;
  readonly preference: PricePreference;
}

type OpenProduct = ProductsMessage['open'][number];

interface Standing {
  readonly clientOrderId: number;
  /** Null: withdrawn or nothing to trade. */
  readonly order: PlannedOrder | null;
}

/**
 * The rule agent of one home. It plans a product when it opens and once more before its gate, and sends an order then
 * only if its content changed: the old one is withdrawn, the new one has the next number. What it sent is on disk, so a
 * restart sends nothing twice.
 */
export class Bidder {
  readonly #terms: AgentTerms;
  readonly #measured: MeasuredLoad;
  readonly #client: OrderClient;
  readonly #path: string;
  readonly #standing = new Map<EpochMs, Standing>();
  #products: ProductsMessage = { tick: 1, open: [] };
  #tail: Promise<void> = Promise.resolve();

  constructor(terms: AgentTerms, measured: MeasuredLoad, client: OrderClient, path: string) {
    this.#terms = terms;
    this.#measured = measured;
    this.#client = client;
    this.#path = path;
    for (const [product, standing] of existsSync(path) ? JSON.parse(readFileSync(path, 'utf8')) : []) {
      this.#standing.set(product, standing);
    }
  }

  /** New products are planned; those already planned are left until their last plan. Resolves when all are answered. */
  open(products: ProductsMessage, now: EpochMs, stored: Wh): Promise<void> {
    this.#products = products;
    const fresh = products.open.filter(({ product }) => !this.#standing.has(product));
    return this.#plan(fresh, now, stored);
  }

  /** The last plan of the products whose gate closes at `gate`. */
  lastPlan(gate: EpochMs, now: EpochMs, stored: Wh): Promise<void> {
    return this.#plan(
      this.#products.open.filter((each) => each.gate === gate),
      now,
      stored,
    );
  }

  /** Resolves when nothing is on its way. */
  settled(): Promise<void> {
    return this.#tail;
  }

  #plan(products: readonly OpenProduct[], now: EpochMs, stored: Wh): Promise<void> {
    this.#tail = this.#tail.then(async () => {
      await Promise.all(products.map((product) => this.#place(product, this.#planned(product, now, stored))));
      this.#forgetOld(now);
      if (products.length > 0) this.#save();
    });
    return this.#tail;
  }

  /** The home is carried forward on its forecast, interval by interval, up to the product. */
  #planned({ product, importPrice, exportPrice }: OpenProduct, now: EpochMs, stored: Wh): PlannedOrder | null {
    const { lengthMs, battery, preference } = this.#terms;
    let devices = { battery, stored };
    let interval = intervalAt(now, lengthMs);
    for (interval = next(interval); interval.start < product; interval = next(interval)) {
      const flow = dispatchHome(devices, this.#forecast(interval.start, now), ZERO_WH, true, lengthMs);
      devices = { battery, stored: flow.stored };
    }
    const band = priceBand({ importPrice, exportPrice }, this.#products.tick);
    if (band === 'tariff_inverted') return null;
    const plan = planHome(devices, this.#forecast(product, now), lengthMs);
    return ruleOrders(plan, band, this.#products.tick, preference)[0] ?? null;
  }

  #forecast(start: EpochMs, now: EpochMs) {
    const { lengthMs, timezone } = this.#terms;
    return yesterdayForecast(this.#measured, { start, lengthMs }, now, sameTimeYesterday(start, timezone));
  }

  async #place({ product }: OpenProduct, order: PlannedOrder | null): Promise<void> {
    const standing = this.#standing.get(product) ?? { clientOrderId: 0, order: null };
    if (sameOrder(standing.order, order)) {
      this.#standing.set(product, standing);
      return;
    }
    if (standing.order !== null) {
      await this.#client.cancel({ kind: 'cancel', product, clientOrderId: standing.clientOrderId });
    }
    const clientOrderId = standing.clientOrderId + (order === null ? 0 : 1);
    const answer =
      order === null ? null : await this.#client.order({ kind: 'order', product, clientOrderId, ...order });
    const taken = order === null || answer?.ok === true;
    this.#standing.set(product, { clientOrderId, order: taken ? order : null });
  }

  #forgetOld(now: EpochMs): void {
    for (const product of this.#standing.keys()) if (product < now - 86_400_000) this.#standing.delete(product);
  }

  /** Written whole and renamed: a power cut leaves the old file or the new one. */
  #save(): void {
    writeFileSync(`${this.#path}.new`, JSON.stringify([...this.#standing]));
    renameSync(`${this.#path}.new`, this.#path);
  }
}

function next({ start, lengthMs }: { start: EpochMs; lengthMs: IntervalLengthMs }) {
  return { start: (start + lengthMs) as EpochMs, lengthMs };
}

function sameOrder(a: PlannedOrder | null, b: PlannedOrder | null): boolean {
  return a?.side === b?.side && a?.type === b?.type && a?.limit === b?.limit && a?.energy === b?.energy;
}
