import type { IntervalView, NowView } from '../../adapters/http/api-schema.ts';
import type { EpochMs } from '../../domain/units/time.ts';

/** Where the parts of the street listen. */
export interface StreetUrls {
  readonly dashboard: string;
  readonly broker: string;
  readonly ledger: string;
}

/** How the street is told: one calm line per interval, or one JSON object. An empty text is not told. */
export interface Narrator {
  /** `continuedAt`: the market time at which an earlier run of this street was left; null for a new street. */
  opened(urls: StreetUrls, continuedAt: EpochMs | null): string;
  interval(interval: IntervalView): string;
  summary(now: NowView, intervals: readonly IntervalView[]): string;
}

export interface Telling {
  readonly homes: number;
  readonly speed: number;
  readonly seed: number;
  readonly interlock: boolean;
  readonly timezone: string;
  readonly currency: string;
}

export function jsonNarrator(telling: Telling): Narrator {
  return {
    opened: () => '',
    interval: (view) =>
      JSON.stringify({ ...view, interval: new Date(view.interval).toISOString(), interlock: telling.interlock }),
    summary: (now, intervals) =>
      JSON.stringify({ intervals: intervals.length, ...totals(intervals), conservation: now.conservation }),
  };
}

export function lineNarrator(telling: Telling): Narrator {
  const clock = new Intl.DateTimeFormat('en-GB', { timeZone: telling.timezone, hour: '2-digit', minute: '2-digit' });
  const time = (at: number) => clock.format(at);
  return {
    opened: (urls, continuedAt) => [...opening(telling, urls, continuedAt, time), '', heading(telling)].join('\n'),
    interval: (view) => row(cellsOf(view, time, telling.currency), telling),
    summary: (now, intervals) => summarySentence(now, intervals, telling.currency),
  };
}

function opening(
  { homes, speed, seed }: Telling,
  { dashboard, broker, ledger }: StreetUrls,
  continuedAt: EpochMs | null,
  time: (at: number) => string,
): string[] {
  return [
    `Elm Street: ${homes} homes trade at ${speed} times the speed of the sun (seed ${seed}).`,
    ...(continuedAt === null ? [] : [`It goes on at ${time(continuedAt)}, where it was left.`]),
    '',
    `  dashboard  ${dashboard}`,
    `  broker     ${broker}`,
    `  ledger     ${ledger}`,
    `  stop       Ctrl-C; the same command goes on from there`,
  ];
}

/** Widths of the columns; the first is flush left. */
const WIDTHS = [13, 12, 9, 9, 9, 12];

function heading(telling: Telling): string {
  return row(['interval', 'price', 'traded', 'balanced', 'delivered', 'ledger'], telling);
}

function row(cells: readonly string[], { interlock }: Telling): string {
  const placed = cells.map((cell, column) =>
    column === 0 ? cell.padEnd(WIDTHS[0] ?? 0) : cell.padStart(WIDTHS[column] ?? 0),
  );
  return `  ${placed.join('  ')}${interlock ? '' : '  NO INTERLOCK'}`;
}

function cellsOf(view: IntervalView, time: (at: number) => string, currency: string): string[] {
  const { interval, pricePerKwh, tradedWh, balancedWh, deliveredWh, settledBlock } = view;
  return [
    `${time(interval)} - ${time(interval + 900_000)}`,
    pricePerKwh === null ? 'no trade' : `${pricePerKwh} ${currency}`,
    `${tradedWh} Wh`,
    `${balancedWh} Wh`,
    `${deliveredWh} Wh`,
    `block ${settledBlock}`,
  ];
}

function summarySentence({ conservation }: NowView, intervals: readonly IntervalView[], currency: string): string {
  const { tradedWh, deliveredWh } = totals(intervals);
  const { energyWh, money } = conservation;
  const sums =
    energyWh === '0' && money === '0'
      ? 'the books and the feeder meter agree: every sum is zero'
      : `THE SUMS ARE NOT ZERO: ${energyWh} Wh, ${money} ${currency}. Some meter does not show what flowed; --fresh forgets this street`;
  const count = intervals.length === 1 ? '1 interval' : `${intervals.length} intervals`;
  return `\n${count} settled, ${tradedWh} Wh traded, ${deliveredWh} Wh delivered; ${sums}.`;
}

function totals(intervals: readonly IntervalView[]) {
  const sum = (pick: (view: IntervalView) => number) => intervals.reduce((total, view) => total + pick(view), 0);
  return {
    tradedWh: sum(({ tradedWh }) => tradedWh),
    balancedWh: sum(({ balancedWh }) => balancedWh),
    deliveredWh: sum(({ deliveredWh }) => deliveredWh),
  };
}
