import type { IntervalView, NowView } from '../../adapters/http/api-schema.ts';

/** How the street is told: one calm line per interval, or one JSON object. */
export interface Narrator {
  opened(url: string, ledger: string): string;
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
  const time = new Intl.DateTimeFormat('en-GB', { timeZone: telling.timezone, hour: '2-digit', minute: '2-digit' });
  const warning = telling.interlock ? '' : '  NO INTERLOCK';
  return {
    opened: (url, ledger) =>
      [
        `Elm Street: ${telling.homes} homes trade at ${telling.speed} times the speed of the sun (seed ${telling.seed}).`,
        `Watch them: ${url}    ledger: ${ledger}    stop: Ctrl-C`,
        '',
        `   interval       price       traded   balanced  delivered   ledger${warning}`,
      ].join('\n'),
    interval: (view) => `${line(view, time, telling.currency)}${warning}`,
    summary: (now, intervals) => summarySentence(now, intervals),
  };
}

function line(view: IntervalView, time: Intl.DateTimeFormat, currency: string): string {
  const { interval, pricePerKwh, tradedWh, balancedWh, deliveredWh, settledBlock } = view;
  const price = pricePerKwh === null ? 'no trade' : `${pricePerKwh} ${currency}`;
  const cells = [
    `${time.format(interval)} - ${time.format(interval + 900_000)}`,
    price.padStart(12),
    `${tradedWh} Wh`.padStart(10),
    `${balancedWh} Wh`.padStart(9),
    `${deliveredWh} Wh`.padStart(9),
    `block ${settledBlock}`,
  ];
  return `  ${cells.join('  ')}`;
}

function summarySentence(now: NowView, intervals: readonly IntervalView[]): string {
  const { tradedWh, deliveredWh } = totals(intervals);
  const { energyWh, money } = now.conservation;
  const sums =
    energyWh === '0' && money === '0' ? 'every sum is zero' : `THE SUMS ARE NOT ZERO: ${energyWh} Wh, ${money}`;
  return `${intervals.length} intervals settled, ${tradedWh} Wh traded, ${deliveredWh} Wh delivered; ${sums}.`;
}

function totals(intervals: readonly IntervalView[]) {
  const sum = (pick: (view: IntervalView) => number) => intervals.reduce((total, view) => total + pick(view), 0);
  return {
    tradedWh: sum(({ tradedWh }) => tradedWh),
    balancedWh: sum(({ balancedWh }) => balancedWh),
    deliveredWh: sum(({ deliveredWh }) => deliveredWh),
  };
}
