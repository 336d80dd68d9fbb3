import type { ClearingView } from '../src/adapters/http/api-schema.ts';

type Step = ClearingView['demand'][number];

/** The plane of a clearing in pixels: energy to the right, price upward. */
export interface Frame {
  readonly left: number;
  readonly right: number;
  readonly bottom: number;
  readonly top: number;
  readonly height: number;
  readonly ticksWh: readonly number[];
  x(wh: number): number;
  y(price: number): number;
}

const TALL = 300;
const MARGIN = { top: 26, right: 14, bottom: 30, left: 52 };
const PRICE_MARGIN = 0.14;

export function frameOf(clearing: ClearingView, width: number): Frame {
  const total = (steps: readonly Step[]) => steps.reduce((sum, { energyWh }) => sum + energyWh, 0);
  const span = Math.max(total(clearing.demand), total(clearing.supply), 1) * 1.04;
  const prices = [...clearing.demand, ...clearing.supply].map(({ pricePerKwh }) => Number(pricePerKwh));
  const lowest = Math.min(Number(clearing.exportPerKwh), ...prices);
  const highest = Math.max(Number(clearing.importPerKwh), ...prices);
  const pad = (highest - lowest || 0.1) * PRICE_MARGIN;
  const [left, right, bottom] = [MARGIN.left, Math.max(width - MARGIN.right, MARGIN.left + 1), TALL - MARGIN.bottom];
  const rise = bottom - MARGIN.top;
  return {
    left,
    right,
    bottom,
    top: MARGIN.top,
    height: TALL,
    ticksWh: ticksOf(span, right - left),
    x: (wh) => left + (wh / span) * (right - left),
    y: (price) => bottom - ((price - lowest + pad) / (highest - lowest + 2 * pad)) * rise,
  };
}

/** A staircase from the left edge: each step as wide as its energy, then up or down to the next. */
export function stepPath(steps: readonly Step[], frame: Frame): string {
  const corners = cornersOf(steps);
  return corners.map(({ wh, price }, index) => `${index === 0 ? 'M' : 'L'}${frame.x(wh)} ${frame.y(price)}`).join('');
}

/** Between a staircase and the price, as far as was traded. */
export function areaPath(steps: readonly Step[], tradedWh: number, price: number, frame: Frame): string {
  const upTo = cornersOf(steps).map((corner) => ({ ...corner, wh: Math.min(corner.wh, tradedWh) }));
  const outline = [
    ...upTo.filter(({ reach }) => reach <= tradedWh),
    { wh: tradedWh, price, reach: 0 },
    { wh: 0, price, reach: 0 },
  ];
  if (upTo.length === 0) return '';
  return `${outline.map(({ wh, price: at }, index) => `${index === 0 ? 'M' : 'L'}${frame.x(wh)} ${frame.y(at)}`).join('')}Z`;
}

/** `reach`: where the step that a corner belongs to begins. */
function cornersOf(steps: readonly Step[]): { wh: number; price: number; reach: number }[] {
  let start = 0;
  return steps.flatMap(({ pricePerKwh, energyWh }) => {
    const [price, reach] = [Number(pricePerKwh), start];
    start += energyWh;
    return [
      { wh: reach, price, reach },
      { wh: start, price, reach },
    ];
  });
}

/** Round energies, as many as fit. */
function ticksOf(span: number, width: number): number[] {
  const wanted = span / Math.max(2, Math.floor(width / 110));
  const power = 10 ** Math.floor(Math.log10(wanted));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((size) => size >= wanted) ?? wanted;
  const ticks: number[] = [];
  for (let wh = 0; wh <= span; wh += Math.max(1, Math.round(step))) ticks.push(wh);
  return ticks;
}
