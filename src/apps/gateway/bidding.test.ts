import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { ProductsMessage, ReplyMessage } from '../../adapters/mqtt/wire.ts';
import type { Load } from '../../domain/forecast/load.ts';
import type { ProductRules } from '../../domain/market/book.ts';
import { MemberDirectory } from '../../domain/market/member-directory.ts';
import { MemberTable } from '../../domain/market/member-table.ts';
import { SIDES } from '../../domain/market/order.ts';
import { cancelOrder, standingOrders, submitOrder } from '../../domain/market/order-entry.ts';
import { ProductBook } from '../../domain/market/product-book.ts';
import { wh, ZERO_WH } from '../../domain/units/energy.ts';
import type { MarketId, MemberId } from '../../domain/units/identity.ts';
import { pricePerKwh } from '../../domain/units/price.ts';
import { epochMs } from '../../domain/units/time.ts';
import { Bidder, type HomeNow } from './bidding.ts';
import type { OrderClient } from './order-client.ts';
import { StandingOrders } from './standing-orders.ts';

const LENGTH = 900_000;
const DAY = 86_400_000;
const PRODUCT = epochMs(100 * DAY);
const GATE = epochMs(PRODUCT - 300_000);
const NOW = epochMs(PRODUCT - 1_800_000);
const MARKET = 'elm' as MarketId;
const MEMBER = 'home-01' as MemberId;
const BAND = { lowest: pricePerKwh(80_000), highest: pricePerKwh(300_000) };
const OPEN: ProductsMessage = {
  tick: 100,
  open: [{ product: PRODUCT, gate: GATE, importPrice: BAND.highest, exportPrice: BAND.lowest }],
};
const HOME: HomeNow = { battery: null, stored: ZERO_WH };

let folder = '';
const log: string[] = [];
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'bidding-'));
  log.length = 0;
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const RULES: ProductRules = {
  ...{ product: PRODUCT, mechanism: 'call', rationing: 'pro-rata', tick: 100, band: BAND, maxVolume: wh(100_000) },
  ...{ importPrice: BAND.highest, penalty: pricePerKwh(0), fees: [pricePerKwh(0)], zoneLimits: [] },
};

