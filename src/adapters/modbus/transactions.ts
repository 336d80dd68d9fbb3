import { assert } from '../../domain/units/assert.ts';
import type { Fault } from '../../errors/fault.ts';
import type { ModbusRequest, ModbusValues } from './modbus-pdu.ts';

/** A request whose caller waits. */
export interface Pending {
  readonly unit: number;
  readonly request: ModbusRequest;
  readonly resolve: (values: ModbusValues) => void;
  readonly reject: (fault: Fault) => void;
}

const REMEMBERED_LATE = 16;

/** The requests on the wire of one connection, by transaction id, and the ids whose answers came too late. */
export class Transactions {
  readonly #open = new Map<number, { readonly pending: Pending; readonly timer: NodeJS.Timeout }>();
  readonly #late = new Set<number>();
  #last = 0;

  get size(): number {
    return this.#open.size;
  }

  /** Gives the request an id that nothing on the wire has, and starts its deadline. */
  begin(pending: Pending, timeoutMs: number, onTimeout: (id: number) => void): number {
    do this.#last = (this.#last + 1) & 0xffff;
    while (this.#open.has(this.#last) || this.#late.has(this.#last));
    const id = this.#last;
    this.#open.set(id, { pending, timer: setTimeout(() => onTimeout(id), timeoutMs) });
    return id;
  }

  find(id: number): Pending | undefined {
    return this.#open.get(id)?.pending;
  }

  finish(id: number): void {
    clearTimeout(this.#open.get(id)?.timer);
    this.#open.delete(id);
  }

  /** The caller of that id waits no longer; its late answer is to be ignored. */
  expire(id: number): Pending {
    const pending = this.find(id);
    assert(pending !== undefined, 'a deadline belongs to a request on the wire');
    this.finish(id);
    this.#late.add(id);
    const [oldest] = this.#late;
    if (this.#late.size > REMEMBERED_LATE && oldest !== undefined) this.#late.delete(oldest);
    return pending;
  }

  /** True once for the late answer to an expired id. */
  takeLate(id: number): boolean {
    return this.#late.delete(id);
  }

  /** Forgets everything with the connection, and gives back who still waits. */
  clear(): Pending[] {
    const waiting = [...this.#open.values()].map(({ pending }) => pending);
    for (const { timer } of this.#open.values()) clearTimeout(timer);
    this.#open.clear();
    this.#late.clear();
    return waiting;
  }
}
