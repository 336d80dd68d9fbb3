import type { JSX } from 'preact';
import type { TradeView } from '../src/adapters/http/api-schema.ts';
import { Empty, Panel, TableBehind, useWidth, Value } from './panel.tsx';
import { layoutRibbons, type Ribbons } from './ribbons.ts';
import type { View } from './view.ts';

/** Beyond this many homes on a side the drawing is a tangle; the table stays. */
const MAX_SIDE = 24;

export function TradesPanel(view: View): JSX.Element {
  const { words, store, format } = view;
  const trades = store.trades.value;
  const first = trades?.[0];
  return (
    <Panel
      id="trades"
      title={words.tradesTitle}
      hint={first === undefined ? undefined : words.tradesHint(format.time(first.interval))}
    >
      {trades === undefined ? <div class="skeleton chart-space" /> : null}
      {trades?.length === 0 ? <Empty>{words.tradesEmpty}</Empty> : null}
      {trades !== undefined && trades.length > 0 ? <Traded view={view} trades={trades} /> : null}
    </Panel>
  );
}

function Traded({ view, trades }: { view: View; trades: readonly TradeView[] }): JSX.Element {
  const { words, format } = view;
  const rows = trades.map(({ seller, buyer, energyWh, pricePerKwh, amount }) => [
    seller,
    buyer,
    <Value raw={energyWh}>{format.energy(energyWh)}</Value>,
    <Value raw={pricePerKwh}>{format.price(pricePerKwh)}</Value>,
    <Value raw={amount}>{format.money(amount)}</Value>,
  ]);
  const columns = [words.seller, words.buyer, words.energy, words.price, words.amount];
  return (
    <>
      <RibbonDrawing view={view} trades={trades} />
      <TableBehind caption={words.tradesTable(format.count(trades.length))} columns={columns} rows={rows} words={2} />
    </>
  );
}

function RibbonDrawing({ view, trades }: { view: View; trades: readonly TradeView[] }): JSX.Element {
  const { words, format } = view;
  const [ref, width] = useWidth();
  const drawn = layoutRibbons(trades, width);
  const isTangle = Math.max(drawn.sellers.length, drawn.buyers.length) > MAX_SIDE;
  return (
    <div ref={ref} class="ribbons-space">
      {width === 0 || isTangle ? null : (
        <svg
          class="ribbons"
          width={width}
          height={drawn.height}
          role="img"
          aria-label={words.tradesLabel(String(trades.length))}
        >
          <text x="0" y="12" class="side-name">
            {words.seller}
          </text>
          <text x={width} y="12" class="side-name end">
            {words.buyer}
          </text>
          <Bands drawn={drawn} view={view} />
          <Ends drawn={drawn} side="sellers" energy={format.energy} />
          <Ends drawn={drawn} side="buyers" energy={format.energy} />
        </svg>
      )}
    </div>
  );
}

function Bands({ drawn, view }: { drawn: Ribbons; view: View }): JSX.Element {
  return (
    <g>
      {drawn.bands.map(({ path, seller, buyer, energyWh }) => (
        <path key={`${seller}-${buyer}-${path}`} class="ribbon" d={path}>
          <title>{`${seller} → ${buyer}: ${view.format.energy(energyWh)}`}</title>
        </path>
      ))}
    </g>
  );
}

function Ends(props: { drawn: Ribbons; side: 'sellers' | 'buyers'; energy: (wh: number) => string }): JSX.Element {
  const { drawn, side, energy } = props;
  const isSeller = side === 'sellers';
  return (
    <g class={`ends ends-${side}`}>
      {drawn[side].map(({ id, top, height, energyWh }) => (
        <g key={id}>
          <rect x={isSeller ? drawn.left - 6 : drawn.right} y={top} width="6" height={height} rx="2" />
          <text
            x={isSeller ? drawn.left - 14 : drawn.right + 14}
            y={top + height / 2 + 4}
            class={isSeller ? 'end' : ''}
          >
            {id}
            <title>{energy(energyWh)}</title>
          </text>
        </g>
      ))}
    </g>
  );
}
