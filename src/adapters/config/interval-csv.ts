import type { IntervalLengthMs } from '../../domain/units/interval.ts';
import { type EpochMs, epochMs, formatUtc, parseUtc } from '../../domain/units/time.ts';
import { Fault } from '../../errors/fault.ts';
import { readText } from './load-yaml.ts';
import { didYouMean } from './nearest-name.ts';

/** A column: its cell as a number, or the sentence that says what is wrong with it. */
export interface CsvColumn {
  readonly name: string;
  readonly optional?: boolean;
  readonly parse: (cell: string) => number | string;
}

/** A gapless series: row n is the interval that starts at `start + n x lengthMs`. */
export interface IntervalTable {
  readonly start: EpochMs;
  readonly lengthMs: IntervalLengthMs;
  readonly rows: number;
  /** Per column of the request, in its order; an optional column that is not there is null. */
  readonly columns: readonly (Float64Array | null)[];
}

/** Instants as text, remembered over files: the rows of a community share theirs. */
export type InstantCache = Map<string, EpochMs | null>;

/**
 * A CSV with a header, `start` first (ISO-8601 UTC), one row per interval without gap.
 * @throws Fault FILE_UNREADABLE, or CONFIG_INVALID with `file:line:column`
 */
export function readIntervalCsv(
  path: string,
  lengthMs: IntervalLengthMs,
  columns: readonly CsvColumn[],
  instants: InstantCache,
): IntervalTable {
  const lines = readText(path).split('\n');
  while (lines.length > 1 && lines.at(-1)?.trim() === '') lines.pop();
  const place = { path, lengthMs, instants };
  const positions = readHeader(place, cells(lines[0] ?? ''), columns);
  const values = columns.map((_, at) => (positions[at] === -1 ? null : new Float64Array(lines.length - 1)));
  if (lines.length < 2) throw wrong(place, 2, 1, 'no rows: one per interval is needed');
  const width = cells(lines[0] ?? '').length;
  let start: EpochMs | null = null;
  for (let row = 0; row < lines.length - 1; row += 1) {
    const line = cells(lines[row + 1] ?? '');
    if (line.length !== width) throw wrong(place, row + 2, 1, `${line.length} cells where the header has ${width}`);
    const at = readStart(place, line[0] ?? '', row, start);
    start ??= at;
    readRow(place, row, line, columns, positions, values);
  }
  return { start: start ?? epochMs(0), lengthMs, rows: lines.length - 1, columns: values };
}

interface Place {
  readonly path: string;
  readonly lengthMs: IntervalLengthMs;
  readonly instants: InstantCache;
}

function cells(line: string): string[] {
  return line.replace(/\r$/, '').split(',');
}

function readHeader(place: Place, header: readonly string[], columns: readonly CsvColumn[]): number[] {
  const names = header.map((cell) => cell.trim());
  const known = ['start', ...columns.map(({ name }) => name)];
  if (names[0] !== 'start') throw wrong(place, 1, 1, `the first column must be "start"; expected ${known.join(',')}`);
  names.forEach((name, at) => {
    if (!known.includes(name)) {
      throw wrong(place, 1, columnOf(header, at), `unknown column "${name}"${didYouMean(name, known)}`);
    }
    if (names.indexOf(name) !== at) throw wrong(place, 1, columnOf(header, at), `column "${name}" comes twice`);
  });
  const absent = columns.find(({ name, optional }) => optional !== true && !names.includes(name));
  if (absent !== undefined) throw wrong(place, 1, 1, `column "${absent.name}" is missing`);
  return columns.map(({ name }) => names.indexOf(name));
}

function readStart(place: Place, cell: string, row: number, first: EpochMs | null): EpochMs {
  const known = place.instants.get(cell);
  const at = known === undefined ? parseUtc(cell.trim()) : known;
  if (known === undefined) place.instants.set(cell, at);
  const line = row + 2;
  if (at === null) throw wrong(place, line, 1, `"${cell}" is no UTC time like 2021-02-14T23:00Z`);
  if (first === null) {
    if (at % place.lengthMs === 0) return at;
    throw wrong(place, line, 1, `${cell} is not on a boundary of ${place.lengthMs / 60_000} minutes`);
  }
  const expected = epochMs(first + row * place.lengthMs);
  if (at !== expected) throw wrong(place, line, 1, `${cell}: ${orderProblem(at, expected, place.lengthMs)}`);
  return at;
}

function orderProblem(at: number, expected: EpochMs, lengthMs: number): string {
  const wanted = `expected ${formatUtc(expected)}`;
  if (at === expected - lengthMs) return `the same interval twice; ${wanted}`;
  if (at < expected) return `earlier than the row before; sort the rows by start; ${wanted}`;
  if (at % lengthMs !== 0) return `not on a boundary of ${lengthMs / 60_000} minutes; ${wanted}`;
  return `a gap, ${(at - expected) / lengthMs} interval(s) are missing; ${wanted}`;
}

function readRow(
  place: Place,
  row: number,
  line: readonly string[],
  columns: readonly CsvColumn[],
  positions: readonly number[],
  values: readonly (Float64Array | null)[],
): void {
  for (let at = 0; at < columns.length; at += 1) {
    const [column, target, position] = [columns[at], values[at], positions[at] ?? -1];
    if (column === undefined || !target) continue;
    const value = column.parse(line[position] ?? '');
    if (typeof value === 'string') throw wrong(place, row + 2, columnOf(line, position), `${column.name}: ${value}`);
    target[row] = value;
  }
}

/** The character at which a cell begins. */
function columnOf(line: readonly string[], position: number): number {
  return 1 + line.slice(0, position).reduce((sum, cell) => sum + cell.length + 1, 0);
}

function wrong({ path }: Place, line: number, column: number, message: string): Fault {
  return new Fault('CONFIG_INVALID', `${path}:${line}:${column} ${message}`);
}
