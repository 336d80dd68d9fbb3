import type { Side } from '../../domain/market/order.ts';
import { parseDecimal } from '../../domain/units/decimal.ts';
import { MAX_ORDER_WH, type Wh, wh } from '../../domain/units/energy.ts';
import { ceilToTick, floorToTick, formatPrice, type PricePerKwh, parsePrice } from '../../domain/units/price.ts';
import { Fault } from '../../errors/fault.ts';
import { columnOfField, splitRecord } from './csv-record.ts';
import { didYouMean } from './nearest-name.ts';

/** One line of an order file. `order` and `member` are any text; `time` is the arrival sequence. */
export interface OrderRow {
  readonly order: string;
  readonly member: string;
  readonly side: Side;
  readonly limit: PricePerKwh;
  readonly energy: Wh;
  readonly time: number;
}

export const ORDER_COLUMNS = ['order', 'member', 'side', 'limit_price_per_kwh', 'energy_wh', 'time'] as const;

type Column = (typeof ORDER_COLUMNS)[number];

const MOST_COMPLAINTS = 20;

/**
 * Reads a file of orders: CSV in UTF-8 with a header, columns in any order. `path` only names it in messages; `tick` is
 * in micro-currency per kWh. A row that repeats (order, member) is kept: the market decides what it is.
 * @throws Fault CONFIG_INVALID with one `file:line:column place: what is wrong` per line
 */
export function parseOrdersCsv(text: string, path: string, tick: number): OrderRow[] {
  const file = new OrderFile(path, tick);
  const lines = text.replace(/^\uFEFF/, '').split('\n');
  const first = lines.findIndex((line) => line.trim() !== '');
  file.readHeader(lines[first] ?? '', Math.max(0, first));
  for (let at = first + 1; at < lines.length && file.complaints.length < MOST_COMPLAINTS; at += 1) {
    const line = lines[at] ?? '';
    if (line.trim() !== '') file.readRow(line.endsWith('\r') ? line.slice(0, -1) : line, at);
  }
  file.refuseIfWrong();
  return file.rows;
}

class OrderFile {
  readonly rows: OrderRow[] = [];
  readonly complaints: string[] = [];
  readonly #path: string;
  readonly #tick: number;
  readonly #byTime = new Map<number, { readonly row: OrderRow; readonly line: number }>();
  #columns: readonly Column[] = [];

  constructor(path: string, tick: number) {
    this.#path = path;
    this.#tick = tick;
  }

  readHeader(line: string, at: number): void {
    const names = splitRecord(line) ?? [line];
    const expected = `the first line must name the columns ${ORDER_COLUMNS.join(',')}`;
    if (line.trim() === '') this.#complain(at, 1, `the file is empty; ${expected}`);
    else if (!names.some(isColumn)) {
      const separator = /[;\t]/.exec(line)?.[0];
      const cause =
        separator === undefined ? 'there is no header' : `columns are separated by commas, not "${separator}"`;
      this.#complain(at, 1, `${cause}; ${expected}`);
    } else this.#checkNames(names, line, at);
    this.refuseIfWrong();
    this.#columns = names.filter(isColumn);
  }

