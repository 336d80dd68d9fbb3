import uPlot from 'uplot';
import type { Format } from './format.ts';

/** One interval of the chart. Prices as the API's decimal texts; only pixels are computed from them. */
export interface PricePoint {
  readonly at: number;
  readonly price: string | null;
  readonly feedIn: string;
  readonly retail: string;
  readonly tradedWh: number;
  readonly settled: boolean;
}

export interface PriceChart {
  show(points: readonly PricePoint[]): void;
  close(): void;
}

interface ChartOptions {
  readonly width: number;
  readonly intervalMs: number;
  readonly timezone: string;
  readonly format: Format;
}

const SECOND_MS = 1000;
/** Distances of the times under the chart, after one interval. */
const HOURS = [0.5, 1, 2, 3, 6, 12, 24, 48, 168];
const TALL = 280;
const SHORT = 230;
const NARROW = 480;
/** Bars stay in the lower third, below the line. */
const BAR_HEADROOM = 3.2;

/** A step line of prices inside the band of the tariff, over bars of energy. It follows the colours of the page. */
export function drawPrices(parent: HTMLElement, options: ChartOptions): PriceChart {
  let points: readonly PricePoint[] = [];
  let plot = create(parent, options, points);
  const redraw = () => {
    plot.destroy();
    plot = create(parent, options, points);
  };
  const stop = onColoursChange(redraw);
  return {
    show: (next) => {
      points = next;
      plot.setData(dataOf(points, options.intervalMs));
    },
    close: () => {
      stop();
      plot.destroy();
    },
  };
}

function create(parent: HTMLElement, options: ChartOptions, points: readonly PricePoint[]): uPlot {
  const colour = coloursOf(parent);
  const readout = createReadout(parent, options);
  const { stepped, bars } = uPlot.paths;
  const steps = stepped?.({ align: 1 });
  const step = steps === undefined ? {} : { paths: steps };
  const columns = bars?.({ size: [0.78, 40], align: 1, radius: 0.15 });
  const line = (stroke: string, width: number, dash?: number[]): uPlot.Series => ({
    ...step,
    stroke,
    width,
    scale: 'price',
    points: { show: false },
    ...(dash === undefined ? {} : { dash }),
  });
  return new uPlot(
    {
      width: options.width,
      height: options.width < NARROW ? SHORT : TALL,
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * SECOND_MS), options.timezone),
      legend: { show: false },
      cursor: { y: false, points: { show: false }, drag: { x: false, y: false } },
      padding: [12, 22, 0, 0],
      scales: {
        x: { time: true },
        price: { range: priceRange },
        energy: { range: (_, __, max) => [0, max * BAR_HEADROOM || 1] },
      },
      axes: axesOf(colour, options),
      series: [
        {},
        {
          scale: 'energy',
          stroke: 'transparent',
          fill: colour('--bars'),
          points: { show: false },
          ...(columns ? { paths: columns } : {}),
        },
        line(colour('--muted'), 1.5, [6, 5]),
        line(colour('--muted'), 1.5, [2, 4]),
        line(colour('--accent'), 3),
      ],
      bands: [{ series: [2, 3], fill: colour('--band') }],
      hooks: { setCursor: [readout.follow], setData: [readout.follow], destroy: [readout.remove] },
    },
    dataOf(points, options.intervalMs),
    parent,
  );
}

function axesOf(colour: (name: string) => string, { format, intervalMs }: ChartOptions): uPlot.Axis[] {
  const font = '12px system-ui, sans-serif';
  const common = { stroke: colour('--muted'), font, ticks: { show: false } };
  return [
    {
      ...common,
      grid: { show: false },
      space: 64,
      incrs: [intervalMs / SECOND_MS, ...HOURS.map((hours) => hours * 3600)],
      size: 32,
      values: (_, seconds) => seconds.map((at) => format.time(at * SECOND_MS)),
    },
    {
      ...common,
      scale: 'price',
      size: 52,
      space: 44,
      grid: { stroke: colour('--rule'), width: 1 },
      values: (_, prices) => prices.map((price) => format.price(price.toFixed(2)).replace(/0$/, '')),
    },
  ];
}

/** From a little below the lowest to a little above the highest. */
function priceRange(_plot: uPlot, low: number | null, high: number | null): uPlot.Range.MinMax {
  if (low === null || high === null) return [0, 1];
  const margin = (high - low || 0.1) * 0.12;
  return [Math.min(low - margin, 0), high + margin];
}

/** A step needs an end: the last point is repeated where its interval ends. */
function dataOf(points: readonly PricePoint[], intervalMs: number): uPlot.AlignedData {
  const last = points.at(-1);
  const drawn = last === undefined ? [] : [...points, { ...last, at: last.at + intervalMs }];
  const bars = drawn.map(({ tradedWh }, index) => (index === drawn.length - 1 ? null : tradedWh));
  return [
    drawn.map(({ at }) => at / SECOND_MS),
    bars,
    drawn.map(({ retail }) => Number(retail)),
    drawn.map(({ feedIn }) => Number(feedIn)),
    drawn.map(({ price }) => (price === null ? null : Number(price))),
  ];
}

/** One line of words for the interval under the pointer, or the latest. */
function createReadout(parent: HTMLElement, { format }: ChartOptions) {
  const line = document.createElement('p');
  line.className = 'readout';
  parent.append(line);
  const follow = (plot: uPlot) => {
    const [times, energies, , , prices] = plot.data;
    const last = (times?.length ?? 0) - 2;
    const index = Math.min(plot.cursor.idx ?? last, last);
    const [at, price, energy] = [times?.[index], prices?.[index], energies?.[index]];
    if (at === undefined) return;
    const words = price == null ? '–' : `${format.price(String(price))} ${format.currencySign}/kWh`;
    line.textContent = `${format.time(at * SECOND_MS)}  ·  ${words}  ·  ${format.energy(energy ?? 0)}`;
  };
  return { follow, remove: () => line.remove() };
}

/** A custom property as a colour that a canvas understands. */
function coloursOf(element: HTMLElement): (name: string) => string {
  return (name) => {
    element.style.color = `var(${name})`;
    const { color } = getComputedStyle(element);
    element.style.removeProperty('color');
    return color;
  };
}

function onColoursChange(react: () => void): () => void {
  const system = matchMedia('(prefers-color-scheme: dark)');
  system.addEventListener('change', react);
  const chosen = new MutationObserver(react);
  chosen.observe(document.documentElement, { attributeFilter: ['data-theme'] });
  return () => {
    system.removeEventListener('change', react);
    chosen.disconnect();
  };
}
