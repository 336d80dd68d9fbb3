import type { EngineEvent } from '../../domain/engine/event.ts';
import type { EngineState } from '../../domain/engine/state.ts';
import { type EpochMs, formatUtc } from '../../domain/units/time.ts';
import type { Announcer } from './announcer.ts';
import { clearingView } from './curve-view.ts';
import type { EventFeed } from './event-feed.ts';
import type { SettlementDesk } from './settlement-desk.ts';
import { intervalView } from './views.ts';

interface TellerParts {
  readonly state: EngineState;
  readonly announcer: Announcer;
  readonly feed: EventFeed;
  /** Null in paper mode: nothing is brought to a ledger. */
  readonly desk: SettlementDesk | null;
  log(line: string): void;
}

/** What the world hears of an event, after it is on stable storage. */
export class EventTeller {
  readonly #parts: TellerParts;
  #isInverted = false;

  constructor(parts: TellerParts) {
    this.#parts = parts;
  }

  tell(event: EngineEvent): void {
    const { state, announcer, feed, desk } = this.#parts;
    if (event.type === 'settled') {
      desk?.settle(event.settlement);
      if (desk === null) feed.tell('interval', intervalView({ state, desk }, event.settlement));
    }
    if (event.type === 'opened') this.#tellInversion(event.product, event.band === 'tariff_inverted');
    if (event.type !== 'cleared') return;
    const product = state.products.get(event.product);
    if (product === undefined) return;
    void announcer.clearing(product);
    const view = clearingView(product);
    if (view !== null) feed.tell('clearing', view);
  }

  /** Once, where it begins and where it ends. */
  #tellInversion(product: EpochMs, isInverted: boolean): void {
    if (isInverted === this.#isInverted) return;
    this.#isInverted = isInverted;
    const since = `from ${formatUtc(product)} on`;
    const closed = `tariff_inverted ${since}: the import price is not above the export price, so no orders are taken and the tariff is paid; are the two swapped?`;
    this.#parts.log(isInverted ? closed : `the tariff is in order again ${since}`);
  }
}
