import type { LedgerReceipt } from '../../domain/ports.ts';
import type { FaultCode } from '../../errors/catalogue.ts';
import { Fault } from '../../errors/fault.ts';
import type { SettlementRow } from './outbox.ts';

export interface ChunkKey {
  readonly market: string;
  readonly start: number;
  readonly chunk: number;
}

/** Callers of `settle` that wait for their chunk to become final. */
export class SettlementWaiters {
  readonly #waiters = new Map<string, PromiseWithResolvers<LedgerReceipt>[]>();

  wait(key: ChunkKey): Promise<LedgerReceipt> {
    const waiter = Promise.withResolvers<LedgerReceipt>();
    const name = nameOf(key);
    this.#waiters.set(name, [...(this.#waiters.get(name) ?? []), waiter]);
    return waiter.promise;
  }

  /** The settlement is FINAL or REJECTED. */
  done(row: SettlementRow): void {
    const name = nameOf(row);
    const waiters = this.#waiters.get(name) ?? [];
    this.#waiters.delete(name);
    for (const waiter of waiters) {
      if (row.state === 'FINAL') waiter.resolve(receiptOf(row));
      else waiter.reject(new Fault((row.refusal_code ?? 'LEDGER_REJECTED') as FaultCode, `${name}: ${row.refusal}`));
    }
  }

  rejectAll(reason: unknown): void {
    for (const waiters of this.#waiters.values()) for (const waiter of waiters) waiter.reject(reason);
    this.#waiters.clear();
  }
}

export function receiptOf(row: SettlementRow): LedgerReceipt {
  return { payloadHash: row.payload_hash ?? '', block: row.block ?? 0, transactionHash: row.tx_hash ?? '' };
}

export function nameOf({ market, start, chunk }: ChunkKey): string {
  return `${market} ${start} chunk ${chunk}`;
}
