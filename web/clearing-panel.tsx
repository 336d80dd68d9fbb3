import type { JSX } from 'preact';
import type { ClearingView } from '../src/adapters/http/api-schema.ts';
import { Empty, Panel, TableBehind, useWidth, Value } from './panel.tsx';
import { areaPath, type Frame, frameOf, stepPath } from './step-curve.ts';
import type { View } from './view.ts';

export function ClearingPanel(view: View): JSX.Element {
  const { words, store, format } = view;
  const clearing = store.clearing.value;
  const hint = clearing ? words.clearingHint(format.time(clearing.interval)) : undefined;
  return (
    <Panel id="clearing" title={words.clearingTitle} hint={hint}>
      {clearing === undefined ? <div class="skeleton chart-space" /> : null}
      {clearing === null ? <Empty>{words.clearingEmpty}</Empty> : null}
      {clearing ? <Cleared view={view} clearing={clearing} /> : null}
    </Panel>
  );
}

function Cleared({ view, clearing }: { view: View; clearing: ClearingView }): JSX.Element {
  const { words, format } = view;
  const rows = [
    ...clearing.demand.map((step) => ({ ...step, side: words.demand })),
    ...clearing.supply.map((step) => ({ ...step, side: words.supply })),
  ].map(({ side, pricePerKwh, energyWh }) => [
    side,
    <Value raw={pricePerKwh}>{format.price(pricePerKwh)}</Value>,
    <Value raw={energyWh}>{format.energy(energyWh)}</Value>,
  ]);
  if (rows.length === 0) return <Empty>{words.clearingNoOrders}</Empty>;
  return (
    <>
      <Curves view={view} clearing={clearing} />
      {clearing.pricePerKwh === null ? null : (
        <ul class="legend">
          <li class="key key-demand">{words.buyersKeep}</li>
          <li class="key key-supply">{words.sellersGain}</li>
        </ul>
      )}
      <p class="why">{clearing.why}</p>
      <TableBehind caption={words.clearingTable} columns={[words.side, words.limit, words.energy]} rows={rows} />
    </>
  );
}

function Curves({ view, clearing }: { view: View; clearing: ClearingView }): JSX.Element {
  const { words, format } = view;
  const [ref, width] = useWidth();
  const { pricePerKwh: price, tradedWh } = clearing;
  const label =
    price === null ? words.clearingLabelNone : words.clearingLabel(format.price(price), format.energy(tradedWh));
  const frame = frameOf(clearing, width);
  return (
    <div ref={ref} class="chart-space">
      {width === 0 ? null : (
        <svg class="curves" width={width} height={frame.height} role="img" aria-label={label}>
          <Axes view={view} clearing={clearing} frame={frame} />
          {price === null ? null : <Gains view={view} clearing={clearing} frame={frame} price={Number(price)} />}
          <path class="curve curve-demand" d={stepPath(clearing.demand, frame)} />
          <path class="curve curve-supply" d={stepPath(clearing.supply, frame)} />
          <CurveNames view={view} clearing={clearing} frame={frame} />
          {price === null ? null : <Meeting view={view} frame={frame} clearing={clearing} price={price} />}
        </svg>
      )}
    </div>
  );
}

/** A curve shorter than this, in pixels, has its name beside it instead of above. */
const SHORT_CURVE = 200;

interface PartProps {
  readonly view: View;
  readonly clearing: ClearingView;
  readonly frame: Frame;
}

function Axes({ view, clearing, frame }: PartProps): JSX.Element {
  const { format } = view;
  const { left, right, bottom, x, y } = frame;
  return (
    <g class="axes">
      {[clearing.exportPerKwh, clearing.importPerKwh].map((price) => (
        <g key={price}>
          <line x1={left} x2={right} y1={y(Number(price))} y2={y(Number(price))} class="axis-edge" />
          <text x={left - 8} y={y(Number(price)) + 4} class="axis-y">
            {format.price(price)}
          </text>
        </g>
      ))}
      <line x1={left} x2={right} y1={bottom} y2={bottom} class="axis-line" />
      {frame.ticksWh.map((wh) => (
        <text key={wh} x={x(wh)} y={bottom + 18} class="axis-x">
          {format.energyShort(wh)}
        </text>
      ))}
    </g>
  );
}

/** What each side keeps by trading here: the areas between the curves and the price. */
function Gains({ clearing, frame, price }: PartProps & { price: number }): JSX.Element {
  return (
    <>
      <path class="gain gain-demand" d={areaPath(clearing.demand, clearing.tradedWh, price, frame)} />
      <path class="gain gain-supply" d={areaPath(clearing.supply, clearing.tradedWh, price, frame)} />
    </>
  );
}

function CurveNames({ view, clearing, frame }: PartProps): JSX.Element {
  const { words } = view;
  const firstDemand = clearing.demand[0];
  const lastSupply = clearing.supply.at(-1);
  const { left, x, y } = frame;
  const supplyEnd = x(clearing.supply.reduce((sum, { energyWh }) => sum + energyWh, 0));
  const isShort = supplyEnd - left < SHORT_CURVE;
  return (
    <>
      {firstDemand ? (
        <text x={left + 10} y={y(Number(firstDemand.pricePerKwh)) - 9} class="curve-name name-demand">
          {words.demand}
        </text>
      ) : null}
      {lastSupply ? (
        <text
          x={isShort ? supplyEnd + 10 : supplyEnd}
          y={y(Number(lastSupply.pricePerKwh)) + (isShort ? 5 : -10)}
          class={`curve-name name-supply ${isShort ? '' : 'end'}`}
        >
          {words.supply}
        </text>
      ) : null}
    </>
  );
}

function Meeting({ view, frame, clearing, price }: PartProps & { price: string }): JSX.Element {
  const { format, words } = view;
  const [px, py] = [frame.x(clearing.tradedWh), frame.y(Number(price))];
  const text = `${format.price(price)} ${words.perKwh(format.currencySign)}`;
  const width = text.length * 7.6 + 20;
  const tagX = Math.max(frame.left + 4, Math.min(frame.right - width, px + 14));
  /** Below the point where the name of the demand curve stands above it. */
  const tagY = py < frame.top + 40 ? py + 12 : py - 38;
  return (
    <g class="meeting">
      <line x1={frame.left} x2={px} y1={py} y2={py} />
      <line x1={px} x2={px} y1={py} y2={frame.bottom} />
      <circle cx={px} cy={py} r="7" />
      <g transform={`translate(${tagX} ${tagY})`}>
        <rect width={width} height="26" rx="13" />
        <text x={width / 2} y="18" data-name="clearing-price" data-value={price}>
          {text}
        </text>
      </g>
    </g>
  );
}
