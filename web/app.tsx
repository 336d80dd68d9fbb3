import { useComputed } from '@preact/signals';
import { type JSX, render } from 'preact';
import { useMemo } from 'preact/hooks';
import { ClearingPanel } from './clearing-panel.tsx';
import { createFormat } from './format.ts';
import { Header, LostBanner } from './header.tsx';
import { HomesPanel } from './homes-panel.tsx';
import { LedgerPanel } from './ledger-panel.tsx';
import { PowerPanel } from './power-panel.tsx';
import { PriceHistoryPanel } from './price-history-panel.tsx';
import { PriceNowPanel } from './price-now-panel.tsx';
import { openStore, type Store } from './store.ts';
import { words } from './strings.ts';
import { TradesPanel } from './trades-panel.tsx';
import type { View } from './view.ts';

function App({ store }: { store: Store }): JSX.Element {
  const text = words();
  const currency = useComputed(() => store.now.value?.currency ?? 'EUR').value;
  const timezone = useComputed(() => store.now.value?.timezone ?? 'UTC').value;
  const format = useMemo(() => createFormat(navigator.language, currency, timezone), [currency, timezone]);
  const contact = store.contact.value;
  const now = store.now.value;
  return (
    <>
      <a class="skip" href="#numbers">
        {text.skip}
      </a>
      <Header now={now} contact={contact} words={text} format={format} />
      <LostBanner contact={contact} words={text} timezone={timezone} />
      <main id="numbers" class={contact.state === 'lost' ? 'is-lost' : ''}>
        {now === undefined ? <Waiting text={text.loading} /> : <Panels view={{ store, now, words: text, format }} />}
      </main>
    </>
  );
}

function Panels({ view }: { view: View }): JSX.Element {
  return (
    <div class="panels">
      <PowerPanel {...view} />
      <PriceNowPanel {...view} />
      <PriceHistoryPanel {...view} />
      <ClearingPanel {...view} />
      <TradesPanel {...view} />
      <HomesPanel {...view} />
      <LedgerPanel {...view} />
    </div>
  );
}

function Waiting({ text }: { text: string }): JSX.Element {
  return (
    <div class="waiting" role="status">
      <div class="panels" aria-hidden="true">
        {['power', 'price-now', 'history', 'clearing'].map((name) => (
          <div key={name} class={`panel panel-${name} skeleton`} />
        ))}
      </div>
      <p>{text}</p>
    </div>
  );
}

const root = document.getElementById('app');
if (root !== null) render(<App store={openStore()} />, root);
