import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import type { Hex } from 'viem';
import { Fault } from '../../errors/fault.ts';
import type { ChunkContent } from './settlement-content.ts';

/** NEW: kept. SIGNED: its transaction is kept. BROADCAST: sent. MINED: in a block. FINAL: deep enough. REJECTED: refused. */
export type SettlementState = 'NEW' | 'SIGNED' | 'BROADCAST' | 'MINED' | 'FINAL' | 'REJECTED';

export interface SettlementRow {
  readonly id: number;
  readonly market: string;
  readonly start: number;
  readonly chunk: number;
  readonly content: string;
  readonly state: SettlementState;
  readonly payload_hash: Hex | null;
  readonly block: number | null;
  readonly tx_hash: Hex | null;
  readonly refusal_code: string | null;
  readonly refusal: string | null;
}

export type TransactionKind = 'deploy' | 'register' | 'settle';

/** A signed transaction. OPEN: may still be mined under its nonce. MINED: it is. CLOSED: its nonce went elsewhere. */
export interface TransactionRow {
  readonly hash: Hex;
  readonly nonce: number;
  readonly raw: Hex;
  readonly kind: TransactionKind;
  readonly settlement: number | null;
  readonly state: 'OPEN' | 'MINED' | 'CLOSED';
}

/** What this outbox settles on. */
export interface ChainIdentity {
  readonly chainId: number;
  readonly genesis: Hex;
  readonly address: Hex;
}

const SCHEMA_VERSION = 1;
const SCHEMA = `
  CREATE TABLE IF NOT EXISTS identity (
    one INTEGER PRIMARY KEY CHECK (one = 1), chainId INTEGER NOT NULL, genesis TEXT NOT NULL, address TEXT NOT NULL
  ) STRICT;
  CREATE TABLE IF NOT EXISTS member (number INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE) STRICT;
  CREATE TABLE IF NOT EXISTS settlement (
    id INTEGER PRIMARY KEY, market TEXT NOT NULL, start INTEGER NOT NULL, chunk INTEGER NOT NULL, content TEXT NOT NULL,
    state TEXT NOT NULL, payload_hash TEXT, block INTEGER, tx_hash TEXT, refusal_code TEXT, refusal TEXT,
    UNIQUE (market, start, chunk)
  ) STRICT;
  CREATE INDEX IF NOT EXISTS settlement_unfinished ON settlement (state, id) WHERE state <> 'FINAL';
  CREATE TABLE IF NOT EXISTS ledger_transaction (
    hash TEXT PRIMARY KEY, nonce INTEGER NOT NULL, raw TEXT NOT NULL, kind TEXT NOT NULL,
    settlement INTEGER REFERENCES settlement (id), state TEXT NOT NULL
  ) STRICT;
  CREATE UNIQUE INDEX IF NOT EXISTS one_open_per_nonce ON ledger_transaction (nonce) WHERE state = 'OPEN';
  CREATE UNIQUE INDEX IF NOT EXISTS one_open_per_settlement ON ledger_transaction (settlement) WHERE state = 'OPEN';
  CREATE INDEX IF NOT EXISTS transaction_nonce ON ledger_transaction (nonce);
`;

/**
 * The durable memory of the sender: one file, one process. Everything is on stable storage when a method returns, so
 * a crash at any instant leaves a state from which the sender goes on.
 */
export class Outbox {
  readonly #db: DatabaseSync;
  readonly #path: string;

  private constructor(db: DatabaseSync, path: string) {
    this.#db = db;
    this.#path = path;
  }

  /** @throws Fault STATE_LOCKED where another process has it open, OUTBOX_UNUSABLE where it is no outbox */
  static open(path: string): Outbox {
    try {
      mkdirSync(dirname(path), { recursive: true });
      const db = new DatabaseSync(path);
      db.exec('PRAGMA locking_mode = EXCLUSIVE; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;');
      db.exec(`BEGIN EXCLUSIVE; ${SCHEMA} COMMIT;`);
      const outbox = new Outbox(db, path);
      outbox.#checkVersion();
      return outbox;
    } catch (cause) {
      if (cause instanceof Fault) throw cause;
      const text = cause instanceof Error ? cause.message : String(cause);
      if (/locked|busy/.test(text)) throw new Fault('STATE_LOCKED', `another process has ${path} open`, cause);
      throw new Fault('OUTBOX_UNUSABLE', `${path}: ${text}`, cause);
    }
  }

