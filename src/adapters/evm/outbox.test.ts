import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Outbox, type TransactionRow } from './outbox.ts';
import type { ChunkContent } from './settlement-content.ts';

let folder: string;
let path: string;
let outbox: Outbox;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'energy-logic-outbox-'));
  path = join(folder, 'state', 'outbox.sqlite');
  outbox = Outbox.open(path);
});

afterEach(() => {
  outbox.close();
  rmSync(folder, { recursive: true });
});

test('a settlement is kept once, and another content only takes the place of a refused one', () => {
  keep(0, 'first');
  keep(0, 'second');
  expect(outbox.find('elm', 0, 0)).toMatchObject({ content: 'first', state: 'NEW' });
  outbox.setRejected(1, 'LEDGER_REJECTED', 'because');
  keep(0, 'third');
  expect(outbox.find('elm', 0, 0)).toMatchObject({ content: 'third', state: 'NEW', refusal: null });
  expect(outbox.count()).toBe(1);
});

test('a nonce carries one open transaction at a time, and a settlement too', () => {
  keep(0, 'a');
  keep(1, 'b');
  outbox.sign(transaction('0x01', 5, 1), null);
  expect(() => outbox.sign(transaction('0x02', 5, 2), null)).toThrow(/UNIQUE/);
  expect(() => outbox.sign(transaction('0x03', 6, 1), null)).toThrow(/UNIQUE/);
  expect(outbox.openTransactions().map(({ hash }) => hash)).toEqual(['0x01']);
  expect(outbox.settlement(2)?.state).toBe('NEW');
});

test('a chain that went back reopens the same transactions from the first unspent nonce on', () => {
  for (const at of [0, 1, 2]) {
    keep(at, 'content');
    outbox.sign(transaction(`0x0${at + 1}`, at, at + 1), null);
    outbox.setTransaction(`0x0${at + 1}`, 'MINED');
    outbox.setMined(at + 1, 10 + at, `0x0${at + 1}`);
    outbox.setFinal(at + 1);
  }
  expect(outbox.reopen(1)).toBe(2);
  expect(outbox.openTransactions().map(({ nonce }) => nonce)).toEqual([1, 2]);
  expect([1, 2, 3].map((id) => outbox.settlement(id)?.state)).toEqual(['FINAL', 'SIGNED', 'SIGNED']);
  expect(outbox.pending()).toBe(2);
});

test('on another chain everything but the refused starts over, and members keep their numbers', () => {
  keep(0, 'a');
  keep(1, 'b');
  outbox.addMembers(1, ['home-01', 'home-02']);
  outbox.sign(transaction('0x01', 0, 1), { chainId: 1, genesis: '0x0a', address: '0x0b' });
  outbox.setMined(1, 3, '0x01');
  outbox.setRejected(2, 'LEDGER_REJECTED', 'because');
  expect(outbox.startOver()).toBe(1);
  expect([1, 2].map((id) => outbox.settlement(id)?.state)).toEqual(['NEW', 'REJECTED']);
  expect(outbox.identity()).toBeNull();
  expect(outbox.openTransactions()).toEqual([]);
  expect(outbox.members()).toEqual(['home-01', 'home-02']);
});

test('everything is there when it is opened again', () => {
  keep(0, 'a');
  outbox.adopt({ chainId: 1, genesis: '0x0a', address: '0x0b' });
  outbox.close();
  outbox = Outbox.open(path);
  expect(outbox.find('elm', 0, 0)?.content).toBe('a');
  expect(outbox.identity()).toEqual({ chainId: 1, genesis: '0x0a', address: '0x0b' });
});

test('a second opener, a file that is none and a newer version are refused by name', () => {
  expect(codeOf(() => Outbox.open(path))).toBe('STATE_LOCKED');
  const other = join(folder, 'other.sqlite');
  writeFileSync(other, 'this is a text of some length, and no database at all'.repeat(20));
  expect(codeOf(() => Outbox.open(other))).toBe('OUTBOX_UNUSABLE');
  outbox.close();
  const db = new DatabaseSync(path);
  db.exec('PRAGMA user_version = 99');
  db.close();
  expect(codeOf(() => Outbox.open(path))).toBe('OUTBOX_UNUSABLE');
});

function keep(start: number, text: string): void {
  outbox.keep({ market: 'elm', start, chunk: 0 } as ChunkContent, text);
}

function transaction(hash: `0x${string}`, nonce: number, settlement: number): TransactionRow {
  return { hash, nonce, raw: '0xff', kind: 'settle', settlement, state: 'OPEN' };
}

function codeOf(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error instanceof Error && 'code' in error ? error.code : error;
  }
  return null;
}
