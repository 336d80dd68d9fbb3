import type { TradeView } from '../src/adapters/http/api-schema.ts';

interface End {
  readonly id: string;
  readonly energyWh: number;
  readonly top: number;
  readonly height: number;
}

interface Band {
  readonly seller: string;
  readonly buyer: string;
  readonly energyWh: number;
  readonly path: string;
}

/** Sellers on the left, buyers on the right, a ribbon as wide as its energy for each trade. Pixels. */
export interface Ribbons {
  readonly height: number;
  readonly left: number;
  readonly right: number;
  readonly sellers: readonly End[];
  readonly buyers: readonly End[];
  readonly bands: readonly Band[];
}

const LABEL_WIDTH = 78;
const HEAD = 26;
const ENERGY_HEIGHT = 200;
/** Thin ends still leave room for a line of text. */
const ROW = 19;

export function layoutRibbons(trades: readonly TradeView[], width: number): Ribbons {
  const sold = totals(trades, 'seller');
  const bought = totals(trades, 'buyer');
  const sum = Math.max(
    1,
    trades.reduce((total, { energyWh }) => total + energyWh, 0),
  );
  const height = HEAD + ENERGY_HEIGHT + Math.max(sold.length, bought.length) * ROW;
  const [left, right] = [LABEL_WIDTH, width - LABEL_WIDTH];
  const scale = ENERGY_HEIGHT / sum;
  const sellers = stack(sold, height, scale);
  const buyers = stack(bought, height, scale);
  const leftAt = new Map(sellers.map(({ id, top }) => [id, top]));
  const rightAt = new Map(buyers.map(({ id, top }) => [id, top]));
  const order = new Map(sellers.map(({ id }, index) => [id, index]));
  const inOrder = trades.toSorted((a, b) => (order.get(a.seller) ?? 0) - (order.get(b.seller) ?? 0));
  const bands = inOrder.map(({ seller, buyer, energyWh }) => {
    const [from, to, thick] = [leftAt.get(seller) ?? 0, rightAt.get(buyer) ?? 0, energyWh * scale];
    leftAt.set(seller, from + thick);
    rightAt.set(buyer, to + thick);
    return { seller, buyer, energyWh, path: ribbonPath(left, right, from, to, thick) };
  });
  return { height, left, right, sellers, buyers, bands };
}

/** Ends spread evenly over the height, the largest on top. */
function stack(ends: readonly [id: string, energyWh: number][], height: number, scale: number): End[] {
  const gap = (height - HEAD - ENERGY_HEIGHT) / Math.max(1, ends.length);
  let top = HEAD + gap / 2;
  return ends.map(([id, energyWh]) => {
    const end = { id, energyWh, top, height: Math.max(1.5, energyWh * scale) };
    top += energyWh * scale + gap;
    return end;
  });
}

function totals(trades: readonly TradeView[], side: 'seller' | 'buyer'): [string, number][] {
  const sums = new Map<string, number>();
  for (const trade of trades) sums.set(trade[side], (sums.get(trade[side]) ?? 0) + trade.energyWh);
  return [...sums].sort(([idA, a], [idB, b]) => b - a || (idA < idB ? -1 : 1));
}

function ribbonPath(left: number, right: number, from: number, to: number, thick: number): string {
  const middle = (left + right) / 2;
  return (
    `M${left} ${from}C${middle} ${from} ${middle} ${to} ${right} ${to}` +
    `V${to + thick}C${middle} ${to + thick} ${middle} ${from + thick} ${left} ${from + thick}Z`
  );
}
