import type {
  ClearingView,
  HomeView,
  IntervalView,
  LedgerView,
  MemberView,
  NowView,
  StatementView,
  TradeView,
  WhyView,
} from '../../src/adapters/http/api-schema.ts';
import type { ApiEvent, ApiViews } from '../../src/adapters/http/views.ts';
import type { Clearing } from '../../src/domain/market/trade.ts';
import { type Accounts, addToAccounts, conservation, NEW_ACCOUNTS } from '../../src/domain/settlement/accounts.ts';
import type { IntervalSettlement } from '../../src/domain/settlement/interval-settlement.ts';
import { statementLines } from '../../src/domain/settlement/statement.ts';
import { wh } from '../../src/domain/units/energy.ts';
import type { MemberId } from '../../src/domain/units/identity.ts';
import { amountOf, formatMoney, type NanoTotal, negate } from '../../src/domain/units/money.ts';
import { formatPrice } from '../../src/domain/units/price.ts';
import {
  type Cleared,
  clearAt,
  FIRST,
  LENGTH_MS,
  MARKET,
  memberIds,
  plan,
  settlementOf,
  sum,
  TARIFF,
} from './dashboard-street.ts';

/** A street of twelve homes on a clear June morning: every number comes out of the market and the settlement. */

interface Settled {
  readonly settlement: IntervalSettlement;
  readonly view: IntervalView;
}

export interface StreetFeed extends ApiViews<{ readonly kind: string }> {
  now(): NowView;
  clearing(interval?: number): ClearingView | null;
  intervals(limit: number): readonly IntervalView[];
  trades(interval?: number): readonly TradeView[];
  members(): readonly MemberView[];
  ledger(): LedgerView;
  /** Trades and settles one more interval and tells the listeners. */
  nextInterval(): void;
  /** Moves market time by one second of the wall and tells the listeners. */
  tick(): void;
  readonly submitted: { member: string; message: { readonly kind: string } }[];
}

