import { type Signal, signal } from '@preact/signals';
import type {
  ClearingView,
  IntervalView,
  LedgerView,
  MemberView,
  NowView,
  TradeView,
} from '../src/adapters/http/api-schema.ts';
import { type Contact, listen } from './events.ts';

const MAX_INTERVALS = 192;

/** What the page knows. `undefined`: not asked yet. `null` or empty: there is none. */
export interface Store {
  readonly now: Signal<NowView | undefined>;
  readonly clearing: Signal<ClearingView | null | undefined>;
  readonly intervals: Signal<readonly IntervalView[] | undefined>;
  readonly trades: Signal<readonly TradeView[] | undefined>;
  readonly members: Signal<readonly MemberView[] | undefined>;
  readonly ledger: Signal<LedgerView | undefined>;
  readonly contact: Signal<Contact>;
}

/** Asks for everything once, then follows the events. */
export function openStore(): Store {
  const store: Store = {
    now: signal(undefined),
    clearing: signal(undefined),
    intervals: signal(undefined),
    trades: signal(undefined),
    members: signal(undefined),
    ledger: signal(undefined),
    contact: signal({ state: 'connecting' }),
  };
  loadAll(store);
  listen({
    now: (view) => {
      store.now.value = view;
      if (store.intervals.value === undefined) loadAll(store);
    },
    clearing: (view) => {
      store.clearing.value = view;
      refresh(store.trades, '/trades');
    },
    interval: (view) => {
      store.intervals.value = withInterval(store.intervals.value ?? [], view);
      refresh(store.members, '/members');
      refresh(store.ledger, '/ledger');
    },
    gap: () => loadAll(store),
    contact: (contact) => {
      store.contact.value = contact;
    },
  });
  return store;
}

function loadAll(store: Store): void {
  refresh(store.now, '/now');
  refresh(store.clearing, '/clearing');
  refresh(store.intervals, `/intervals?limit=${MAX_INTERVALS}`);
  refresh(store.trades, '/trades');
  refresh(store.members, '/members');
  refresh(store.ledger, '/ledger');
}

/** 404 is an answer: there is none yet. Anything else leaves what is known, and the events tell that contact is lost. */
function refresh<Value>(target: Signal<Value>, path: string): void {
  fetch(`/api/v1${path}`)
    .then(async (response) => {
      if (response.ok) target.value = (await response.json()) as Value;
      else if (response.status === 404) target.value = null as Value;
    })
    .catch(() => undefined);
}

function withInterval(known: readonly IntervalView[], view: IntervalView): IntervalView[] {
  const others = known.filter(({ interval }) => interval !== view.interval);
  return [...others, view].sort((a, b) => a.interval - b.interval).slice(-MAX_INTERVALS);
}
