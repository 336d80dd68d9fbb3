import type { Book, OrderState, ProductRules } from '../../src/domain/market/book.ts';
import { MemberDirectory } from '../../src/domain/market/member-directory.ts';
import { MemberTable } from '../../src/domain/market/member-table.ts';
import { ORDER_FATES, ORDER_TYPES, type OrderType, SIDES } from '../../src/domain/market/order.ts';
import { ProductBook } from '../../src/domain/market/product-book.ts';
import { VERDICTS } from '../../src/domain/market/verdict.ts';
import { parseDecimal } from '../../src/domain/units/decimal.ts';
import { wh } from '../../src/domain/units/energy.ts';
import type { MemberId } from '../../src/domain/units/identity.ts';
import { formatMoney, type NanoTotal } from '../../src/domain/units/money.ts';
import { formatPrice, type PricePerKwh, parsePrice, pricePerKwh } from '../../src/domain/units/price.ts';
import { epochMs } from '../../src/domain/units/time.ts';

/**
 * A `book` block of a document, run: its rules, then one command a row; what the rows answer and what became of the
 * orders is written anew. A block is right when it comes back as it was.
 *
 *     mechanism  continuous            rules: mechanism, rationing, tick, band, import, penalty, volume, zones, limits
 *     ann        owner hill-house      any other name is a member: owner, zone, capability, collateral
 *
 *     order   what                              answer
 *     ann 1   buy 900 at 0.20 ioc replaces 7    also: cancel; of a member: reserved, halt, resume
 *     market  gate                              also: halt, resume, release
 */
export function runBookBlock(block: string): string {
  const [rules = '', commands = ''] = block.split('\n\n');
  const market = marketOf(rules.split('\n'));
  const rows = commands.split('\n').slice(1).map(cellsOf);
  const answers = rows.map(([who = '', what = '']) => answerTo(market, who, what));
  const described = rows.map(([who = '', what = ''], row) => {
    const answer = answers[row] ?? '';
    const isFirst = answer === 'accepted';
    return [who, what, answer, ...(isFirst ? outcomeOf(stateOf(market, who)) : [])];
  });
  const results = [...pricesOf(market), ...tradesOf(market)].join('\n');
  const table = aligned([['order', 'what', 'answer', 'filled', 'fate'], ...described], new Set([3]));
  return [rules, table, ...(results === '' ? [] : [results])].join('\n\n');
}

/** Cells are at least two spaces apart. */
export function cellsOf(line: string): string[] {
  return line.split(/ {2,}/);
}

export function aligned(rows: readonly (readonly string[])[], right: ReadonlySet<number>): string {
  const columns = Math.max(...rows.map((row) => row.length));
  const widths = Array.from({ length: columns }, (_, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)));
  const pad = (cell: string, at: number) => cell[right.has(at) ? 'padStart' : 'padEnd'](widths[at] ?? 0);
  return rows.map((row) => row.map(pad).join('  ').trimEnd()).join('\n');
}

export function priceOf(text: string | undefined): PricePerKwh {
  const price = parsePrice(text ?? '');
  if (price === null) throw new Error(`not a price: ${text}`);
  return price;
}

export function bandOf(text = '0.08 to 0.3'): ProductRules['band'] {
  const [lowest, highest] = text.split(' to ');
  return { lowest: priceOf(lowest), highest: priceOf(highest) };
}

interface Market {
  readonly book: ProductBook;
  readonly members: MemberDirectory<MemberTable>;
  readonly zones: readonly string[];
  sequence: number;
}

const RULES = ['mechanism', 'rationing', 'tick', 'band', 'import', 'penalty', 'volume', 'zones', 'limits'];

function marketOf(lines: readonly string[]): Market {
  const cells = lines.map(cellsOf);
  const rules = new Map(cells.flatMap(([name = '', text = '']) => (RULES.includes(name) ? [[name, text]] : [])));
  const zones = (rules.get('zones') ?? 'one 0').split(', ').map((zone) => zone.split(' ')[0] ?? '');
  const members = new MemberDirectory(new MemberTable());
  const market = { book: new ProductBook(rulesOf(rules, zones), members.table), members, zones, sequence: 0 };
  const owners = new Map<string, number>();
  for (const [name = '', text = ''] of cells) if (!RULES.includes(name)) admit(market, name, text, owners);
  return market;
}

function rulesOf(texts: ReadonlyMap<string, string>, zones: readonly string[]): ProductRules {
  const band = bandOf(texts.get('band'));
  const limits = texts.get('limits')?.split(', ') ?? [];
  return {
    product: epochMs(0),
    mechanism: texts.get('mechanism') === 'continuous' ? 'continuous' : 'call',
    rationing: texts.get('rationing') === 'price-time' ? 'price-time' : 'pro-rata',
    tick: priceOf(texts.get('tick') ?? '0.01'),
    band,
    importPrice: priceOf(texts.get('import') ?? formatPrice(band.highest)),
    penalty: priceOf(texts.get('penalty') ?? '0'),
    maxVolume: wh(Number(texts.get('volume') ?? 2 ** 31 - 1)),
    fees: texts.has('zones') ? feesOf(texts.get('zones') ?? '') : [pricePerKwh(0)],
    zoneLimits: limits.map((limit) => {
      const [from = '', , to = '', capacity] = limit.split(' ');
      return { from: zones.indexOf(from), to: zones.indexOf(to), capacity: wh(Number(capacity)) };
    }),
  };
}

