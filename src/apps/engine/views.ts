import type {
  ConservationView,
  IntervalView,
  MemberView,
  NowView,
  StatementView,
  TradeView,
} from '../../adapters/http/api-schema.ts';
import type { ApiEvent, ApiViews } from '../../adapters/http/views.ts';
import type { CancelMessage, OrderMessage } from '../../adapters/mqtt/wire.ts';
import {
  type EngineState,
  NOTHING_TRADED,
  type Product,
  type Traded,
  tradedByMember,
} from '../../domain/engine/state.ts';
import { standingOrders } from '../../domain/market/order-entry.ts';
import { type Conservation, conservation, conservationOf } from '../../domain/settlement/accounts.ts';
import type { IntervalSettlement, MemberPosition } from '../../domain/settlement/interval-settlement.ts';
import { NO_TOTALS } from '../../domain/settlement/member-totals.ts';
import { statementLines } from '../../domain/settlement/statement.ts';
import { verifyDelivery } from '../../domain/settlement/verify-delivery.ts';
import type { MemberId } from '../../domain/units/identity.ts';
import { intervalAt } from '../../domain/units/interval.ts';
import { amountOf, formatMoney, type NanoTotal } from '../../domain/units/money.ts';
import { formatPrice } from '../../domain/units/price.ts';
import type { Tariff } from '../../domain/units/tariff.ts';
import type { EpochMs } from '../../domain/units/time.ts';
import { clearingView } from './curve-view.ts';
import type { EngineConfig } from './engine-config.ts';
import type { HomeBoard } from './home-board.ts';
import type { OrderDoor } from './order-door.ts';
import type { ReceiptBook } from './receipt-book.ts';
import type { SettlementDesk } from './settlement-desk.ts';
import { whyView } from './why-view.ts';

/** Everything the views are computed from. `desk` is null in paper mode: there is no ledger. */
export interface ViewParts {
  readonly config: EngineConfig;
  readonly mode: 'production' | 'paper';
  readonly state: EngineState;
  readonly receipts: ReceiptBook;
  readonly board: HomeBoard;
  readonly desk: SettlementDesk | null;
  readonly door: OrderDoor;
  readonly ledgerAddress: () => string | null;
  now(): EpochMs;
  wallNow(): EpochMs;
  heldFor(): readonly string[];
  tariffAt(interval: EpochMs): Tariff;
  subscribe(listener: (event: ApiEvent) => void): () => void;
}

/** A meter that was not heard for this long is drawn as stale. */
const STALE_AFTER_MS = 5000;
const STATEMENT_LINES = 200;

export function createViews(parts: ViewParts): ApiViews<OrderMessage | CancelMessage> {
  const { state, door } = parts;
  const product = (interval?: number) =>
    interval === undefined ? latestCleared(state) : (state.products.get(interval as EpochMs) ?? null);
  return {
    now: () => nowView(parts),
    clearing(interval) {
      const found = product(interval);
      return found === null ? null : clearingView(found);
    },
    why(interval, member) {
      const number = member === undefined ? null : state.members.numberOf(member as MemberId);
      if (number === undefined) return 'unknown_member';
      const found = product(interval);
      return found === null
        ? null
        : whyView(found, member === undefined || number === null ? null : { id: member, number });
    },
    artefact(interval, member) {
      const isKnown = member === undefined || state.members.numberOf(member as MemberId) !== undefined;
      if (!isKnown) return 'unknown_member';
      return parts.receipts.artefact(interval as EpochMs, (member as MemberId | undefined) ?? null);
    },
    intervals: (limit) => lastSettlements(state, limit).map((settlement) => intervalView(parts, settlement)),
    trades(interval) {
      const found = product(interval);
      return found === null ? [] : tradeViews(found);
    },
    members: () => state.terms?.members.map(({ id }) => memberView(state, id)) ?? [],
    member: (id) => statementView(state, id),
    ledger: () => ledgerView(parts),
    submitOrder: (member, message) => door.submit(member, message),
    events: (listener) => parts.subscribe(listener),
  };
}

export function nowView(parts: ViewParts): NowView {
  const { config, state, board } = parts;
  const marketTime = parts.now();
  const interval = intervalAt(marketTime, state.terms?.lengthMs ?? 900_000);
  const product = state.products.get(interval.start);
  const tariff = product?.tariff ?? parts.tariffAt(interval.start);
  const traded = tradedByMember(product?.clearing ?? null);
  const homes = config.members.map(({ id }) =>
    homeView(parts, id, traded.get(id as MemberPosition['member']) ?? NOTHING_TRADED),
  );
  return {
    market: config.market,
    name: config.name,
    currency: config.currency,
    timezone: config.timezone,
    intervalMs: interval.lengthMs,
    mode: parts.mode,
    speed: config.clock?.speed ?? 1,
    interlock: config.interlock,
    marketTime,
    heldFor: [...parts.heldFor()],
    interval: interval.start,
    importPerKwh: formatPrice(tariff.importPrice),
    exportPerKwh: formatPrice(tariff.exportPrice),
    tariffAgeMs: null,
    pricePerKwh: priceText(product ?? null),
    flow: flowOf(homes, board.number(config.feeder, 'Meter/PowerW')),
    homes,
    ledger: ledgerState(parts),
    conservation: conservationView(conservation(state.accounts)),
  };
}

function homeView({ board, wallNow }: ViewParts, id: string, { bought, sold }: Traded): NowView['homes'][number] {
  const online = board.isOnline(id);
  const closed = board.flag(id, 'Safety/Relay');
  return {
    id,
    online,
    stale: !online || board.ageMs(id, wallNow()) > STALE_AFTER_MS,
    powerW: board.number(id, 'Meter/PowerW'),
    pvW: board.number(id, 'Inverter/PowerW'),
    batteryW: board.number(id, 'Battery/PowerW'),
    socPermille: board.number(id, 'Battery/SocPermille'),
    relay: closed === null ? 'unknown' : closed ? 'closed' : 'open',
    faultCode: board.number(id, 'Safety/FaultCode') ?? 0,
    tradedWh: bought - sold,
  };
}

