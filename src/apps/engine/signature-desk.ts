import type { SignaturePool } from '../../adapters/keys/signature-pool.ts';
import type { SignatureFinding, SignatureTask } from '../../adapters/keys/signature-task.ts';
import { FairQueue } from './fair-queue.ts';

/** Has signatures looked at, members in turn. */
export interface SignatureDesk {
  /**
   * Findings of one member come in the order in which it asked, whatever the threads finish first. Null: the desk closed
   * before anybody looked.
   */
  find(member: string, task: SignatureTask): Promise<SignatureFinding | null>;
  /** Whoever waits is sent away; closes the pool. */
  close(): Promise<void>;
}

/** So many that the message between the threads costs little, so few that a turn comes soon. */
const BUNDLE = 16;

interface Ticket {
  readonly member: string;
  readonly task: SignatureTask;
  readonly told: PromiseWithResolvers<SignatureFinding | null>;
  /** Tells what was found. */
  answer?: () => void;
}

export function openSignatureDesk(pool: SignaturePool): SignatureDesk {
  return new TurnDesk(pool);
}

class TurnDesk implements SignatureDesk {
  readonly #pool: SignaturePool;
  readonly #queue = new FairQueue<Ticket>();
  /** Of each member with open tickets, in the order they came. */
  readonly #open = new Map<string, Ticket[]>();
  #busy = 0;
  #isClosed = false;

  constructor(pool: SignaturePool) {
    this.#pool = pool;
  }

  find(member: string, task: SignatureTask): Promise<SignatureFinding | null> {
    if (this.#isClosed) return Promise.resolve(null);
    const ticket: Ticket = { member, task, told: Promise.withResolvers<SignatureFinding | null>() };
    const own = this.#open.get(member);
    if (own === undefined) this.#open.set(member, [ticket]);
    else own.push(ticket);
    this.#queue.add(member, ticket);
    // What arrives in one go leaves in one bundle.
    queueMicrotask(() => this.#pump());
    return ticket.told.promise;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const ticket of [...this.#open.values()].flat()) ticket.told.resolve(null);
    this.#open.clear();
    this.#queue.take(this.#queue.size);
    await this.#pool.close();
  }

  #pump(): void {
    while (this.#busy < this.#pool.slots && this.#queue.size > 0) void this.#look(this.#queue.take(BUNDLE));
  }

  async #look(bundle: readonly Ticket[]): Promise<void> {
    this.#busy += 1;
    try {
      const findings = await this.#pool.find(bundle.map(({ task }) => task));
      for (const [place, ticket] of bundle.entries()) {
        const finding = findings[place] ?? null;
        ticket.answer = () => ticket.told.resolve(finding);
      }
    } catch (error) {
      for (const ticket of bundle) ticket.answer = () => ticket.told.reject(error);
    }
    this.#busy -= 1;
    for (const { member } of bundle) this.#tell(member);
    this.#pump();
  }

  /** Everything of the member that is answered and has nothing unanswered before it. */
  #tell(member: string): void {
    const own = this.#open.get(member) ?? [];
    while (own[0]?.answer !== undefined) own.shift()?.answer?.();
    if (own.length === 0) this.#open.delete(member);
  }
}
