import type { ComponentChildren, JSX } from 'preact';
import type { LedgerView } from '../src/adapters/http/api-schema.ts';
import { signum } from './format.ts';
import { Icon } from './icons.tsx';
import { Empty, Panel, Table, Value } from './panel.tsx';
import type { View } from './view.ts';

export function LedgerPanel(view: View): JSX.Element {
  const { words, now, format } = view;
  const { state, pending, lastBlock, settledIntervals } = now.ledger;
  const ledger = view.store.ledger.value;
  return (
    <Panel id="ledger" title={words.ledgerTitle} hint={words.ledgerHint}>
      <div class="ledger">
        <Seal {...view} />
        <dl class="tiles">
          <Tile term={words.state}>
            <span class={`relay relay-${state === 'ok' ? 'closed' : 'open'}`}>
              {state === 'ok' ? words.ledgerOk : words.ledgerParked}
            </span>
          </Tile>
          <Tile term={words.lastBlock}>
            {lastBlock === null ? (
              words.none
            ) : (
              <Value raw={lastBlock} name="last-block">
                {lastBlock}
              </Value>
            )}
          </Tile>
          <Tile term={words.settledIntervals}>
            <Value raw={settledIntervals} name="settled-intervals">
              {format.count(settledIntervals)}
            </Value>
          </Tile>
          <Tile term={words.waiting}>
            <Value raw={pending}>{format.count(pending)}</Value>
          </Tile>
          {ledger ? <Accounts view={view} ledger={ledger} /> : null}
        </dl>
      </div>
      {state === 'parked' ? <p class="note note-warn">{words.ledgerParkedMeaning}</p> : null}
      {ledger === undefined ? null : <Entries view={view} ledger={ledger} />}
    </Panel>
  );
}

/** The homes' books against the feeder meter: the one figure that must be nothing. */
function Seal({ words, now, format }: View): JSX.Element {
  const { energyWh, money } = now.conservation;
  const holds = signum(energyWh) === 0 && signum(money) === 0;
  return (
    <div class={`seal ${holds ? 'seal-holds' : 'seal-broken'}`}>
      <Icon name={holds ? 'seal' : 'warning'} size={44} />
      <div>
        <p class="seal-title">{holds ? words.sealTitle : words.sealBroken}</p>
        <p class="seal-sums">
          <Value raw={energyWh} name="conservation-energy">
            {energyWh} Wh
          </Value>
          <Value raw={money} name="conservation-money">
            {money} {format.currencySign}
          </Value>
        </p>
        <p class="hint">{holds ? words.sealMeaning : words.sealBrokenMeaning}</p>
      </div>
    </div>
  );
}

function Accounts({ view, ledger }: { view: View; ledger: LedgerView }): JSX.Element {
  const { words, format } = view;
  return (
    <>
      <Tile term={words.community}>
        <Value raw={ledger.community} name="community">
          {format.money(ledger.community)}
        </Value>
      </Tile>
      <Tile term={words.utility}>
        <Value raw={ledger.utility} name="utility">
          {format.money(ledger.utility)}
        </Value>
      </Tile>
    </>
  );
}

function Tile({ term, children }: { term: string; children: ComponentChildren }): JSX.Element {
  return (
    <div>
      <dt>{term}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Entries({ view, ledger }: { view: View; ledger: LedgerView }): JSX.Element {
  const { words, format } = view;
  if (ledger.entries.length === 0) return <Empty>{words.ledgerEmpty}</Empty>;
  const rows = ledger.entries
    .slice(-8)
    .reverse()
    .map(({ interval, block, transactionHash, payloadHash }) => [
      format.time(interval),
      block,
      <Hash text={transactionHash} />,
      <Hash text={payloadHash} />,
    ]);
  return (
    <Table
      caption={words.entries}
      columns={[words.interval, words.block, words.transaction, words.payload]}
      words={4}
      rows={rows}
    />
  );
}

function Hash({ text }: { text: string }): JSX.Element {
  return (
    <code title={text}>
      {text.slice(0, 8)}…{text.slice(-6)}
    </code>
  );
}
