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
    severity: 'error',
    retry: 'backoff',
    meaning:
      'The journal or another state file could not be written because the disk is full; nothing is lost. A running engine refuses new orders and still writes withdrawals, gate closures and completed intervals.',
    remedy:
      'Free space on the volume that holds the state folder. A running engine goes on by itself; one that did not start is started again.',
  },
  JOURNAL_WRITE_FAILED: {
    severity: 'fatal',
    retry: 'never',
    meaning: 'The disk refused a write or a sync of the journal; after that its content cannot be trusted.',
    remedy: 'Check the disk, then start again: unacknowledged commands are sent anew by their owners.',
  },
  STATE_UNWRITABLE: {
    severity: 'fatal',
    retry: 'never',
    meaning: 'The state folder, or a file in it, cannot be created or written.',
    remedy: 'Check the path in the configuration, its owner and its permissions.',
  },
  CLOCK_BEHIND: {
    severity: 'fatal',
    retry: 'never',
    meaning: 'The system clock is behind the last record of the journal; market time never goes back.',
    remedy: 'Correct the clock of this machine (chrony or ntp), then start again.',
  },
  CLOCK_JUMPED: {
    severity: 'warn',
    retry: 'never',
    meaning: 'The system clock leapt while the process ran; market time went on as if it had not.',
    remedy: 'Check chrony or ntp; start the process again to take the new time.',
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
  // processes
  CHILD_FAILED: {
    severity: 'fatal',
    retry: 'never',
    meaning: 'A program that this one needs could not run, or ended again and again.',
    remedy: 'Read what it said, in the message or in the log file that the message names.',
  },
  // mqtt, sparkplug
  BROKER_UNREACHABLE: {
    severity: 'error',
    retry: 'backoff',
    meaning: 'The MQTT broker does not answer.',
    remedy: 'Check that the broker runs and that its address in the configuration is right.',
  },
  BROKER_REFUSED: {
    severity: 'error',
    retry: 'backoff',
    meaning: 'The MQTT broker answered and refused the session or a subscription.',
    remedy: 'Check the user, the password and the access rules that the broker has for this client.',
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
  // evm
  LEDGER_UNREACHABLE: {
    severity: 'warn',
    retry: 'backoff',
    meaning: 'The node of the ledger does not answer; settlements wait in the outbox and trading goes on.',
    remedy: 'Check that the node runs and that its address in the configuration is right.',
  },
  LEDGER_REJECTED: {
    severity: 'error',
    retry: 'never',
    meaning: 'The ledger refused a transaction or a settlement; the message says why.',
    remedy: 'Correct what the message names; nothing of the refused settlement was booked.',
  },
  LEDGER_CHAIN_CHANGED: {
    severity: 'fatal',
    retry: 'never',
    meaning: 'The node serves another chain or another contract than the one this outbox settled on.',
    remedy: 'Point the configuration at the right node, or restore its data; never delete the outbox to get past this.',
  },
  LEDGER_CLOSED: {
    severity: 'warn',
    retry: 'never',
    meaning: 'The ledger client was closed before a settlement was final; it is kept in the outbox.',
    remedy: 'Nothing: the settlement goes on when the engine starts again.',
  },
  LEDGER_START_FAILED: {
    severity: 'fatal',
    retry: 'never',
    meaning: 'The embedded ledger node cannot be started: its program is missing, or it ended at once.',
    remedy: 'Run npm ci with optional packages, or use a node of your own and name its address in the configuration.',
  },
  ALREADY_SETTLED_DIFFERENTLY: {
    severity: 'error',
    retry: 'never',
    meaning: 'The ledger holds another content under the same market, interval and chunk; the first one stays.',
    remedy: 'Compare both contents; a correction is a posting in a later interval, never a second settlement.',
  },
  NONCE_TOO_LOW: {
    severity: 'warn',
    retry: 'now',
    meaning: 'Someone else spent a nonce of the settlement key; the settlement was signed anew.',
    remedy: 'Make sure that one engine only uses this key.',
  },
  STALE_STATE: {
    severity: 'warn',
    retry: 'now',
    meaning: 'The node of the ledger went back to an older state; what it lost is sent again.',
    remedy: 'Nothing, if it happened once after a crash; otherwise check the disk and the peers of the node.',
  },
  CONTRACT_UNUSABLE: {
    severity: 'fatal',
    retry: 'never',
    meaning: 'The settlement contract cannot be compiled.',
    remedy: 'Run npm ci; the message names what the compiler said.',
  },
  OUTBOX_UNUSABLE: {
    severity: 'fatal',
    retry: 'never',
    meaning: 'The outbox of the ledger cannot be opened, read or written.',
    remedy: 'Check the disk and the permissions of the state folder; the message names the file.',
  },
  // modbus
  MODBUS_UNREACHABLE: {
    severity: 'error',
    retry: 'backoff',
    meaning: 'A Modbus device refuses connections, does not accept one in time, or ended it.',
    remedy: 'Check power, cable, address and port of the device, and that no other client holds its only connection.',
  },
  MODBUS_TIMEOUT: {
    severity: 'error',
    retry: 'now',
    meaning: 'A Modbus device did not answer a request in time.',
    remedy: 'Check the unit id and the link quality, or raise the timeout of the device.',
  },
  MODBUS_EXCEPTION: {
    severity: 'error',
    retry: 'never',
    meaning: 'A Modbus device refused a request; the message names the exception.',
    remedy: 'Check the unit id and that the device has the register that the message names.',
  },
  MODBUS_FRAME: {
    severity: 'error',
    retry: 'backoff',
    meaning: 'A Modbus device sent bytes that do not answer the request; the connection was dropped.',
    remedy: 'Check that the port belongs to a Modbus TCP device and that no gateway mixes up its clients.',
  },
  SUNSPEC_ABSENT: {
    severity: 'error',
    retry: 'never',
    meaning: 'The device shows no SunSpec marker at 40000, 0 or 50000.',
    remedy: 'Switch SunSpec on in the device, check its unit id, or give it a meter profile.',
  },
  SUNSPEC_CHAIN_BROKEN: {
    severity: 'error',
    retry: 'backoff',
    meaning: 'The list of SunSpec models in the device has no end, leaves the address space, or changed.',
    remedy: 'Restart the device; if it stays so, its firmware is faulty.',
  },
  SUNSPEC_MODEL_MISSING: {
    severity: 'error',
    retry: 'never',
    meaning: 'The device does not have the SunSpec model that its role needs.',
    remedy: 'Check that the unit id belongs to a device of that role.',
  },
  SUNSPEC_POINT_MISSING: {
    severity: 'error',
    retry: 'backoff',
    meaning: 'The device does not give a value, or no scale factor, for a point that its role needs.',
    remedy: 'Check that the device has finished starting; otherwise it does not fit this role.',
  },
  // http
  PORT_FORBIDDEN: {
    severity: 'fatal',
    retry: 'never',
    meaning: 'The system does not let this user listen on the port.',
    remedy: 'Choose a port above 1023 with --port, or grant the service CAP_NET_BIND_SERVICE.',
  },
  HOST_UNAVAILABLE: {
    severity: 'fatal',
    retry: 'never',
    meaning: 'The host to listen on is no address of this machine.',
    remedy: 'Check --host: 127.0.0.1 for this machine alone, 0.0.0.0 for everyone who can reach it.',
  },
  DASHBOARD_UNBUILDABLE: {
    severity: 'fatal',
    retry: 'never',
    meaning: 'The files of the dashboard cannot be read or bundled.',
    remedy: 'Run npm ci, and check that the folder web/ is complete.',
  },
  // keys
  KEYSTORE_LOCKED: {
    severity: 'fatal',
    retry: 'never',
    meaning: 'The keystore could not be opened: the passphrase is missing or wrong, or the file was changed.',
    remedy: 'Check the systemd credential that the message names, or restore the keystore from a backup.',
  },
  KEYSTORE_CORRUPT: {
    severity: 'fatal',
    retry: 'never',
    meaning: 'The file is not a keystore of this version.',
    remedy: 'Check the path, or restore the keystore from a backup.',
  },
  KEYSTORE_EXPOSED: {
    severity: 'fatal',
    retry: 'never',
    meaning: 'Users other than the owner may read or write the keystore.',
    remedy: 'Set its mode to 600, and replace the keys if somebody may have read them.',
  },
  KEYSTORE_WRITE_FAILED: {
    severity: 'error',
    retry: 'never',
    meaning: 'The keystore could not be written; the old one is untouched.',
    remedy: 'Check the folder, its permissions and the space on its volume.',
  },
  KEY_MISSING: {
    severity: 'fatal',
    retry: 'never',
    meaning: 'The keystore holds no key with the name that is needed.',
    remedy: 'Add the key to the keystore, or correct its name in the configuration.',
  },
  // relay
  RELAY_UNREACHABLE: {
    severity: 'error',
    retry: 'backoff',
    meaning: 'The relay of the export path does not answer; what its contact does is unknown.',
    remedy: 'Check the wiring and the address of the relay.',
  },
} as const satisfies Record<string, FaultEntry>;

export type FaultCode = keyof typeof FAULTS;
