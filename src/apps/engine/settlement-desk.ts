import type { EngineState } from '../../domain/engine/state.ts';
import type { LedgerReceipt, SettlementChunk, SettlementLedger } from '../../domain/ports.ts';
import type { IntervalSettlement } from '../../domain/settlement/interval-settlement.ts';
import { type EpochMs, formatUtc } from '../../domain/units/time.ts';
import { isFault } from '../../errors/fault.ts';
import type { LateWatch } from './late-watch.ts';

/** What the desk needs of a ledger beyond the port: how much waits, and the comparison with the journal. */
export interface JournaledLedger extends SettlementLedger {
  pending(): number;
  audit(chunks: Iterable<SettlementChunk>): Promise<unknown>;
}

/** Brings every settled interval to the ledger and remembers the receipts. Trading never waits for it. */
export class SettlementDesk {
  readonly #ledger: JournaledLedger;
  readonly #receipts = new Map<EpochMs, LedgerReceipt>();
  readonly #onFinal: (settlement: IntervalSettlement, receipt: LedgerReceipt) => void;
  readonly #log: (line: string) => void;
  readonly #watch: LateWatch;

  constructor(
    ledger: JournaledLedger,
    onFinal: (settlement: IntervalSettlement, receipt: LedgerReceipt) => void,
    log: (line: string) => void,
    watch: LateWatch,
  ) {
    this.#watch = watch;
    this.#ledger = ledger;
    this.#onFinal = onFinal;
    this.#log = log;
  }

  /** At start: everything the journal settled is on the ledger or on its way there again. */
  async recover(state: EngineState): Promise<void> {
    const settlements = [...state.settlements.values()];
    await this.#ledger.audit(settlements.map(chunkOf));
    for (const settlement of settlements) this.settle(settlement);
  }

  settle(settlement: IntervalSettlement): void {
    const done = this.#watch.begin(`the interval ${formatUtc(settlement.interval.start)}`);
    this.#ledger.settle(chunkOf(settlement)).then(
      (receipt) => {
        done();
        this.#receipts.set(settlement.interval.start, receipt);
        this.#onFinal(settlement, receipt);
      },
      (error: unknown) => {
        done();
        if (!isFault(error)) throw error;
        if (error.code !== 'LEDGER_CLOSED')
          this.#log(`${error.code} interval ${settlement.interval.start}: ${error.message}`);
      },
    );
  }

  receipt(interval: EpochMs): LedgerReceipt | null {
    return this.#receipts.get(interval) ?? null;
  }

  receipts(): ReadonlyMap<EpochMs, LedgerReceipt> {
    return this.#receipts;
  }

  pending(): number {
    return this.#ledger.pending();
  }
}

/** An interval of at most 1,000 members is one chunk: below half of a block's gas. */
function chunkOf(settlement: IntervalSettlement): SettlementChunk {
  return { settlement, chunk: 0, chunks: 1 };
}
