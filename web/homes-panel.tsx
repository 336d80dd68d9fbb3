import type { ComponentChildren, JSX } from 'preact';
import type { HomeView, MemberView } from '../src/adapters/http/api-schema.ts';
import { signum } from './format.ts';
import { Icon } from './icons.tsx';
import { Panel, TableBehind, Value } from './panel.tsx';
import { FAULT_NAMES } from './strings.ts';
import type { View } from './view.ts';

type Condition = 'reporting' | 'stale' | 'offline';

export function HomesPanel(view: View): JSX.Element {
  const { words, now, store } = view;
  const accounts = new Map(store.members.value?.map((member) => [member.id, member]));
  return (
    <Panel id="homes" title={words.homesTitle} hint={words.homesHint}>
      <ul class="homes">
        {now.homes.map((home) => (
          <li key={home.id}>
            <HomeCard view={view} home={home} account={accounts.get(home.id)} />
          </li>
        ))}
      </ul>
      <Accounts view={view} members={store.members.value ?? []} />
    </Panel>
  );
}

function conditionOf({ online, stale }: HomeView): Condition {
  return online ? (stale ? 'stale' : 'reporting') : 'offline';
}

function HomeCard({
  view,
  home,
  account,
}: {
  view: View;
  home: HomeView;
  account: MemberView | undefined;
}): JSX.Element {
  const { words } = view;
  const condition = conditionOf(home);
  return (
    <article class={`home home-${condition}`} data-home={home.id} aria-label={`${home.id}, ${words[condition]}`}>
      <header>
        <h3>{home.id}</h3>
        <span class={`state state-${condition}`}>{words[condition]}</span>
      </header>
      <PowerLine view={view} home={home} />
      {condition === 'reporting' ? null : (
        <p class="home-why">{condition === 'stale' ? words.staleMeaning : words.offlineMeaning}</p>
      )}
      <HomeFacts view={view} home={home} />
      <Bill view={view} account={account} />
    </article>
  );
}

function PowerLine({ view, home }: { view: View; home: HomeView }): JSX.Element {
  const { words, format } = view;
  const { powerW } = home;
  if (powerW === null) return <p class="home-power home-power-none">{words.none}</p>;
  const verb = powerW > 0 ? words.fromStreet : powerW < 0 ? words.toStreet : words.balancedHome;
  return (
    <p class="home-power">
      <span class={`arrow ${powerW < 0 ? 'arrow-up' : 'arrow-down'}`} aria-hidden="true" />
      <Value raw={powerW} name="home-power">
        {format.power(powerW)}
      </Value>
      <span class="home-verb">{verb}</span>
    </p>
  );
}

function HomeFacts({ view, home }: { view: View; home: HomeView }): JSX.Element {
  const { words, format } = view;
  const { tradedWh } = home;
  const relay = { closed: words.relayClosed, open: words.relayOpen, unknown: words.relayUnknown }[home.relay];
  return (
    <dl class="home-facts">
      {home.pvW === null ? null : <Row term={words.sun}>{format.power(home.pvW)}</Row>}
      {home.socPermille === null ? null : (
        <Row term={words.battery}>
          <Charge permille={home.socPermille} text={format.percent(home.socPermille)} />
        </Row>
      )}
      <Row term={words.thisInterval}>
        {tradedWh === 0 ? (
          words.noTrades
        ) : (
          <Value raw={tradedWh} name="home-traded">
            {`${format.energy(Math.abs(tradedWh))} ${tradedWh > 0 ? words.bought : words.sold}`}
          </Value>
        )}
      </Row>
      <Row term={words.relay}>
        <span class={`relay relay-${home.relay}`}>{relay}</span>
      </Row>
      {home.faultCode === 0 ? null : (
        <Row term={words.fault}>
          <span class="fault">
            <Icon name="warning" size={14} />
            {words.faultCode(String(home.faultCode), FAULT_NAMES[home.faultCode] ?? '')}
          </span>
        </Row>
      )}
    </dl>
  );
}

function Row({ term, children }: { term: string; children: ComponentChildren }): JSX.Element {
  return (
    <div>
      <dt>{term}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function Charge({ permille, text }: { permille: number; text: string }): JSX.Element {
  return (
    <span class="charge">
      <span class="charge-shell" aria-hidden="true">
        <span class="charge-fill" style={{ width: `${permille / 10}%` }} />
      </span>
      {text}
    </span>
  );
}

function Bill({ view, account }: { view: View; account: MemberView | undefined }): JSX.Element {
  const { words, format } = view;
  const better = account !== undefined && signum(account.saving) > 0;
  return (
    <dl class="bill">
      <Row term={words.bill}>
        {account === undefined ? (
          words.none
        ) : (
          <Value raw={account.bill} name="bill">
            {format.money(account.bill)}
          </Value>
        )}
      </Row>
      <div title={words.savingLong}>
        <dt>{words.saving}</dt>
        <dd class={better ? 'better' : ''}>
          {account === undefined ? (
            words.none
          ) : (
            <Value raw={account.saving} name="saving">
              {format.change(account.saving)}
            </Value>
          )}
        </dd>
      </div>
    </dl>
  );
}

function Accounts({ view, members }: { view: View; members: readonly MemberView[] }): JSX.Element {
  const { words, format } = view;
  const rows = members.map((member) => [
    member.id,
    <Value raw={member.bill}>{format.money(member.bill)}</Value>,
    <Value raw={member.baseline}>{format.money(member.baseline)}</Value>,
    <Value raw={member.saving}>{format.change(member.saving)}</Value>,
    <Value raw={member.boughtWh}>{format.energy(member.boughtWh)}</Value>,
    <Value raw={member.soldWh}>{format.energy(member.soldWh)}</Value>,
    <Value raw={member.importWh}>{format.energy(member.importWh)}</Value>,
    <Value raw={member.exportWh}>{format.energy(member.exportWh)}</Value>,
    <Value raw={member.shortfallWh}>{format.energy(member.shortfallWh)}</Value>,
  ]);
  const { home, bill, baseline, saving, boughtLocal, soldLocal, imported, exported, shortfall } = words;
  const columns = [home, bill, baseline, saving, boughtLocal, soldLocal, imported, exported, shortfall];
  return <TableBehind caption={words.homesTable} columns={columns} rows={rows} />;
}
