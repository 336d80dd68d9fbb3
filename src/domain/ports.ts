import type { IntervalSettlement } from './settlement/interval-settlement.ts';
import type { MarketId, MemberId } from './units/identity.ts';
import type { NanoTotal } from './units/money.ts';
import type { EpochMs } from './units/time.ts';

/** Everything the product wants from the world. Each port has one suite in `test/ports` that every implementation passes. */

/** Market time. It never goes back, and under acceleration it runs `speed` times as fast as the wall. */
export interface MarketClock {
  now(): EpochMs;
}

/** An append-only log with one writer: the system of record. */
export interface CommandLog {
  /** Resolves with the record's sequence (1, 2, ...) when the bytes are on stable storage, never before. */
  append(record: Uint8Array, options?: AppendOptions): Promise<number>;
  /** All of them or none, next to each other; resolves with the sequence of the last. */
  appendAll(records: readonly Uint8Array[], options?: AppendOptions): Promise<number>;
  /** Every record from `sequence` on, in order. */
  read(fromSequence: number): AsyncIterable<{ readonly sequence: number; readonly record: Uint8Array }>;
  /** The same, as they lie together. A record shares memory with its neighbours: copy what you keep. */
  readBatches(fromSequence: number): AsyncIterable<CommandBatch>;
  /** What was appended before is still answered; later appends are rejected. */
  close(): Promise<void>;
}

export interface AppendOptions {
  /** Still written when the disk is full, from space that is kept for it: what closes, withdraws or completes. */
  readonly urgent?: boolean;
}

export interface CommandBatch {
  readonly firstSequence: number;
  readonly records: readonly Uint8Array[];
  /** The engine that wrote them, 0 where it did not say. */
  readonly engineVersion: number;
}

/** A publish-subscribe bus with the semantics of MQTT 3.1.1. Delivery at QoS 1 may repeat a message. */
export interface DeviceBus {
  /** Resolves when the broker has acknowledged (QoS 1) or the bytes are handed over (QoS 0). */
  publish(topic: string, payload: Uint8Array, options: { qos: 0 | 1; retain?: boolean }): Promise<void>;
  /** Resolves when the broker has granted the subscription; it is renewed on every reconnect. */
  subscribe(filter: string, qos: 0 | 1, onMessage: (message: BusMessage) => void): Promise<void>;
  /** Called with true on every connect, once the subscriptions hold again; false on every loss. Told at once if connected. */
  onConnection(listener: (connected: boolean) => void): void;
  /** Ends the session with DISCONNECT, so that no will is sent. */
  close(): Promise<void>;
}

export interface BusMessage {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly retain: boolean;
}

/** What the broker says for a client that vanished without DISCONNECT. */
export interface BusWill {
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: 0 | 1;
  readonly retain: boolean;
}

/** Opens a session of its own. `will` is asked anew for every CONNECT, just before it is sent. */
export type OpenBus = (will: () => BusWill) => Promise<DeviceBus>;

/** The switch of the export path. Commands are requests; only `feedback` tells what the contact did. */
export interface RelayDriver {
  /** Resolves when the driver has taken the command; the contact may still be on its way, or never follow. */
  command(closed: boolean): Promise<void>;
  /** True when the auxiliary contact reports closed. */
  feedback(): Promise<boolean>;
}

/** One part of a settled interval as it goes to the ledger. Chunking is frozen before the first broadcast. */
export interface SettlementChunk {
  readonly settlement: IntervalSettlement;
  readonly chunk: number;
  readonly chunks: number;
}

/** Where a chunk is recorded. `payloadHash` is 0x and 64 hex digits. */
export interface LedgerReceipt {
  readonly payloadHash: string;
  readonly block: number;
  readonly transactionHash: string;
}

/** Running balances of one market, nano-currency, positive is received. `members` holds every member ever settled. */
export interface LedgerAccounts {
  readonly members: ReadonlyMap<MemberId, NanoTotal>;
  readonly community: NanoTotal;
  readonly utility: NanoTotal;
  readonly intervals: number;
}

/** Settles every interval exactly once. Key: market, interval, chunk; value: the hash of the payload. */
export interface SettlementLedger {
  /**
   * Records a chunk and resolves when it is final. The same content again is no second settlement: it resolves with the
   * first receipt. @throws Fault ALREADY_SETTLED_DIFFERENTLY where the key holds another payload
   */
  settle(chunk: SettlementChunk): Promise<LedgerReceipt>;
  /** The receipt under that key, or null. */
  find(market: MarketId, interval: EpochMs, chunk: number): Promise<LedgerReceipt | null>;
  /** All balances of that market as they stand at one instant. */
  accounts(market: MarketId): Promise<LedgerAccounts>;
}

/** Signs with one key that never leaves it. */
export interface Signer {
  readonly address: string;
  /** `digest`: the 32 bytes that were hashed from the message. */
  sign(digest: Uint8Array): Promise<Uint8Array>;
}

export interface Hasher {
  keccak256(bytes: Uint8Array): Uint8Array;
}
