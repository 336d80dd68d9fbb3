import type { JSX } from 'preact';
import { useState } from 'preact/hooks';
import type { NowView } from '../src/adapters/http/api-schema.ts';
import type { Contact } from './events.ts';
import type { Format } from './format.ts';
import { Icon } from './icons.tsx';
import type { Words } from './strings.ts';

interface HeaderProps {
  readonly now: NowView | undefined;
  readonly contact: Contact;
  readonly words: Words;
  readonly format: Format;
}

export function Header({ now, contact, words, format }: HeaderProps): JSX.Element {
  return (
    <header class="top">
      <div class="brand">
        <img src="/icon.svg" alt="" width="40" height="40" />
        <div>
          <h1>{now?.name ?? 'energy-logic'}</h1>
          <p class="hint">{words.subtitle}</p>
        </div>
      </div>
      {now === undefined ? null : <MarketClock now={now} words={words} format={format} />}
      <div class="top-end">
        {now === undefined ? null : <Badges now={now} words={words} />}
        <ContactMark contact={contact} words={words} />
        <ThemeSwitch words={words} />
      </div>
    </header>
  );
}

function MarketClock({ now, words, format }: { now: NowView; words: Words; format: Format }): JSX.Element {
  return (
    <div class="clock">
      <time class="clock-time" dateTime={new Date(now.marketTime).toISOString()} title={words.marketTime}>
        <span class="visually-hidden">{words.marketTime} </span>
        {format.time(now.marketTime)}
      </time>
      <span class="hint">{format.day(now.marketTime)}</span>
    </div>
  );
}

function Badges({ now, words }: { now: NowView; words: Words }): JSX.Element {
  return (
    <ul class="badges">
      {now.heldFor.length > 0 ? <li class="badge badge-warn">{words.held(now.heldFor.join(', '))}</li> : null}
      <li class="badge">{now.speed === 1 ? words.realTime : words.speed(String(now.speed))}</li>
      {now.mode === 'paper' ? <li class="badge badge-warn">{words.paper}</li> : null}
      {now.interlock ? null : <li class="badge badge-warn">{words.noInterlock}</li>}
    </ul>
  );
}

function ContactMark({ contact, words }: { contact: Contact; words: Words }): JSX.Element {
  const text = { live: words.live, connecting: words.connecting, lost: words.lost }[contact.state];
  return (
    <p class={`contact contact-${contact.state}`} role="status">
      <span class="contact-dot" aria-hidden="true" />
      {text}
    </p>
  );
}

/** Since when, by the reader's own clock. */
export function LostBanner(props: { contact: Contact; words: Words; timezone: string }): JSX.Element | null {
  const { contact, words } = props;
  if (contact.state !== 'lost') return null;
  const since = new Date(contact.since).toLocaleTimeString(navigator.language, { hourCycle: 'h23' });
  return (
    <div class="banner" role="alert">
      <Icon name="warning" />
      <p>
        <strong>{words.lostSince(since)}</strong> {words.lostMeaning}
      </p>
    </div>
  );
}

function ThemeSwitch({ words }: { words: Words }): JSX.Element {
  const [dark, setDark] = useState(isDark);
  const toggle = () => {
    chooseTheme(dark ? 'light' : 'dark');
    setDark(!dark);
  };
  const label = dark ? words.toLight : words.toDark;
  return (
    <button type="button" class="theme" onClick={toggle} aria-label={label} title={label}>
      <Icon name={dark ? 'sun' : 'moon'} />
    </button>
  );
}

function isDark(): boolean {
  const chosen = document.documentElement.dataset.theme;
  return chosen === undefined ? matchMedia('(prefers-color-scheme: dark)').matches : chosen === 'dark';
}

function chooseTheme(theme: 'light' | 'dark'): void {
  document.documentElement.dataset.theme = theme;
  try {
    localStorage.setItem('theme', theme);
  } catch {
    // Storage is switched off: the choice holds for this visit.
  }
}