function feesOf(zones: string): PricePerKwh[] {
  return zones.split(', ').map((zone) => priceOf(zone.split(' ')[1]));
}

function admit({ members, zones }: Market, name: string, text: string, owners: Map<string, number>): void {
  const said = new Map(text.split(', ').map((part) => part.split(' ') as [string, string]));
  const [owner, collateral, capability = 1_000_000] = ['owner', 'collateral', 'capability'].map((key) => said.get(key));
  const group = owner === undefined ? undefined : owners.get(owner);
  const number = members.admit(name as MemberId, {
    capability: wh(Number(capability)),
    collateral: collateral === undefined ? null : (parseDecimal(collateral, 9) ?? 0),
    zone: Math.max(0, zones.indexOf(said.get('zone') ?? '')),
    ...(group === undefined ? {} : { group }),
  });
  if (owner !== undefined && group === undefined) owners.set(owner, number);
}

function answerTo(market: Market, who: string, what: string): string {
  market.sequence += 1;
  const { book, members, sequence } = market;
  const [name = '', id] = who.split(' ');
  if (name === 'market') return ofMarket(market, what);
  const member = members.numberOf(name as MemberId) ?? admitted(market, name);
  if (id === undefined) return ofMember(market, member, what);
  if (what === 'cancel') return VERDICTS[book.cancel(member, Number(id), sequence)] ?? '';
  const { side, type, limit, energy, replaces, clockOff } = placementOf(what);
  return VERDICTS[book.place(member, Number(id), side, type, limit, energy, replaces, clockOff, sequence)] ?? '';
}

function admitted(market: Market, name: string): number {
  admit(market, name, '', new Map());
  return market.members.numberOf(name as MemberId) ?? -1;
}

function ofMarket({ book, members }: Market, what: string): string {
  if (what === 'gate') book.closeGate();
  else if (what === 'release') book.release();
  else members.table.haltMarket(what === 'halt');
  return '';
}

function ofMember({ members: { table } }: Market, member: number, what: string): string {
  if (what === 'reserved') return formatMoney(BigInt(table.reserved(member)) as NanoTotal);
  table.halt(member, what === 'halt');
  return '';
}

const PLACEMENT =
  /^(buy|sell) (-?\d+) at (\S+)(?: (limit|market|ioc|fok))?(?: replaces (\d+))?(?:, clock (\d+) ms off)?$/;

function placementOf(what: string) {
  const found = PLACEMENT.exec(what);
  if (found === null) throw new Error(`not a command: ${what}`);
  const [, side, energy, limit, type = 'limit', replaces = '-1', clockOff = '0'] = found;
  return {
    side: SIDES.indexOf(side === 'buy' ? 'buy' : 'sell'),
    type: ORDER_TYPES.indexOf(type as OrderType),
    limit: priceOf(limit),
    energy: Number(energy),
    replaces: Number(replaces),
    clockOff: Number(clockOff),
  };
}

function stateOf({ book, members }: Market, who: string): OrderState {
  const [name, id] = who.split(' ');
  const found = book.find(members.numberOf(name as MemberId) ?? -1, Number(id));
  if (found === null) throw new Error(`no order ${who}`);
  return found;
}

function outcomeOf({ filled, fate }: OrderState): string[] {
  return [String(filled), ORDER_FATES[fate] ?? ''];
}

function pricesOf({ book, zones }: Market): string[] {
  if (book.rules.mechanism !== 'call' || !book.isClosed) return [];
  const prices = book.clearingPrices().map((price) => (price === null ? 'none' : formatPrice(pricePerKwh(price))));
  if (prices.length === 1) return [`price ${prices[0]}`];
  const rent = trades(book).reduce((sum, { price, sellerPrice, energy }) => sum + (price - sellerPrice) * energy, 0);
  return [
    ...prices.map((price, zone) => `price in ${zones[zone]} ${price}`),
    `rent ${formatMoney(BigInt(rent) as NanoTotal)}`,
  ];
}

function tradesOf({ book, members }: Market): string[] {
  const name = (member: number, id: number) => `${members.idOf(member)} ${id}`;
  return trades(book).map(({ buyer, buyOrder, seller, sellOrder, energy, price, sellerPrice }) => {
    const sold = price === sellerPrice ? '' : `, who gets ${formatPrice(pricePerKwh(sellerPrice))}`;
    const at = formatPrice(pricePerKwh(price));
    return `${name(buyer, buyOrder)} buys ${energy} Wh at ${at} from ${name(seller, sellOrder)}${sold}`;
  });
}

function trades(book: Book) {
  return Array.from({ length: book.tradeCount }, (_, at) => book.tradeAt(at));
}
