import type { IntervalLengthMs } from '../../domain/units/interval.ts';
import { parsePrice } from '../../domain/units/price.ts';
import type { EpochMs } from '../../domain/units/time.ts';
import { Fault } from '../../errors/fault.ts';
import { type CsvColumn, type InstantCache, readIntervalCsv } from './interval-csv.ts';

/** Tariff by interval, micro-currency per kWh, from `start` on without gap. */
export interface TariffSeries {
  readonly path: string;
  readonly start: EpochMs;
  readonly importPrices: Float64Array;
  readonly exportPrices: Float64Array;
}

const COLUMNS: readonly CsvColumn[] = [
  { name: 'import_per_kwh', parse: parseCell },
  { name: 'export_per_kwh', parse: parseCell },
];

/** `start,import_per_kwh,export_per_kwh`, decimals in currency. @throws Fault CONFIG_INVALID, FILE_UNREADABLE */
export function readTariffSeries(path: string, lengthMs: IntervalLengthMs, instants: InstantCache): TariffSeries {
  const { start, rows, columns } = readIntervalCsv(path, lengthMs, COLUMNS, instants);
  const [importPrices = null, exportPrices = null] = columns;
  const none = new Float64Array(rows);
  const series = { path, start, importPrices: importPrices ?? none, exportPrices: exportPrices ?? none };
  const inverted = series.importPrices.findIndex((price, row) => price <= (series.exportPrices[row] ?? 0));
  if (inverted !== -1) throw new Fault('CONFIG_INVALID', `${path}:${inverted + 2}:1 ${INVERTED_TARIFF}`);
  return series;
}

export const INVERTED_TARIFF =
  'the import price is not above the export price, so there is nothing to gain by trading; are the two swapped?';

function parseCell(cell: string): number | string {
  return (
    parsePrice(cell) ?? `"${cell.trim()}" is no price in currency per kWh with at most six decimals, such as 0.305`
  );
}