/** `intervals`: how many are cleared before the page is opened; the last of them is being delivered. */
export function createStreetFeed(intervals: number, present: Partial<NowView> = {}): StreetFeed {
  const cleared: Cleared[] = [];
  const settled: Settled[] = [];
  const listeners = new Set<(event: ApiEvent) => void>();
  const submitted: StreetFeed['submitted'] = [];
  let accounts = NEW_ACCOUNTS;
  let [id, ticks] = [0, 0];
  const emit = (event: EventOf) => {
    id += 1;
    for (const listener of listeners) listener({ ...event, id });
  };
  const advance = () => {
    const last = cleared.at(-1);
    if (last !== undefined) {
      const settlement = settlementOf(last);
      accounts = addToAccounts(accounts, settlement);
      settled.push({ settlement, view: intervalView(last, settlement, 40 + settled.length) });
    }
    cleared.push(clearAt(FIRST + cleared.length * LENGTH_MS));
    ticks = 0;
  };
  for (let index = 0; index < intervals; index += 1) advance();
  const now = () => ({ ...nowView(cleared, settled.length, accounts, ticks), ...present });
  const clearing = (interval?: number) => clearingView(found(cleared, interval));
  return {
    submitted,
    now,
    clearing,
    why: (interval, member) => whyView(clearing(interval), member),
    artefact: () => null,
    intervals: (limit) => settled.map(({ view }) => view).slice(-limit),
    trades: (interval) => tradeViews(found(cleared, interval)),
    members: () => memberIds().map((member) => memberView(member, settled, accounts)),
    member: (member) => statementView(member, settled, accounts),
    ledger: () => ledgerView(now(), settled, accounts),
    submitOrder: async (member, message) => {
      submitted.push({ member, message });
      return member === 'home-99' ? { ok: false, code: 'unknown_member' } : { ok: true, code: 'accepted', sequence: 7 };
    },
    events: (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    nextInterval: () => {
      advance();
      const [view, latest] = [settled.at(-1)?.view, clearing()];
      if (view !== undefined) emit({ event: 'interval', data: view });
      if (latest !== null) emit({ event: 'clearing', data: latest });
      emit({ event: 'now', data: now() });
    },
    tick: () => {
      ticks += 1;
      emit({ event: 'now', data: now() });
    },
  };
}

type EventOf = ApiEvent extends infer Event ? (Event extends { id: number } ? Omit<Event, 'id'> : never) : never;

function found(cleared: readonly Cleared[], interval?: number): Cleared | undefined {
  return interval === undefined ? cleared.at(-1) : cleared.find((each) => each.interval === interval);
}

function intervalView(
  { clearing, orders, interval }: Cleared,
  settlement: IntervalSettlement,
  block: number,
): IntervalView {
  const balancedWh = sum(settlement.positions.map(({ balancedLong }) => balancedLong));
  return {
    interval,
    ...tariffView(),
    pricePerKwh: clearing.price === null ? null : formatPrice(clearing.price),
    tradedWh: clearing.traded,
    balancedWh,
    orders,
    deliveredWh: sum(settlement.positions.map(({ sold, exported }) => Math.min(sold, exported))),
    feederImportWh: settlement.feeder.imported,
    feederExportWh: settlement.feeder.exported,
    substituted: 0,
    settledBlock: block,
    conservation: { energyWh: '0', money: '0' },
  };
}

function clearingView(cleared: Cleared | undefined): ClearingView | null {
  if (cleared === undefined) return null;
  const { clearing, interval, orders } = cleared;
  const step = ({ price, energy }: Clearing['demand'][number]) => ({
    pricePerKwh: formatPrice(price),
    energyWh: energy,
  });
  return {
    interval,
    ...tariffView(),
    orders,
    pricePerKwh: clearing.price === null ? null : formatPrice(clearing.price),
    tradedWh: clearing.traded,
    demand: clearing.demand.map(step),
    supply: clearing.supply.map(step),
    why: 'The street offered more than it asked for, so every matched buyer was served and the price lies nearer to the feed-in tariff.',
  };
}

function whyView(clearing: ClearingView | null, member?: string): WhyView | 'unknown_member' | null {
  if (member !== undefined && !memberIds().includes(member as MemberId)) return 'unknown_member';
  if (clearing === null) return null;
  const { interval, pricePerKwh, tradedWh, demand, supply, why } = clearing;
  return { interval, member: member ?? null, pricePerKwh, tradedWh, demand, supply, shared: [], orders: [], why };
}

function tradeViews(cleared: Cleared | undefined): TradeView[] {
  return (cleared?.clearing.trades ?? []).map(({ buyer, seller, energy, price }) => ({
    interval: cleared?.interval ?? 0,
    buyer,
    seller,
    energyWh: energy,
    pricePerKwh: formatPrice(price),
    amount: formatMoney(amountOf(price, energy)),
  }));
}

function memberView(member: MemberId, settled: readonly Settled[], accounts: Accounts): MemberView {
  const positions = settled.flatMap(({ settlement }) => settlement.positions.filter((each) => each.member === member));
  const importWh = sum(positions.map(({ imported }) => imported));
  const exportWh = sum(positions.map(({ exported }) => exported));
  const baseline = amountOf(TARIFF.importPrice, wh(importWh)) - amountOf(TARIFF.exportPrice, wh(exportWh));
  const bill = -(accounts.members.get(member) ?? 0n);
  return {
    id: member,
    bill: formatMoney(bill as NanoTotal),
    baseline: formatMoney(BigInt(baseline) as NanoTotal),
    saving: formatMoney((BigInt(baseline) - bill) as NanoTotal),
    boughtWh: sum(positions.map(({ bought }) => bought)),
    soldWh: sum(positions.map(({ sold }) => sold)),
    importWh,
    exportWh,
    shortfallWh: sum(positions.map(({ sold, exported }) => Math.max(0, sold - exported))),
  };
}

function statementView(member: string, settled: readonly Settled[], accounts: Accounts): StatementView | null {
  const id = memberIds().find((each) => each === member);
  if (id === undefined) return null;
  const lines = settled.flatMap(({ settlement }) =>
    settlement.positions
      .filter((position) => position.member === id)
      .flatMap((position) => statementLines(position, settlement.prices))
      .map(({ reason, party, energy, price, amount }) => ({
        interval: settlement.interval.start,
        kind: `${reason}/${party}`,
        energyWh: energy,
        pricePerKwh: formatPrice(price),
        amount: formatMoney(negate(amount)),
      })),
  );
  return { member: memberView(id, settled, accounts), lines };
}

function nowView(cleared: readonly Cleared[], settledIntervals: number, accounts: Accounts, ticks: number): NowView {
  const latest = cleared.at(-1);
  const interval = latest?.interval ?? FIRST;
  const homes = memberIds().map((id, home) => homeView(id, home, interval, latest, ticks));
  const seen = homes.filter(({ powerW }) => powerW !== null);
  const total = (part: 'pvW' | 'batteryW' | 'powerW') => sum(seen.map((home) => home[part] ?? 0));
  const [pvW, batteryW, gridW] = [total('pvW'), total('batteryW'), total('powerW')];
  const { energyWh, money } = conservation(accounts);
  return {
    market: MARKET,
    name: 'Elm Street',
    currency: 'EUR',
    timezone: 'Europe/Berlin',
    intervalMs: LENGTH_MS,
    mode: 'production',
    speed: 60,
    interlock: true,
    marketTime: interval + 360_000 + ticks * 1000,
    heldFor: [],
    interval,
    ...tariffView(),
    tariffAgeMs: null,
    pricePerKwh: latest === undefined || latest.clearing.price === null ? null : formatPrice(latest.clearing.price),
    flow: { pvW, batteryW, gridW, loadW: pvW + gridW - batteryW, neighboursW: (latest?.clearing.traded ?? 0) * 4 },
    homes,
    ledger: {
      state: 'ok',
      pending: 1,
      lastBlock: settledIntervals === 0 ? null : 39 + settledIntervals,
      settledIntervals,
    },
    conservation: { energyWh: String(energyWh), money: formatMoney(money as NanoTotal) },
  };
}

/** Home 7 is offline, home 9 is stale, home 5 has an open relay. */
function homeView(id: MemberId, home: number, interval: number, latest: Cleared | undefined, ticks: number): HomeView {
  const { pv, load, battery } = plan(home, interval);
  const [online, stale] = [home !== 6, home === 8 || home === 6];
  const trades = latest?.clearing.trades ?? [];
  const bought = sum(trades.filter(({ buyer }) => buyer === id).map(({ energy }) => energy));
  const sold = sum(trades.filter(({ seller }) => seller === id).map(({ energy }) => energy));
  const open = home === 4;
  const given = (value: number) => (stale ? null : value);
  return {
    id,
    online,
    stale,
    powerW: given((load + battery - pv) * 4 + (open ? 0 : (ticks * 13 + home * 7) % 40)),
    pvW: home % 3 === 2 ? null : given(pv * 4),
    batteryW: home % 4 === 0 ? given(battery * 4) : null,
    socPermille: home % 4 === 0 ? given(430 + home * 31) : null,
    relay: stale ? 'unknown' : open ? 'open' : 'closed',
    faultCode: open ? 3 : stale && online ? 5 : 0,
    tradedWh: bought - sold,
  };
}

function ledgerView(now: NowView, settled: readonly Settled[], accounts: Accounts): LedgerView {
  return {
    state: now.ledger,
    address: '0x5fbdb2315678afecb367f032d93f642f64180aa3',
    chainId: 31337,
    community: formatMoney(accounts.community),
    utility: formatMoney(accounts.utility),
    entries: settled.slice(-8).map(({ view }) => ({
      interval: view.interval,
      block: view.settledBlock ?? 0,
      transactionHash: `0x${hex(view.interval, 7)}`,
      payloadHash: `0x${hex(view.interval, 11)}`,
    })),
  };
}

function hex(seed: number, factor: number): string {
  let state = BigInt(seed) * BigInt(factor);
  let text = '';
  while (text.length < 64) {
    state = (state * 6364136223846793005n + 1442695040888963407n) % 2n ** 64n;
    text += (state >> 32n).toString(16).padStart(8, '0');
  }
  return text.slice(0, 64);
}

function tariffView() {
  return { importPerKwh: formatPrice(TARIFF.importPrice), exportPerKwh: formatPrice(TARIFF.exportPrice) };
}
