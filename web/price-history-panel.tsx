import type { JSX } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import type { ClearingView, IntervalView } from '../src/adapters/http/api-schema.ts';
import { Empty, Panel, TableBehind, useWidth, Value } from './panel.tsx';
import { drawPrices, type PriceChart, type PricePoint } from './price-chart.ts';
import type { View } from './view.ts';

const MAX_ROWS = 24;

export function PriceHistoryPanel(view: View): JSX.Element {
  const { words, store } = view;
  const points = pointsOf(store.intervals.value, store.clearing.value);
  return (
    <Panel id="history" title={words.chartTitle} hint={words.chartHint}>
      {points === undefined ? <div class="skeleton chart-space" /> : null}
      {points?.length === 0 ? <Empty>{words.chartEmpty}</Empty> : null}
      {points !== undefined && points.length > 0 ? <Chart view={view} points={points} /> : null}
    </Panel>
  );
}

function Chart({ view, points }: { view: View; points: readonly PricePoint[] }): JSX.Element {
  const { words } = view;
  return (
    <>
      <PriceCanvas view={view} points={points} />
      <ul class="legend">
        <li class="key key-price">{words.localPrice}</li>
        <li class="key key-band">{words.tariffBand}</li>
        <li class="key key-bars">{words.tradedEnergy}</li>
      </ul>
      <History view={view} intervals={view.store.intervals.value ?? []} />
    </>
  );
}

function PriceCanvas({ view, points }: { view: View; points: readonly PricePoint[] }): JSX.Element {
  const { words, now, format } = view;
  const [ref, width] = useWidth();
  const chart = useRef<PriceChart | undefined>(undefined);
  useEffect(() => {
    if (ref.current === null || width === 0) return;
    chart.current = drawPrices(ref.current, { width, intervalMs: now.intervalMs, timezone: now.timezone, format });
    return () => chart.current?.close();
  }, [width, now.timezone, now.intervalMs, format]);
  const last = points.at(-1);
  useEffect(() => chart.current?.show(points), [points.length, last?.at, last?.settled, width, format]);
  return <div ref={ref} class="chart-space" role="img" aria-label={words.chartLabel} />;
}

function History({ view, intervals }: { view: View; intervals: readonly IntervalView[] }): JSX.Element {
  const { words, format } = view;
  const rows = intervals
    .slice(-MAX_ROWS)
    .reverse()
    .map((each) => [
      format.time(each.interval),
      each.pricePerKwh === null ? (
        words.noTrade
      ) : (
        <Value raw={each.pricePerKwh}>{format.price(each.pricePerKwh)}</Value>
      ),
      <Value raw={each.tradedWh}>{format.energy(each.tradedWh)}</Value>,
      <Value raw={each.balancedWh}>{format.energy(each.balancedWh)}</Value>,
      <Value raw={each.deliveredWh}>{format.energy(each.deliveredWh)}</Value>,
      each.settledBlock === null ? words.pending : words.settledIn(String(each.settledBlock)),
    ]);
  const { interval, price, traded, balanced, delivered, settled } = words;
  return (
    <TableBehind
      caption={words.chartTable}
      columns={[interval, price, traded, balanced, delivered, settled]}
      rows={rows}
    />
  );
}

/** The intervals, and behind them what is cleared and not yet settled. */
function pointsOf(
  intervals: readonly IntervalView[] | undefined,
  clearing: ClearingView | null | undefined,
): PricePoint[] | undefined {
  if (intervals === undefined) return undefined;
  const points = intervals.map((each) => ({ ...pointOf(each), settled: each.settledBlock !== null }));
  const last = points.at(-1)?.at ?? Number.NEGATIVE_INFINITY;
  return clearing && clearing.interval > last ? [...points, { ...pointOf(clearing), settled: false }] : points;
}

function pointOf(view: IntervalView | ClearingView): Omit<PricePoint, 'settled'> {
  return {
    at: view.interval,
    price: view.pricePerKwh,
    feedIn: view.exportPerKwh,
    retail: view.importPerKwh,
    tradedWh: view.tradedWh,
  };
}
