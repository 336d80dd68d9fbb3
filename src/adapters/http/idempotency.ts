import { createHash } from 'node:crypto';

/** An answer as it was given. */
export interface KeptAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string;
}

export interface IdempotencyTerms {
  readonly keys: number;
  readonly bytes: number;
  readonly forMs: number;
}

const DEFAULT_TERMS: IdempotencyTerms = { keys: 10_000, bytes: 8 * 1024 * 1024, forMs: 3_600_000 };

interface Entry extends KeptAnswer {
  readonly fingerprint: string;
  readonly at: number;
}

/**
 * What was answered under an `Idempotency-Key`, a member's own, as the IETF draft of that header has it. Only answers to
 * verified requests belong here: what anybody can cause must not take a member's key. The memory is bounded in keys,
 * bytes and time, and the oldest goes first; an order sent again after that is still the same order to the market.
 */
export class IdempotencyKeys {
  readonly #terms: IdempotencyTerms;
  readonly #now: () => number;
  /** The oldest first. */
  readonly #entries = new Map<string, Entry>();
  #bytes = 0;

  /** `now`: ms, monotonic. */
  constructor(now: () => number, terms: IdempotencyTerms = DEFAULT_TERMS) {
    this.#now = now;
    this.#terms = terms;
  }

  /** What to answer without asking the market; null: nothing is known under this key. */
  find(member: string, key: string, request: string): KeptAnswer | 'idempotency_key_reused' | null {
    this.#forget();
    const entry = this.#entries.get(nameOf(member, key));
    if (entry === undefined) return null;
    return entry.fingerprint === fingerprintOf(request) ? entry : 'idempotency_key_reused';
  }

  keep(member: string, key: string, request: string, answer: KeptAnswer): void {
    const name = nameOf(member, key);
    if (this.#entries.has(name)) return;
    this.#entries.set(name, { ...answer, fingerprint: fingerprintOf(request), at: this.#now() });
    this.#bytes += answer.body.length;
    this.#forget();
  }

  #forget(): void {
    const { keys, bytes, forMs } = this.#terms;
    const oldestKept = this.#now() - forMs;
    for (const [name, { at, body }] of this.#entries) {
      if (this.#entries.size <= keys && this.#bytes <= bytes && at >= oldestKept) return;
      this.#entries.delete(name);
      this.#bytes -= body.length;
    }
  }
}

/** The same key in quotes and without is one; an identifier has no space. */
function nameOf(member: string, key: string): string {
  return `${member} ${key.replaceAll('"', '')}`;
}

function fingerprintOf(request: string): string {
  return createHash('sha256').update(request).digest('base64');
}
