import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { member, PRODUCT, ProofMarket, terms } from '../../../test/market-proof/proof-market.ts';
import type { SignedReceipt } from '../../domain/proof/receipt.ts';
import type { EpochMs } from '../../domain/units/time.ts';
import type { SignedGateRoot } from './product-log-book.ts';
import { ReceiptDesk } from './receipt-desk.ts';

function opened() {
  const market = new ProofMarket().start(terms(3), PRODUCT);
  const told: { seals: (readonly SignedReceipt[])[]; roots: SignedGateRoot[]; forgotten: number[]; bugs: unknown[] } = {
    ...{ seals: [], roots: [], forgotten: [], bugs: [] },
  };
  const desk = new ReceiptDesk({
    book: market.book,
    onReceipts: (receipts) => told.seals.push(receipts),
    onGate: (root) => told.roots.push(root),
    onForgotten: (product) => told.forgotten.push(product),
    onBug: (bug) => told.bugs.push(bug),
  });
  /** The desk is told after each of so many withdrawals of what is not there. */
  const burst = (count: number) => {
    for (let at = 0; at < count; at += 1) {
      const key = { product: PRODUCT, member: member(at % 3), clientOrderId: at };
      market.apply({ type: 'cancel', at: 0 as EpochMs, ...key, signature: `0x${'00'.repeat(65)}` });
      desk.noticed();
    }
  };
  const close = () => market.apply({ type: 'close', at: 0 as EpochMs, product: PRODUCT });
  return { market, desk, told, burst, close };
}

describe('a receipt desk', () => {
  test('does nothing while its caller runs, and seals together what came together', async () => {
    const { desk, told, burst } = opened();
    burst(5);
    await Promise.resolve();
    expect(told.seals).toEqual([]);
    await desk.close();
    burst(2);
    await desk.close();
    expect(told.seals.map((seal) => seal.length)).toEqual([5, 2]);
    expect(told.seals.flat().map(({ receipt }) => receipt.sequence)).toEqual([3, 4, 5, 6, 7, 8, 9]);
  });

  test('lets others in between under load, and does not hold receipts back until it ends', async () => {
    const { desk, told, burst } = opened();
    burst(3000);
    let turns = 0;
    const others = setInterval(() => {
      turns += 1;
    }, 0);
    await desk.close();
    clearInterval(others);
    expect(turns).toBeGreaterThan(3);
    expect(told.seals.flat()).toHaveLength(3000);
    expect(Math.max(...told.seals.map((seal) => seal.length))).toBeLessThan(1300);
    const heads = told.seals.map(([first]) => first?.head);
    expect(new Set(heads.map((head) => head?.previous)).size).toBe(heads.length);
  });

  test('tells a root when all that came before the gate is in it, and not before', async () => {
    const { market, desk, told, burst, close } = opened();
    burst(700);
    await desk.gate(PRODUCT);
    expect(told.roots).toEqual([]);
    close();
    burst(3);
    const gate = desk.gate(PRODUCT);
    await turn();
    expect(told.roots, 'others get their turn while it is worked out').toEqual([]);
    await gate;
    expect(told.roots.map(({ gate }) => gate.commands)).toEqual([700]);
    await desk.close();
    expect((await market.artefact(null)).commands).toHaveLength(700);
    await desk.sayRoots();
    expect(told.roots[1]).toEqual(told.roots[0]);
    expect(await market.book.gateRoot(PRODUCT)).toEqual(told.roots[0]);
  });

  test('takes a root back once, when its product is forgotten', async () => {
    const { market, desk, told, close } = opened();
    close();
    await desk.gate(PRODUCT);
    desk.completed();
    expect(told.forgotten).toEqual([]);
    market.book.forget(PRODUCT);
    desk.completed();
    desk.completed();
    expect(told.forgotten).toEqual([PRODUCT]);
    await desk.gate(PRODUCT);
    expect(told.roots).toHaveLength(1);
  });

  test('hands on what ends it', async () => {
    const { market, desk, told } = opened();
    const { book } = market;
    book.record({
      ...{ kind: 'order', sequence: 9, product: PRODUCT, member: 0, memberId: member(0), clientOrderId: 1 },
      ...{ record: Uint8Array.of(1), verdict: 'ä' as 'accepted', reserved: null },
    });
    desk.noticed();
    await desk.close();
    expect(told.bugs).toHaveLength(1);
  });
});
