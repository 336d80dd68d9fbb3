import { FAULTS, type FaultCode, type RetryRule, type Severity } from './catalogue.ts';

/** The world failed: a dead peer, a full disk, a lying node. Made only in adapters and apps, from the catalogue. */
export class Fault extends Error {
  override readonly name = 'Fault';
  readonly code: FaultCode;

  /** `message` says what failed, with the facts: which file, peer, register. The catalogue says what to do. */
  constructor(code: FaultCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }

  get severity(): Severity {
    return FAULTS[this.code].severity;
  }

  get retry(): RetryRule {
    return FAULTS[this.code].retry;
  }

  get remedy(): string {
    return FAULTS[this.code].remedy;
  }

  /** Where the documentation of this code stands. */
  get docs(): string {
    return `docs/reference/errors.md#${this.code.toLowerCase()}`;
  }
}

/** A fault with this code, or with any code. */
export function isFault(error: unknown, code?: FaultCode): error is Fault {
  return error instanceof Fault && (code === undefined || error.code === code);
}
