import { excessWh, type Wh } from '../units/energy.ts';
import type { MemberId } from '../units/identity.ts';
import type { EpochMs } from '../units/time.ts';
import type { IntervalSettlement } from './interval-settlement.ts';

/** What a member's meter showed in one interval, split for the grid operator. Allocated + rest = metered, all >= 0. */
export interface AllocationRow {
  readonly start: EpochMs;
  readonly member: MemberId;
  /** Shared inside the community, Wh. */
  readonly allocatedImport: Wh;
  readonly allocatedExport: Wh;
  /** What is left for the home's own supply contract, Wh. */
  readonly restImport: Wh;
  readonly restExport: Wh;
}

/** The rows of a settled interval of `supply: allocated`, in the order of member ids. */
export function allocationRows({ interval, positions }: IntervalSettlement): AllocationRow[] {
  return positions.map(({ member, bought, sold, imported, exported }) => ({
    start: interval.start,
    member,
    allocatedImport: bought,
    allocatedExport: sold,
    restImport: excessWh(imported, bought),
    restExport: excessWh(exported, sold),
  }));
}

const HEADER = 'start,member,allocated_import_wh,allocated_export_wh,rest_import_wh,rest_export_wh';

/** The allocation file as CSV: a header, then one line a row, `start` in ISO 8601 UTC. Every line ends in a newline. */
export function allocationCsv(rows: readonly AllocationRow[]): string {
  return [HEADER, ...rows.map(lineOf)].map((line) => `${line}\n`).join('');
}

function lineOf({ start, member, ...energies }: AllocationRow): string {
  const { allocatedImport, allocatedExport, restImport, restExport } = energies;
  return [new Date(start).toISOString(), member, allocatedImport, allocatedExport, restImport, restExport].join(',');
}
