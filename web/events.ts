import type { ClearingView, IntervalView, NowView } from '../src/adapters/http/api-schema.ts';

/** `since`: the reader's own clock when the engine was last heard. */
export type Contact =
  | { readonly state: 'connecting' }
  | { readonly state: 'live' }
  | { readonly state: 'lost'; readonly since: number };

export interface EventHandlers {
  now(view: NowView): void;
  clearing(view: ClearingView): void;
  interval(view: IntervalView): void;
  /** Events were lost: ask for the whole again. */
  gap(): void;
  contact(contact: Contact): void;
}

/** The engine speaks once a second; longer silence is lost contact, whatever the connection says. */
const SILENCE_MS = 3000;
/** A connection that stays silent this long is given up for a new one. */
const GIVE_UP_MS = 8000;
const RETRY_MS = 1000;
const WATCH_MS = 500;

/** Follows the engine's events for as long as the page lives. */
export function listen(handlers: EventHandlers): void {
  let heard = { monotonic: performance.now(), wall: Date.now() };
  let opened = performance.now();
  let lastEventId = '';
  let source: EventSource | undefined;
  const hear = (event: MessageEvent<string>) => {
    heard = { monotonic: performance.now(), wall: Date.now() };
    lastEventId = event.lastEventId;
  };
  const open = () => {
    opened = performance.now();
    source?.close();
    source = new EventSource(`/api/v1/events${lastEventId === '' ? '' : `?lastEventId=${lastEventId}`}`);
    const on = <View>(name: string, handle: (view: View) => void) =>
      source?.addEventListener(name, (event: MessageEvent<string>) => {
        hear(event);
        handle(JSON.parse(event.data) as View);
      });
    on<NowView>('now', (view) => {
      handlers.contact({ state: 'live' });
      handlers.now(view);
    });
    on<ClearingView>('clearing', handlers.clearing);
    on<IntervalView>('interval', handlers.interval);
    on('gap', handlers.gap);
  };
  open();
  setInterval(() => {
    const silence = performance.now() - heard.monotonic;
    if (silence <= SILENCE_MS) return;
    handlers.contact({ state: 'lost', since: heard.wall });
    const age = performance.now() - opened;
    if ((source?.readyState === EventSource.CLOSED && age > RETRY_MS) || age > GIVE_UP_MS) open();
  }, WATCH_MS);
}