/** Neighbours: what leaves some homes and enters others at this moment. */
function flowOf(homes: NowView['homes'], feederW: number | null): NowView['flow'] {
  const sum = (pick: (home: NowView['homes'][number]) => number) =>
    homes.reduce((total, home) => total + pick(home), 0);
  const pvW = sum((home) => home.pvW ?? 0);
  const batteryW = sum((home) => home.batteryW ?? 0);
  const importW = sum((home) => Math.max(0, home.powerW ?? 0));
  const exportW = sum((home) => Math.max(0, -(home.powerW ?? 0)));
  const gridW = feederW ?? importW - exportW;
  return { pvW, batteryW, gridW, loadW: importW - exportW + pvW - batteryW, neighboursW: Math.min(importW, exportW) };
}

export function intervalView(
  { state, desk }: Pick<ViewParts, 'state' | 'desk'>,
  settlement: IntervalSettlement,
): IntervalView {
  const { interval, positions, prices, feeder } = settlement;
  const product = state.products.get(interval.start) ?? null;
  const sum = (pick: (position: MemberPosition) => number) => positions.reduce((total, each) => total + pick(each), 0);
  const tradedWh = sum(({ sold }) => sold);
  return {
    interval: interval.start,
    pricePerKwh: tradedWh > 0 ? formatPrice(prices.local) : null,
    tradedWh,
    balancedWh: sum(({ balancedShort }) => balancedShort),
    orders: product === null || product.book === null ? 0 : standingOrders(product.book).length,
    deliveredWh: sum((position) => verifyDelivery(position).sale.delivered),
    importPerKwh: formatPrice(prices.tariff.importPrice),
    exportPerKwh: formatPrice(prices.tariff.exportPrice),
    feederImportWh: feeder.imported,
    feederExportWh: feeder.exported,
    substituted: positions.filter(({ origin }) => origin === 'substituted').length,
    settledBlock: desk?.receipt(interval.start)?.block ?? null,
    conservation: conservationView(conservationOf(settlement)),
  };
}

export function conservationView({ energyWh, money }: Conservation): ConservationView {
  return { energyWh: energyWh.toString(), money: formatMoney(money as NanoTotal) };
}

function lastSettlements({ settlements }: EngineState, limit: number): IntervalSettlement[] {
  return [...settlements.values()].slice(-limit);
}

function latestCleared({ products }: EngineState): Product | null {
  return [...products.values()].findLast(({ clearing }) => clearing !== null) ?? null;
}

function priceText(product: Product | null): string | null {
  const price = product?.clearing?.price ?? null;
  return price === null ? null : formatPrice(price);
}

function tradeViews({ start, clearing }: Product): TradeView[] {
  return (clearing?.trades ?? []).map(({ buyer, seller, energy, price }) => ({
    interval: start,
    buyer,
    seller,
    energyWh: energy,
    pricePerKwh: formatPrice(price),
    amount: formatMoney(amountOf(price, energy)),
  }));
}

/** A member's running account: what it pays, and what the same readings would have cost at the utility's tariff alone. */
export function memberView({ totals, accounts }: EngineState, id: string): MemberView {
  const member = id as MemberPosition['member'];
  const { bought, sold, imported, exported, shortfall, baseline } = totals.get(member) ?? NO_TOTALS;
  const bill = -(accounts.members.get(member) ?? 0n);
  return {
    id,
    bill: formatMoney(bill as NanoTotal),
    baseline: formatMoney(baseline),
    saving: formatMoney((baseline - bill) as NanoTotal),
    boughtWh: Number(bought),
    soldWh: Number(sold),
    importWh: Number(imported),
    exportWh: Number(exported),
    shortfallWh: Number(shortfall),
  };
}

function statementView(state: EngineState, id: string): StatementView | null {
  if (state.terms?.members.every((member) => member.id !== id) !== false) return null;
  const lines = [...state.settlements.values()].flatMap(({ interval, positions, prices }) => {
    const position = positions.find(({ member }) => member === id);
    if (position === undefined) return [];
    return statementLines(position, prices).map(({ reason, party, energy, price, amount }) => ({
      interval: interval.start,
      kind: `${reason}/${party}`,
      energyWh: energy,
      pricePerKwh: formatPrice(price),
      amount: formatMoney(amount),
    }));
  });
  return { member: memberView(state, id), lines: lines.slice(-STATEMENT_LINES) };
}

function ledgerState({ desk }: ViewParts): NowView['ledger'] {
  const receipts = [...(desk?.receipts().values() ?? [])];
  const pending = desk?.pending() ?? 0;
  return {
    state: pending > 2 ? 'parked' : 'ok',
    pending,
    lastBlock: receipts.length === 0 ? null : Math.max(...receipts.map(({ block }) => block)),
    settledIntervals: receipts.length,
  };
}

function ledgerView(parts: ViewParts) {
  const { state, config, desk } = parts;
  const entries = [...(desk?.receipts() ?? [])].slice(-50).map(([interval, receipt]) => ({
    interval,
    block: receipt.block,
    transactionHash: receipt.transactionHash,
    payloadHash: receipt.payloadHash,
  }));
  return {
    state: ledgerState(parts),
    address: parts.ledgerAddress(),
    chainId: desk === null ? null : config.ledger.chain_id,
    community: formatMoney(state.accounts.community),
    utility: formatMoney(state.accounts.utilityInBooks),
    entries,
  };
}
