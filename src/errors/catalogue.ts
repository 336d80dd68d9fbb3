/** fatal: the process must stop. error: this operation failed. warn: it went on in a defined way. */
export type Severity = 'fatal' | 'error' | 'warn';

/** What a caller does next: nothing, the same at once, or the same after a growing pause. */
export type RetryRule = 'never' | 'now' | 'backoff';

interface FaultEntry {
  readonly severity: Severity;
  readonly retry: RetryRule;
  /** What happened, one sentence. */
  readonly meaning: string;
  /** What the reader can do about it, one sentence. */
  readonly remedy: string;
}

/** Every fault: the world failed. Grouped by the adapter that makes it; `docs/reference/errors.md` lists the same. */
export const FAULTS = {
  // config
  CONFIG_INVALID: {
    severity: 'fatal',
    retry: 'never',
    meaning: 'A configuration or community file cannot be used; the message names file, line and column.',
    remedy: 'Correct the place that the message names.',
  },
  FILE_UNREADABLE: {
    severity: 'fatal',
    retry: 'never',
    meaning: 'A file that was named does not exist or may not be read.',
    remedy: 'Check the path and its permissions.',
  },
  // journal
  JOURNAL_CORRUPT: {
    severity: 'fatal',
    retry: 'never',
    meaning: 'A record in the middle of the journal does not match its checksum.',
    remedy: 'Restore the journal from a backup; nothing after the damaged record was applied.',
  },
  DISK_FULL: {
    severity: 'fatal',
    retry: 'never',
    meaning: 'The journal could not be written because the disk is full; nothing unacknowledged was applied.',
    remedy: 'Free space on the volume that holds the state folder and start again.',
  },
  JOURNAL_WRITE_FAILED: {
    severity: 'fatal',
    retry: 'never',
    meaning: 'The disk refused a write or a sync of the journal; after that its content cannot be trusted.',
    remedy: 'Check the disk, then start again: unacknowledged commands are sent anew by their owners.',
  },
  STATE_LOCKED: {
    severity: 'fatal',
    retry: 'never',
    meaning: 'Another live process holds the state folder.',
    remedy: 'Stop the process that the message names, or use another --state folder.',
  },
  PORT_TAKEN: {
    severity: 'fatal',
    retry: 'never',
    meaning: 'Another program listens on the port.',
    remedy: 'Choose another port with --port.',
  },
  // mqtt, sparkplug
  BROKER_UNREACHABLE: {
    severity: 'error',
    retry: 'backoff',
    meaning: 'The MQTT broker does not answer.',
    remedy: 'Check that the broker runs and that its address in the configuration is right.',
  },
  ERR_SYNC_TIMEOUT: {
    severity: 'error',
    retry: 'backoff',
    meaning: 'An acknowledgement or a peer is late: the local node lags behind the mesh.',
    remedy: 'Check the link to the peer that the message names.',
  },
  PAYLOAD_MALFORMED: {
    severity: 'warn',
    retry: 'never',
    meaning: 'A message could not be decoded and was dropped.',
    remedy: 'Check the sender that the message names.',
  },
} as const satisfies Record<string, FaultEntry>;

export type FaultCode = keyof typeof FAULTS;