  close(): void {
    if (this.#db.isOpen) this.#db.close();
  }

  #checkVersion(): void {
    const found = this.#all<{ user_version: number }>('PRAGMA user_version')[0]?.user_version;
    if (found === 0) this.#run(`PRAGMA user_version = ${SCHEMA_VERSION}`);
    else if (found !== SCHEMA_VERSION) {
      throw new Fault('OUTBOX_UNUSABLE', `${this.#path} has version ${found}, this program knows ${SCHEMA_VERSION}`);
    }
  }

  // -------------------------------------------------------------------------------------------- chain and members

  identity(): ChainIdentity | null {
    return this.#all<ChainIdentity>('SELECT chainId, genesis, address FROM identity')[0] ?? null;
  }

  adopt(identity: ChainIdentity): void {
    const { chainId, genesis, address } = identity;
    this.#run('INSERT OR REPLACE INTO identity VALUES (1, ?, ?, ?)', chainId, genesis, address);
  }

  /** A deployment that came to nothing. */
  forgetIdentity(): void {
    this.#run('DELETE FROM identity');
  }

  /** Member ids; the first has number 1. */
  members(): string[] {
    return this.#all<{ id: string }>('SELECT id FROM member ORDER BY number').map(({ id }) => id);
  }

  addMembers(firstNumber: number, ids: readonly string[]): void {
    this.#atomically(() => {
      for (const [at, id] of ids.entries()) this.#run('INSERT INTO member VALUES (?, ?)', firstNumber + at, id);
    });
  }

  // -------------------------------------------------------------------------------------------- settlements

  find(market: string, start: number, chunk: number): SettlementRow | null {
    const sql = 'SELECT * FROM settlement WHERE market = ? AND start = ? AND chunk = ?';
    return this.#all<SettlementRow>(sql, market, start, chunk)[0] ?? null;
  }

  settlement(id: number): SettlementRow | null {
    return this.#all<SettlementRow>('SELECT * FROM settlement WHERE id = ?', id)[0] ?? null;
  }

  /** Keeps a new settlement, or puts another content in the place of a refused one. */
  keep(content: ChunkContent, text: string): void {
    const sql = `INSERT INTO settlement (market, start, chunk, content, state) VALUES (?, ?, ?, ?, 'NEW')
      ON CONFLICT (market, start, chunk) DO UPDATE SET content = excluded.content, state = 'NEW', payload_hash = NULL,
        refusal_code = NULL, refusal = NULL WHERE state = 'REJECTED'`;
    this.#run(sql, content.market, content.start, content.chunk, text);
  }

  inState(state: SettlementState, limit: number): SettlementRow[] {
    return this.#all<SettlementRow>('SELECT * FROM settlement WHERE state = ? ORDER BY id LIMIT ?', state, limit);
  }

  /** Settlements that a block holds or held, from `afterId` on, in their order. */
  mined(afterId: number, limit: number): SettlementRow[] {
    const sql = `SELECT * FROM settlement WHERE id > ? AND state IN ('MINED', 'FINAL') ORDER BY id LIMIT ?`;
    return this.#all<SettlementRow>(sql, afterId, limit);
  }

  pending(): number {
    const sql = `SELECT count(*) AS n FROM settlement WHERE state NOT IN ('FINAL', 'REJECTED')`;
    return this.#all<{ n: number }>(sql)[0]?.n ?? 0;
  }

  count(): number {
    return this.#all<{ n: number }>('SELECT count(*) AS n FROM settlement')[0]?.n ?? 0;
  }

  setPayloadHash(id: number, payloadHash: Hex): void {
    this.#run('UPDATE settlement SET payload_hash = ? WHERE id = ?', payloadHash, id);
  }

  setMined(id: number, block: number, txHash: Hex): void {
    this.#run(`UPDATE settlement SET state = 'MINED', block = ?, tx_hash = ? WHERE id = ?`, block, txHash, id);
  }

  setFinal(id: number): void {
    this.#run(`UPDATE settlement SET state = 'FINAL' WHERE id = ?`, id);
  }

  setRejected(id: number, code: string, message: string): void {
    const sql = `UPDATE settlement SET state = 'REJECTED', refusal_code = ?, refusal = ? WHERE id = ?`;
    this.#run(sql, code, message, id);
  }

  /** The chain does not hold it: to be signed anew. */
  setNew(id: number): void {
    this.#atomically(() => {
      this.#run(`UPDATE settlement SET state = 'NEW', block = NULL, tx_hash = NULL WHERE id = ?`, id);
      this.#run(`UPDATE ledger_transaction SET state = 'CLOSED' WHERE settlement = ?`, id);
    });
  }

  // -------------------------------------------------------------------------------------------- transactions

  /** Before the first broadcast: the signed bytes, and for a deployment where the contract will stand. */
  sign(row: TransactionRow, identity: ChainIdentity | null): void {
    this.#atomically(() => {
      const sql = 'INSERT INTO ledger_transaction VALUES (?, ?, ?, ?, ?, ?)';
      this.#run(sql, row.hash, row.nonce, row.raw, row.kind, row.settlement, row.state);
      if (identity !== null) this.adopt(identity);
      if (row.settlement !== null) this.#run(`UPDATE settlement SET state = 'SIGNED' WHERE id = ?`, row.settlement);
    });
  }

  setBroadcast(settlement: number): void {
    this.#run(`UPDATE settlement SET state = 'BROADCAST' WHERE id = ? AND state = 'SIGNED'`, settlement);
  }

  openTransactions(): TransactionRow[] {
    return this.#all<TransactionRow>(`SELECT * FROM ledger_transaction WHERE state = 'OPEN' ORDER BY nonce`);
  }

  setTransaction(hash: Hex, state: TransactionRow['state']): void {
    this.#run('UPDATE ledger_transaction SET state = ? WHERE hash = ?', state, hash);
  }

  /** The chain went back: what was mined from `nonce` on is unspent again, and its same bytes are valid again. */
  reopen(nonce: number): number {
    return this.#atomically(() => {
      const lost = this.#all<TransactionRow>(
        `SELECT * FROM ledger_transaction WHERE state = 'MINED' AND nonce >= ?`,
        nonce,
      );
      for (const { hash, settlement } of lost) {
        this.setTransaction(hash, 'OPEN');
        if (settlement === null) continue;
        const sql = `UPDATE settlement SET state = 'SIGNED', block = NULL, tx_hash = NULL WHERE id = ?`;
        this.#run(sql, settlement);
      }
      return lost.length;
    });
  }

  /** Another chain: nothing signed is of use, everything kept is to be settled again. */
  startOver(): number {
    return this.#atomically(() => {
      const sql = `SELECT count(*) AS n FROM settlement WHERE state IN ('MINED', 'FINAL')`;
      const lost = this.#all<{ n: number }>(sql)[0]?.n ?? 0;
      this.#run('DELETE FROM ledger_transaction');
      this.#run('DELETE FROM identity');
      this.#run(`UPDATE settlement SET state = 'NEW', block = NULL, tx_hash = NULL WHERE state <> 'REJECTED'`);
      return lost;
    });
  }

  // -------------------------------------------------------------------------------------------- sqlite

  #run(sql: string, ...values: SQLInputValue[]): void {
    this.#guard(() => this.#db.prepare(sql).run(...values));
  }

  #all<Row>(sql: string, ...values: SQLInputValue[]): Row[] {
    return this.#guard(() => this.#db.prepare(sql).all(...values) as Row[]);
  }

  #atomically<T>(work: () => T): T {
    this.#run('BEGIN IMMEDIATE');
    try {
      const result = work();
      this.#run('COMMIT');
      return result;
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
      throw error;
    }
  }

  #guard<T>(work: () => T): T {
    try {
      return work();
    } catch (cause) {
      throw new Fault('OUTBOX_UNUSABLE', `${this.#path}: ${cause instanceof Error ? cause.message : cause}`, cause);
    }
  }
}
