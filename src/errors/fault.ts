/** fatal: the process must stop. error: this operation failed. warn: it went on in a defined way. */
export type Severity = 'fatal' | 'error' | 'warn';

/** What a caller does next: nothing, the same at once, or the same after a growing pause. */
export type RetryRule = 'never' | 'now' | 'backoff';

interface FaultDetails {
  readonly severity: Severity;
  readonly retry: RetryRule;
  /** What the reader can do about it, one sentence. */
  readonly remedy: string;
  readonly cause?: unknown;
}

/** The world failed: a dead peer, a full disk, a lying node. Made only in adapters; `code` is listed in the catalogue. */
export class Fault extends Error {
  override readonly name = 'Fault';
  readonly code: string;
  readonly severity: Severity;
  readonly retry: RetryRule;
  readonly remedy: string;

  constructor(code: string, message: string, details: FaultDetails) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.severity = details.severity;
    this.retry = details.retry;
    this.remedy = details.remedy;
  }

  /** Where the documentation of this code stands. */
  get docs(): string {
    return `docs/reference/errors.md#${this.code.toLowerCase()}`;
  }
}
