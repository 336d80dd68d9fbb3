import { MAX_ORDER_WH } from '../../domain/units/energy.ts';
import type { IntervalLengthMs } from '../../domain/units/interval.ts';
import type { EpochMs } from '../../domain/units/time.ts';
import { type CsvColumn, type InstantCache, readIntervalCsv } from './interval-csv.ts';

/** What a home used and made, whole Wh per interval, from `start` on without gap. */
export interface Profile {
  readonly path: string;
  readonly start: EpochMs;
  readonly lengthMs: IntervalLengthMs;
  readonly consumption: Float64Array;
  readonly generation: Float64Array;
}

const COLUMNS: readonly CsvColumn[] = [
  { name: 'consumption_wh', parse: parseEnergy },
  { name: 'generation_wh', parse: parseEnergy },
  { name: 'heat_demand_wh', parse: parseEnergy, optional: true },
];

/** `start,consumption_wh,generation_wh[,heat_demand_wh]`. @throws Fault CONFIG_INVALID, FILE_UNREADABLE */
export function readProfile(path: string, lengthMs: IntervalLengthMs, instants: InstantCache): Profile {
  const { start, rows, columns } = readIntervalCsv(path, lengthMs, COLUMNS, instants);
  const [consumption, generation] = columns;
  const none = new Float64Array(rows);
  return { path, start, lengthMs, consumption: consumption ?? none, generation: generation ?? none };
}

const WHOLE = /^\d{1,10}$/;

function parseEnergy(cell: string): number | string {
  if (WHOLE.test(cell)) {
    const value = Number(cell);
    return value <= MAX_ORDER_WH ? value : `${cell} Wh in one interval is more than ${MAX_ORDER_WH}; is the unit Wh?`;
  }
  const text = cell.trim();
  if (WHOLE.test(text)) return parseEnergy(text);
  if (text === '') return 'the cell is empty; write 0 where nothing flowed';
  if (!Number.isFinite(Number(text))) return `"${text}" is no number`;
  if (Number(text) < 0) return `${text} is negative; consumption and generation are two columns and never negative`;
  return `${text} is not a whole number of Wh; round it, or multiply kWh by 1000`;
}
