import type { JSX } from 'preact';
import { Panel, Value } from './panel.tsx';
import type { View } from './view.ts';

const MINUTE_MS = 60_000;

export function PriceNowPanel(view: View): JSX.Element {
  const { words, now, format, store } = view;
  const clearing = store.clearing.value;
  const end = now.interval + now.intervalMs;
  return (
    <Panel id="price-now" title={words.priceTitle} hint={words.priceFor(format.time(now.interval), format.time(end))}>
      <progress
        class="progress"
        aria-label={words.progress}
        max={now.intervalMs}
        value={Math.min(now.intervalMs, now.marketTime - now.interval)}
      />
      <div class="price-row">
        <p class="price-big">
          {now.pricePerKwh === null ? (
            <span class="price-none">{words.noTrade}</span>
          ) : (
            <>
              <Value raw={now.pricePerKwh} name="price-now">
                {format.price(now.pricePerKwh)}
              </Value>
              <span class="unit">{words.perKwh(format.currencySign)}</span>
            </>
          )}
        </p>
        <dl class="facts">
          <Fact term={words.nextTraded}>{clearing ? format.time(clearing.interval) : words.none}</Fact>
          <Fact term={words.traded}>
            {clearing ? (
              <Value raw={clearing.tradedWh} name="clearing-traded">
                {format.energy(clearing.tradedWh)}
              </Value>
            ) : (
              words.none
            )}
          </Fact>
          <Fact term={words.orders}>{clearing ? format.count(clearing.orders) : words.none}</Fact>
        </dl>
      </div>
      <Band {...view} />
      {now.pricePerKwh === null ? <p class="note">{words.noTradeMeaning}</p> : null}
      {now.tariffAgeMs === null ? null : (
        <p class="note note-warn">{words.tariffAge(`${Math.floor(now.tariffAgeMs / MINUTE_MS)} min`)}</p>
      )}
    </Panel>
  );
}

function Fact({ term, children }: { term: string; children: JSX.Element | string }): JSX.Element {
  return (
    <div>
      <dt>{term}</dt>
      <dd>{children}</dd>
    </div>
  );
}

/** Where the price stands between what the utility pays and what it charges. */
function Band({ now, words, format }: View): JSX.Element {
  const [low, high] = [Number(now.exportPerKwh), Number(now.importPerKwh)];
  const place = (price: string) => Math.max(0, Math.min(100, ((Number(price) - low) / (high - low || 1)) * 100));
  const label = words.bandLabel(
    now.pricePerKwh === null ? words.none : format.price(now.pricePerKwh),
    format.price(now.exportPerKwh),
    format.price(now.importPerKwh),
  );
  return (
    <div class="band" role="img" aria-label={label}>
      <div class="band-bar">
        {now.pricePerKwh === null ? null : <span class="band-mark" style={{ left: `${place(now.pricePerKwh)}%` }} />}
      </div>
      <div class="band-ends">
        <span>
          <b data-name="feed-in">{format.price(now.exportPerKwh)}</b> {words.feedInLong}
        </span>
        <span>
          <b data-name="retail">{format.price(now.importPerKwh)}</b> {words.retailLong}
        </span>
      </div>
    </div>
  );
}