/** One product's real order book. While `deaf`, it hears and does not answer; while `gone`, it does not hear. */
class Market implements OrderClient {
  readonly #members = new MemberDirectory(new MemberTable());
  readonly book = new ProductBook(RULES, this.#members.table);
  readonly heard: string[] = [];
  clockOffMs = 0;
  state: 'answers' | 'deaf' | 'gone' = 'answers';
  #sequence = 0;

  constructor() {
    this.#members.admit(MEMBER, { capability: wh(4000), collateral: null, zone: 0 });
  }

  order: OrderClient['order'] = async ({ kind, ...order }) => {
    const { clientOrderId, side, energy } = order;
    const entry = { order: { member: MEMBER, ...order }, sequence: this.#sequence + 1, clockOffMs: this.clockOffMs };
    return this.#answer(kind, clientOrderId, `${clientOrderId} ${side} ${energy}`, () =>
      submitOrder(this.book, this.#members, entry),
    );
  };

  cancel: OrderClient['cancel'] = async ({ kind, clientOrderId }) =>
    this.#answer(kind, clientOrderId, `${clientOrderId} cancel`, () =>
      cancelOrder(this.book, this.#members, { member: MEMBER, clientOrderId }, this.#sequence),
    );

  close(): void {}

  get standing(): string[] {
    return standingOrders(this.book).map(
      ({ clientOrderId, side, energy }) => `${clientOrderId} ${SIDES[side]} ${energy}`,
    );
  }

  #answer(
    kind: ReplyMessage['kind'],
    clientOrderId: number,
    heard: string,
    decide: () => { ok: boolean; code: string },
  ): ReplyMessage | null {
    if (this.state === 'gone') return null;
    this.heard.push(heard);
    this.#sequence += 1;
    const { ok, code } = decide();
    return this.state === 'deaf' ? null : { kind, product: PRODUCT, clientOrderId, ok, code };
  }
}

/** A gateway's agent on the files of its home; another one is a restart. Yesterday `load` was measured. */
function agent(market: Market, load: () => Load): Bidder {
  const orders = new StandingOrders(market, join(folder, 'orders.json'), (line) => log.push(line));
  const terms = { market: MARKET, member: MEMBER, lengthMs: LENGTH, timezone: 'UTC', preference: {} } as const;
  return new Bidder(terms, (start) => (start < NOW - LENGTH ? load() : null), orders);
}

const surplus = (energy: number) => (): Load => ({ consumption: ZERO_WH, generation: wh(energy) });

test('an order goes out when its product opens, and nothing more while the plan stays the same', async () => {
  const market = new Market();
  const bidder = agent(market, surplus(700));
  await bidder.open(OPEN, NOW, HOME);
  await bidder.open(OPEN, NOW, HOME);
  await bidder.lastPlan(GATE, NOW, HOME);
  expect(market.heard).toEqual(['1 sell 700']);
});

test('at the last plan an order that changed is withdrawn before the next takes its place', async () => {
  const market = new Market();
  let generation = 700;
  const bidder = agent(market, () => surplus(generation)());
  await bidder.open(OPEN, NOW, HOME);
  generation = 650;
  await bidder.lastPlan(GATE, NOW, HOME);
  expect(market.heard).toEqual(['1 sell 700', '1 cancel', '2 sell 650']);
  expect(market.standing).toEqual(['2 sell 650']);
});

test('a home whose meter is not believed has nothing to trade', async () => {
  const market = new Market();
  const bidder = agent(market, surplus(700));
  await bidder.open(OPEN, NOW, HOME);
  await bidder.lastPlan(GATE, NOW, null);
  expect([market.heard, market.standing]).toEqual([['1 sell 700', '1 cancel'], []]);
});

describe('after a restart', () => {
  test('a gateway finds its orders and sends nothing twice', async () => {
    const market = new Market();
    await agent(market, surplus(700)).open(OPEN, NOW, HOME);
    const again = agent(market, surplus(700));
    await again.open(OPEN, NOW, HOME);
    await again.lastPlan(GATE, NOW, HOME);
    expect(market.heard).toEqual(['1 sell 700']);
  });

  test.each(['deaf', 'gone'] as const)('an order that nobody answered is sent again as it was (%s)', async (state) => {
    const market = new Market();
    market.state = state;
    await agent(market, surplus(700)).open(OPEN, NOW, HOME);
    market.state = 'answers';
    await agent(market, surplus(100)).open(OPEN, NOW, HOME);
    expect(market.standing).toEqual(['1 sell 700']);
    expect(log).toEqual(['no answer from the market: it is asked again']);
  });

  test.each(['deaf', 'gone'] as const)(
    'an unanswered withdrawal holds back what comes in its place (%s)',
    async (state) => {
      const market = new Market();
      let generation = 700;
      const bidder = agent(market, () => surplus(generation)());
      await bidder.open(OPEN, NOW, HOME);
      generation = 650;
      market.state = state;
      await bidder.lastPlan(GATE, NOW, HOME);
      expect(market.heard).not.toContain('2 sell 650');
      market.state = 'answers';
      await agent(market, surplus(1)).open(OPEN, NOW, HOME);
      expect(market.standing).toEqual(['2 sell 650']);
    },
  );

  test.each([
    ['lost', (path: string) => rmSync(path)],
    ['torn', (path: string) => writeFileSync(path, readFileSync(path).subarray(0, 60))],
    ['of another time', (path: string) => writeFileSync(path, '[[1,{"clientOrderId":1,"order":null}]]')],
  ])('with a state file that is %s, what stood before is withdrawn and the next number used', async (_, spoil) => {
    const market = new Market();
    let generation = 700;
    const first = agent(market, () => surplus(generation)());
    await first.open(OPEN, NOW, HOME);
    generation = 650;
    await first.lastPlan(GATE, NOW, HOME);
    spoil(join(folder, 'orders.json'));
    const again = agent(market, surplus(600));
    await again.open(OPEN, NOW, HOME);
    expect(market.standing).toEqual(['3 sell 600']);
    expect(log.filter((line) => line.includes('is taken by an order from before'))).toHaveLength(1);
    await agent(market, surplus(600)).lastPlan(GATE, NOW, HOME);
    expect(market.standing).toEqual(['3 sell 600']);
  });
});

test('a refusal is told once, until an order is accepted again; the next plan tries again', async () => {
  const market = new Market();
  const bidder = agent(market, surplus(700));
  market.clockOffMs = 51;
  await bidder.open(OPEN, NOW, HOME);
  await bidder.lastPlan(GATE, NOW, HOME);
  expect(log).toEqual([expect.stringMatching(/^order 1 for .* was refused: price_mismatch$/)]);
  market.clockOffMs = 0;
  await bidder.lastPlan(GATE, NOW, HOME);
  expect(market.standing).toEqual(['3 sell 700']);
});

test('a disk that takes nothing is told of once and does not stop the trade', async () => {
  const market = new Market();
  rmSync(folder, { recursive: true });
  await agent(market, surplus(700)).open(OPEN, NOW, HOME);
  expect(market.standing).toEqual(['1 sell 700']);
  expect(log).toEqual([expect.stringContaining('orders.json')]);
});
