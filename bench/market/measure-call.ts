import { createHash } from 'node:crypto';
import type { Book, Members, ProductRules } from '../../src/domain/market/book.ts';
import { type CallOrders, clearCallOrders } from '../../src/domain/market/call-clearing.ts';
import { CALL_KEY, CALL_OPEN, CALL_STRIDE } from '../../src/domain/market/call-levels.ts';
import { MemberTable } from '../../src/domain/market/member-table.ts';
import { NaiveMembers } from '../../src/domain/market/naive-members.ts';
import { NaiveProductBook } from '../../src/domain/market/naive-product-book.ts';
import { ORDER_TYPES, type Rationing } from '../../src/domain/market/order.ts';
import { ProductBook } from '../../src/domain/market/product-book.ts';
import { verdictCode } from '../../src/domain/market/verdict.ts';
import { CALL_MEMBERS, type CallColumns, callOrders, limitAt, sideAt } from './call-orders.ts';
import { admitMembers, benchProduct } from './market-rules.ts';
import { median, rounded } from './rounds.ts';

const LIMIT = ORDER_TYPES.indexOf('limit');
const ACCEPTED = verdictCode('accepted');
const LADDERS = [400, 65_536];
const RATIONINGS: readonly Rationing[] = ['pro-rata', 'price-time'];
/** What the naive twin clears as well, to compare the outcome. */
const COMPARED_ORDERS = 1000;
const ORDERS = 1_000_000;
const SEED = 17;

const isQuick = process.argv.includes('--quick');
for (const steps of isQuick ? LADDERS.slice(0, 1) : LADDERS)
  for (const rationing of RATIONINGS) measure(steps, rationing);

function measure(steps: number, rationing: Rationing): void {
  const rules = { ...benchProduct('call', steps), rationing };
  requireSameOutcome(rules, callOrders(COMPARED_ORDERS, steps, SEED));
  const orders = callOrders(ORDERS, steps, SEED);
  const laidOut = laidOutFor(rules, orders);
  const common = { steps, rationing, orders: ORDERS };
  print('clearCallOrders', 'call', {
    ...common,
    ...times(3, isQuick ? 5 : 15, () => () => clearCallOrders(laidOut, rules)),
  });
  if (isQuick && rationing !== 'pro-rata') return;
  const placing: number[] = [];
  const closing = times(isQuick ? 1 : 3, isQuick ? 3 : 9, () => {
    const from = process.cpuUsage();
    const book = filledBook(new MemberTable(), rules, orders, openProduct);
    placing.push((cpuMs(from) * 1e6) / ORDERS);
    return () => book.closeGate();
  });
  print('closeGate', 'gate', { ...common, ...closing, nsPerOrderPlaced: rounded(median(placing)) });
}

interface Times {
  readonly ms: number;
  readonly bestMs: number;
  readonly cpuMs: number;
  readonly rounds: number;
}

interface CallFigures extends Times {
  readonly steps: number;
  readonly rationing: Rationing;
  readonly orders: number;
  readonly nsPerOrderPlaced?: number;
}

/** The bar is asked of the ladder of a retail market, pro-rata. */
function print(call: string, bar: string, figures: CallFigures): void {
  const isAsked = figures.steps === LADDERS[0] && figures.rationing === 'pro-rata';
  console.log(JSON.stringify({ bench: 'market', call, ...figures, ...(isAsked ? { bar, measured: figures.ms } : {}) }));
}

/** Of the rounds after the warm-up; what `prepare` does is not counted. */
function times(warmUps: number, rounds: number, prepare: () => () => unknown): Times {
  const spent: { ms: number; cpuMs: number }[] = [];
  for (let round = 0; round < warmUps + rounds; round += 1) {
    const work = prepare();
    globalThis.gc?.();
    const [from, cpuFrom] = [performance.now(), process.cpuUsage()];
    work();
    if (round >= warmUps) spent.push({ ms: performance.now() - from, cpuMs: cpuMs(cpuFrom) });
  }
  const ms = spent.map((one) => one.ms);
  const cpu = median(spent.map((one) => one.cpuMs));
  return { ms: rounded(median(ms)), bestMs: rounded(Math.min(...ms)), cpuMs: rounded(cpu), rounds };
}

function cpuMs(from: NodeJS.CpuUsage): number {
  const { user, system } = process.cpuUsage(from);
  return (user + system) / 1000;
}

function laidOutFor({ band }: ProductRules, orders: CallColumns): CallOrders {
  const hot = new Int32Array(ORDERS * CALL_STRIDE);
  const ranks = ranksOfMembers();
  for (let at = 0; at < orders.count; at += 1) {
    hot[at * CALL_STRIDE + CALL_OPEN] = orders.energies[at] as number;
    hot[at * CALL_STRIDE + CALL_KEY] = (orders.steps[at] as number) * 2 + sideAt(orders, at);
  }
  return {
    hot,
    count: orders.count,
    base: band.lowest,
    ticks: orders.steps.reduce((highest, step) => Math.max(highest, step), 0) + 1,
    memberRank: (position) => ranks[orders.members[position] as number] as number,
    clientOrderId: (position) => orders.clientOrderIds[position] as number,
    zone: () => 0,
  };
}

/** Place of each member among all sorted by id. */
function ranksOfMembers(): number[] {
  const ids = Array.from({ length: CALL_MEMBERS }, (_, member) => `home-${member}`);
  const sorted = ids.toSorted();
  return ids.map((id) => sorted.indexOf(id));
}

function openProduct(members: MemberTable, rules: ProductRules): Book {
  return new ProductBook(rules, members);
}

function filledBook<Table extends Members>(
  members: Table,
  rules: ProductRules,
  orders: CallColumns,
  open: (members: Table, rules: ProductRules) => Book,
): Book {
  admitMembers(members, CALL_MEMBERS);
  const book = open(members, rules);
  for (let at = 0; at < orders.count; at += 1) {
    const [member, id] = [orders.members[at] as number, orders.clientOrderIds[at] as number];
    const energy = orders.energies[at] as number;
    const answer = book.place(member, id, sideAt(orders, at), LIMIT, limitAt(orders, at), energy, -1, 0, at + 1);
    if (answer !== ACCEPTED) throw new Error(`order ${at} was refused: ${answer}`);
  }
  return book;
}

/** @throws where the book and its naive twin do not agree on prices, fills, fates and trades */
function requireSameOutcome(rules: ProductRules, orders: CallColumns): void {
  const fast = filledBook(new MemberTable(), rules, orders, openProduct);
  const naive = filledBook(
    new NaiveMembers(),
    rules,
    orders,
    (members, product) => new NaiveProductBook(product, members),
  );
  fast.closeGate();
  naive.closeGate();
  if (outcomeOf(fast) !== outcomeOf(naive)) throw new Error('the book and its naive twin cleared the call differently');
}

function outcomeOf(book: Book): string {
  const orders = Array.from({ length: book.orderCount }, (_, position) => book.orderAt(position));
  const trades = Array.from({ length: book.tradeCount }, (_, position) => book.tradeAt(position));
  const fills = orders.map(({ member, clientOrderId, filled, fate }) => [member, clientOrderId, filled, fate]);
  return createHash('sha256')
    .update(JSON.stringify([book.clearingPrices(), fills, trades]))
    .digest('hex');
}