  #checkNames(names: readonly string[], line: string, at: number): void {
    names.forEach((name, field) => {
      const column = columnOfField(line, field);
      const fix = didYouMean(name, ORDER_COLUMNS) || `; known are ${ORDER_COLUMNS.join(', ')}`;
      if (!isColumn(name)) this.#complain(at, column, `unknown column "${name}"${fix}`);
      else if (names.indexOf(name) !== field) this.#complain(at, column, `column ${name} is there twice`);
    });
    for (const name of ORDER_COLUMNS) {
      if (!names.includes(name)) this.#complain(at, line.trimEnd().length + 1, `column ${name} is missing`);
    }
  }

  readRow(line: string, at: number): void {
    const fields = splitRecord(line);
    const named = this.#columns.length;
    if (fields === null) this.#complain(at, line.indexOf('"') + 1, 'a quote is not closed on its line');
    else if (fields.length === named) this.#readFields(fields, line, at);
    else this.#complain(at, columnOfField(line, named), `${fields.length} fields where the header names ${named}`);
  }

  #readFields(fields: readonly string[], line: string, at: number): void {
    const texts: Partial<Record<Column, string>> = {};
    for (const [field, name] of this.#columns.entries()) texts[name] = fields[field] ?? '';
    const read = readOrder(texts, this.#tick);
    if (isOrder(read)) {
      this.#keep(read, line, at);
      return;
    }
    for (const { column, message } of read) {
      this.#complain(at, columnOfField(line, this.#columns.indexOf(column)), `${column}: ${message}`);
    }
  }

  #keep(row: OrderRow, line: string, at: number): void {
    const earlier = this.#byTime.get(row.time);
    if (earlier === undefined) this.#byTime.set(row.time, { row, line: at });
    else if (earlier.row.order !== row.order || earlier.row.member !== row.member) {
      const column = columnOfField(line, this.#columns.indexOf('time'));
      const message = `time: ${row.time} is also on line ${earlier.line + 1}; give every order its own place in the sequence`;
      this.#complain(at, column, message);
    }
    this.rows.push(row);
  }

  #complain(at: number, column: number, message: string): void {
    this.complaints.push(`${this.#path}:${at + 1}:${column} ${message}`);
  }

  refuseIfWrong(): void {
    if (this.complaints.length === 0) return;
    const shown = this.complaints.slice(0, MOST_COMPLAINTS);
    const rest = this.complaints.length >= MOST_COMPLAINTS ? ['and perhaps more: reading stopped here'] : [];
    throw new Fault('CONFIG_INVALID', [...shown, ...rest].join('\n'));
  }
}

interface Complaint {
  readonly column: Column;
  readonly message: string;
}

function isOrder(read: OrderRow | readonly Complaint[]): read is OrderRow {
  return 'order' in read;
}

function isColumn(name: string): name is Column {
  return (ORDER_COLUMNS as readonly string[]).includes(name);
}

function readOrder(row: Partial<Record<Column, string>>, tick: number): OrderRow | readonly Complaint[] {
  const { order = '', member = '' } = row;
  const side = readSide(row.side ?? '');
  const limit = readLimit(row.limit_price_per_kwh ?? '', tick);
  const energy = readEnergy(row.energy_wh ?? '');
  const time = readTime(row.time ?? '');
  const named = order !== '' && member !== '';
  if (named && !isWrong(side) && !isWrong(limit) && !isWrong(energy) && !isWrong(time)) {
    return { order, member, side, limit, energy, time };
  }
  const blank = (text: string) => (text === '' ? { wrong: 'is blank; every row needs one' } : text);
  const fields: [Column, unknown][] = [
    ['order', blank(order)],
    ['member', blank(member)],
    ['side', side],
    ['limit_price_per_kwh', limit],
    ['energy_wh', energy],
    ['time', time],
  ];
  return fields.flatMap(([column, value]) => (isWrong(value) ? [{ column, message: value.wrong }] : []));
}

interface Wrong {
  readonly wrong: string;
}

function isWrong(value: unknown): value is Wrong {
  return typeof value === 'object';
}

function readSide(text: string): Side | Wrong {
  if (text === 'buy' || text === 'sell') return text;
  return { wrong: `must be buy or sell, not "${text}"${didYouMean(text, ['buy', 'sell'])}` };
}

function readLimit(text: string, tick: number): PricePerKwh | Wrong {
  const price = parsePrice(text);
  if (price === null) {
    const plain = 'a decimal with a point, at most six places, below 2147.483648 in size, as 0.2815';
    return { wrong: `must be a price per kWh, ${plain}; not "${text}"` };
  }
  if (price % tick === 0) return price;
  const [below, above] = [formatPrice(floorToTick(price, tick)), formatPrice(ceilToTick(price, tick))];
  return { wrong: `${text} is off the tick; the nearest prices are ${below} and ${above}, or use a finer --tick` };
}

function readEnergy(text: string): Wh | Wrong {
  const energy = parseDecimal(text, 0);
  if (energy === null) return { wrong: `must be whole watt-hours without a fraction, not "${text}"` };
  if (energy <= 0) return { wrong: `must be more than 0, not ${text}; whether energy comes or goes is what side says` };
  if (energy > MAX_ORDER_WH) return { wrong: `must be at most ${MAX_ORDER_WH}, not ${text}; split the order` };
  return wh(energy);
}

function readTime(text: string): number | Wrong {
  const time = parseDecimal(text, 0);
  return time ?? { wrong: `must be a whole number, the order's place in the sequence of arrival; not "${text}"` };
}
