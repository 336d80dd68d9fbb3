import type { EngineState } from '../../domain/engine/state.ts';
import type { EngineConfig } from './engine-config.ts';
import type { EventFeed } from './event-feed.ts';
import type { LateWatch } from './late-watch.ts';
import { openLedger } from './open-ledger.ts';
import { SettlementDesk } from './settlement-desk.ts';
import { intervalView } from './views.ts';

export interface LedgerDesk {
  readonly desk: SettlementDesk;
  address(): string | null;
  close(): Promise<void>;
}

interface LedgerDeskParts {
  readonly config: EngineConfig;
  readonly state: EngineState;
  /** Told of every interval that is final. */
  readonly feed: EventFeed;
  readonly watch: LateWatch;
  log(line: string): void;
}

/** The ledger of the configuration and the desk before it. @throws Fault */
export async function openLedgerDesk({ config, state, feed, watch, log }: LedgerDeskParts): Promise<LedgerDesk> {
  const ledger = await openLedger(config, log);
  const desk: SettlementDesk = new SettlementDesk(
    ledger,
    ({ interval: { start } }) => {
      const settlement = state.settlements.get(start);
      if (settlement !== undefined) feed.tell('interval', intervalView({ state, desk }, settlement));
    },
    log,
    watch,
  );
  return { desk, address: () => ledger.address(), close: async () => ledger.close() };
}
