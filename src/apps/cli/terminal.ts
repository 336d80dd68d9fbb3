/** Where results and messages go. */
export interface Terminal {
  /** Standard output: results only. */
  out(text: string): Promise<void>;
  /** Standard error: messages. */
  err(text: string): Promise<void>;
  readonly color: boolean;
}

/** Exit codes of every command. */
export const EXIT = { ok: 0, failed: 1, usage: 2, couldNotRun: 3 } as const;
