import { describe, expect, test } from 'vitest';
import type { Load } from './forecast/load.ts';
import { INTERVAL_CYCLE, NO_PLAN } from './interval-cycle.ts';
import type { ProductRules } from './market/book.ts';
import { MECHANISMS } from './market/mechanism.ts';
import { MemberDirectory } from './market/member-directory.ts';
import { MemberTable } from './market/member-table.ts';
import { ProductBook } from './market/product-book.ts';
import { NEW_METER } from './metering/interval-energy.ts';
import type { MeterReading } from './metering/meter-reading.ts';
import { wh } from './units/energy.ts';
import type { MarketId, MemberId } from './units/identity.ts';
import { watt } from './units/power.ts';
import { pricePerKwh } from './units/price.ts';
import { epochMs } from './units/time.ts';

const [readMeter, publish, , planAndBid, acceptOrder, matchAndClear, , verify] = INTERVAL_CYCLE;
const QUARTER = { start: epochMs(900_000), lengthMs: 900_000 } as const;
const key = { market: 'elm' as MarketId, product: QUARTER.start, member: 'home-01' as MemberId };
const band = { lowest: pricePerKwh(80_000), highest: pricePerKwh(300_000) };

const RULES: ProductRules = {
  ...{ product: QUARTER.start, mechanism: 'call', rationing: 'pro-rata', tick: 100, band, maxVolume: wh(10_000) },
  ...{ importPrice: band.highest, penalty: pricePerKwh(0), fees: [pricePerKwh(0)], zoneLimits: [] },
};

function load(consumption: number, generation: number): Load {
  return { consumption: wh(consumption), generation: wh(generation) };
}

function reading(minute: number, imported: number): MeterReading {
  const at = epochMs(minute * 60_000);
  return { at, importRegister: wh(imported), exportRegister: wh(0), power: watt(0), quality: 'good' };
}

test('the straight line is ten rows, each with its trigger and its owner', () => {
  expect(INTERVAL_CYCLE.map(({ stage, trigger, owner }) => `${stage} | ${trigger} | ${owner}`)).toEqual([
    'read meter | reading | gateway',
    'publish | reading | gateway',
    'forecast | planning tick | gateway',
    'plan and bid | planning tick | gateway',
    'accept order | order | engine',
    'match and clear | gate closure | engine',
    'dispatch and interlock | delivery start | relay',
    'verify delivery | interval complete | engine',
    'settle | interval complete | engine',
    'bill | settled | engine',
  ]);
});

describe('plan and bid', () => {
  const plan = (open: typeof NO_PLAN, forecast: Load) =>
    planAndBid.step(open, {
      key,
      devices: { battery: null, stored: wh(0) },
      forecast,
      band,
      tick: 100,
      preference: {},
      lengthMs: 900_000,
    });

  test('sends an order, and nothing more while the plan stays the same', () => {
    const first = plan(NO_PLAN, load(0, 700));
    expect(first.outputs).toMatchObject({
      cancel: [],
      place: [{ clientOrderId: 1, side: 'sell', limit: 80_000, energy: 700 }],
    });
    expect(plan(first.state, load(0, 700)).outputs).toEqual({ cancel: [], place: [] });
  });

  test('replaces its order when the plan changes, and withdraws it when nothing is left to trade', () => {
    const first = plan(NO_PLAN, load(0, 700));
    const second = plan(first.state, load(500, 0));
    expect(second.outputs).toMatchObject({
      cancel: [1],
      place: [{ clientOrderId: 2, side: 'buy', limit: 300_000, energy: 500 }],
    });
    expect(plan(second.state, load(0, 0)).outputs).toEqual({ cancel: [2], place: [] });
  });

  test('its orders are accepted and cleared by the rows that follow', () => {
    const members = new MemberDirectory(new MemberTable());
    for (const id of ['home-01', 'home-02'] as MemberId[]) {
      members.admit(id, { capability: wh(5000), collateral: null, zone: 0 });
    }
    const book = new ProductBook(RULES, members.table);
    const buyer = { ...key, member: 'home-02' as MemberId };
    const orders = [
      ...plan(NO_PLAN, load(0, 700)).outputs.place,
      ...plan(NO_PLAN, load(300, 0)).outputs.place.map((order) => ({ ...order, ...buyer })),
    ];
    const verdicts = orders.map(
      (order, sequence) => acceptOrder.step(book, { order, sequence, clockOffMs: 0, members }).outputs.code,
    );
    expect(verdicts).toEqual(['accepted', 'accepted']);
    expect(matchAndClear.step(book, { mechanism: MECHANISMS.call, members }).outputs).toMatchObject({
      traded: 300,
      price: 146_000,
    });
    expect(matchAndClear.step(book, { mechanism: MECHANISMS['mid-market'], members }).outputs).toBeNull();
  });
});

test('what a meter repeats is not published, unless it ends an interval; nothing is published twice', () => {
  const said = (last: MeterReading | null, next: MeterReading, due = false) =>
    publish.step(last, { reading: next, due }).outputs.length;
  const first = reading(15, 10);
  expect(said(null, first)).toBe(1);
  expect(said(first, reading(16, 10))).toBe(0);
  expect(said(first, reading(16, 11))).toBe(1);
  expect(said(first, { ...reading(16, 10), quality: 'stale' })).toBe(1);
  expect(said(first, reading(30, 10), true)).toBe(1);
  expect(said(first, first, true)).toBe(0);
});

test('verification is total: a missing reading is substituted, flagged, and counts as a failure of what was sold', () => {
  const limits = { maxPower: watt(20_000), lengthMs: 900_000 };
  const { state: track } = readMeter.step(NEW_METER, { reading: reading(15, 1000), limits });
  const input = { interval: QUARTER, bought: wh(0), sold: wh(400), importedLastWeek: wh(80) };
  expect(verify.step(track, input).outputs).toMatchObject({
    energy: { imported: 80, exported: 0, origin: 'substituted' },
    delivery: { code: 'DELIVERY_FAILURE', sale: { missing: 400 } },
  });
});
