import type { WallTime } from '../../adapters/clock/system-clock.ts';
import type { DuePoint } from '../../domain/market/due-points.ts';
import { formatUtc } from '../../domain/units/time.ts';
import { LateWatch } from './late-watch.ts';
import { MarketErrors } from './market-errors.ts';

const JOURNAL_PATIENCE_MS = 1000;
const LEDGER_PATIENCE_MS = 30_000;

/** Who let the market wait: the journal, the ledger, a peer. All of it goes to the log of the market's errors. */
export class Lateness {
  readonly errors: MarketErrors;
  readonly journal: LateWatch;
  readonly ledger: LateWatch;

  constructor(path: string, wall: WallTime, log: (line: string) => void) {
    this.errors = new MarketErrors({ path, wallNow: () => wall.wallNow(), log });
    this.journal = new LateWatch(wall, JOURNAL_PATIENCE_MS, this.#complaintOf('the journal'));
    this.ledger = new LateWatch(wall, LEDGER_PATIENCE_MS, this.#complaintOf('the ledger'));
  }

  /** Peers that the market has waited for in vain. */
  peers(names: readonly string[], { at }: DuePoint): void {
    this.errors.write('ERR_SYNC_TIMEOUT', `${names.join(', ')} not heard at ${formatUtc(at)}`);
  }

  async close(): Promise<void> {
    this.journal.close();
    this.ledger.close();
    await this.errors.close();
  }

  #complaintOf(whom: string) {
    return (what: string, waitedMs: number, others: number): void => {
      const behind = others === 0 ? '' : `; ${others} more wait`;
      this.errors.write('ERR_SYNC_TIMEOUT', `${whom} has not confirmed ${what} for ${waitedMs} ms${behind}`);
    };
  }
}
