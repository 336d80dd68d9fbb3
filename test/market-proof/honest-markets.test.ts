import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { keccakHasher, signDigest } from '../../src/adapters/keys/secp256k1-signer.ts';
import { ReceiptBook } from '../../src/apps/engine/receipt-book.ts';
import { toHex } from '../../src/domain/proof/canonical-bytes.ts';
import { readArtefact, readReceipts } from '../../src/domain/proof/read-artefact.ts';
import { gateRootHash } from '../../src/domain/proof/typed-statement.ts';
import { verifyClearing } from '../../src/domain/proof/verify-clearing.ts';
import type { Nano } from '../../src/domain/units/money.ts';
import type { EpochMs } from '../../src/domain/units/time.ts';
import { ENGINE, member, OTHER_PRODUCT, PRODUCT, ProofMarket, rememberingTools, terms } from './proof-market.ts';
import { randomMarket } from './random-market.ts';

const tools = rememberingTools('twin');
const engineTools = rememberingTools('engine');

describe('an honest engine', () => {
  test('is never accused, whatever its members, halts and terms did', async () => {
    const seen = new Set<string>();
    const seeds = fc.asyncProperty(fc.integer({ min: 0, max: 2 ** 31 }), async (seed) => {
      const market = await randomMarket(seed, 45);
      for (const product of [PRODUCT, OTHER_PRODUCT]) {
        const artefact = await market.close(product);
        const root = toHex(gateRootHash(artefact.gate, keccakHasher));
        const expected = { root, engine: ENGINE, receipts: market.receipts };
        const isZonal = artefact.rules.product.fees.length > 1;
        expect(verifyClearing(artefact, isZonal ? engineTools : tools, expected)).toMatchObject({ ok: true, root });
        const view = await market.artefact(member(1), product);
        expect(verifyClearing(view, tools, expected)).toMatchObject({ ok: true, root });
        expect(readArtefact(JSON.stringify(artefact))).toEqual(artefact);
        for (const part of artefact.commands) if ('verdict' in part) seen.add(part.verdict);
      }
      expect(readReceipts(JSON.stringify(market.receipts))).toEqual(market.receipts);
    });
    await fc.assert(seeds, { numRuns: 25 });
    const kinds = ['accepted', 'cancelled', 'unknown_order', 'tick_size', 'self_cross', 'member_halted'];
    for (const kind of [...kinds, 'market_halted', 'exceeds_capability', 'exceeds_collateral', 'unknown_member']) {
      expect(seen).toContain(kind);
    }
  });

  test('rebuilds receipts, roots and artefacts from the journal', async () => {
    const market = await randomMarket(11, 40);
    const artefact = await market.close();
    const again = new ProofMarket();
    for (const { command } of market.records) again.apply(command);
    again.book.passOver();
    expect(await again.artefact(null)).toEqual(artefact);
    again.cancel(0, 1);
    market.cancel(0, 1);
    await Promise.all([again.seal(), market.seal()]);
    expect(again.receipts.at(-1)).toEqual(market.receipts.at(-1));
  });

  test('answers after the gate with receipts that are in no root and accuse nobody', async () => {
    const market = new ProofMarket().start(terms(2), PRODUCT);
    const sell = { member: 0, clientOrderId: 1, side: 'sell', limit: 90_000, energy: 5 } as const;
    market.order(sell);
    const artefact = await market.close();
    expect(market.order(sell)).toBe('exists');
    expect(market.order({ ...sell, clientOrderId: 2 })).toBe('gate_closed');
    await market.seal();
    const check = verifyClearing(artefact, tools, { engine: ENGINE, receipts: market.receipts });
    expect(check).toMatchObject({ ok: true, receipts: 3 });
  });

  test('has a root of a product without any order, and none before its gate', async () => {
    const market = new ProofMarket().start(terms(2), PRODUCT, OTHER_PRODUCT);
    expect(verifyClearing(await market.close(), tools, { engine: ENGINE })).toMatchObject({ ok: true });
    expect(await market.book.artefact(OTHER_PRODUCT, null)).toBeNull();
    expect(await market.book.gateRoot(OTHER_PRODUCT)).toBeNull();
  });

  test('chains every receipt of the market, also for products that nobody opened', async () => {
    const market = new ProofMarket().start(terms(2), PRODUCT);
    const sell = { member: 0, side: 'sell', limit: 90_000, energy: 5 } as const;
    expect(market.order({ ...sell, clientOrderId: 1, product: OTHER_PRODUCT })).toBe('unknown_product');
    await market.seal();
    market.order({ ...sell, clientOrderId: 2 });
    await market.seal();
    const [first, second] = market.receipts;
    expect(first?.head.previous).not.toBe(second?.head.previous);
    expect(second?.path).toEqual([]);
    expect(await market.book.seal()).toEqual([]);
  });
});

describe('every byte of an artefact', () => {
  test('that is changed is found, unless it has no meaning', async () => {
    const two = terms(2).members.map((one) => ({ ...one, collateral: 900_000_000 as Nano }));
    const market = new ProofMarket().start(terms(2, { members: two }), PRODUCT);
    market.order({ member: 0, clientOrderId: 1, side: 'sell', limit: 90_000, energy: 5 });
    market.apply({ type: 'halt', at: 0 as EpochMs, member: member(1) });
    market.apply({ type: 'resume', at: 0 as EpochMs, member: member(1) });
    market.apply({ type: 'halt', at: 0 as EpochMs, member: null });
    market.apply({ type: 'resume', at: 0 as EpochMs, member: null });
    market.order({ member: 1, clientOrderId: 1, side: 'buy', limit: 190_000, energy: 7 });
    const artefact = await market.close();
    const expected = { root: toHex(gateRootHash(artefact.gate, keccakHasher)), engine: ENGINE };
    const text = JSON.stringify(artefact);
    const replacements = '0123456789abcdef"{}[],: -.enxt';
    for (let at = 0; at < text.length; at += 1) {
      for (const turn of [7, 11]) {
        const replacement = replacements[(at * turn) % replacements.length] ?? ' ';
        const changed = text.slice(0, at) + replacement + text.slice(at + 1);
        const read = readArtefact(changed);
        if ('malformed' in read || JSON.stringify(read) === text) continue;
        expect(verifyClearing(read, tools, expected).ok, `byte ${at}: ${changed.slice(at - 30, at + 30)}`).toBe(false);
      }
    }
  });
});

test('of a thousand orders the artefact, a view and a receipt stay small', async () => {
  const market = new ProofMarket().start(terms(50), PRODUCT);
  for (let at = 0; at < 1000; at += 1) {
    const limit = 80_000 + 100 * ((at * 37) % 2200);
    market.order({
      member: at % 50,
      clientOrderId: at,
      side: at % 2 === 0 ? 'sell' : 'buy',
      limit,
      energy: 1 + (at % 90),
    });
  }
  await market.seal();
  const size = (value: unknown) => JSON.stringify(value).length;
  expect(size(await market.close())).toBeLessThan(600_000);
  expect(size(await market.artefact(member(1)))).toBeLessThan(100_000);
  expect(size(market.receipts[500])).toBeLessThan(1500);
});

test('a receipt book needs nothing but the journal and its keys: two with other secrets agree on every receipt', async () => {
  const parts = { market: terms(0).market, chainId: 1, engine: ENGINE, engineVersion: 2, hasher: keccakHasher };
  const sign = async (digest: Uint8Array) => signDigest(keccakHasher.keccak256(Uint8Array.of(1)), digest);
  const books = [1, 2].map((secret) => {
    return new ReceiptBook({ ...parts, secret: keccakHasher.keccak256(Uint8Array.of(secret)), sign });
  });
  const decided = { kind: 'cancel', sequence: 3, record: Uint8Array.of(1, 2, 3), product: PRODUCT, member: 0 } as const;
  for (const book of books) {
    book.record({ ...decided, memberId: member(0), clientOrderId: 1, verdict: 'unknown_order', reserved: null });
  }
  const [one, two] = await Promise.all(
    books.map((book) => {
      book.work();
      return book.seal();
    }),
  );
  expect(one).toEqual(two);
});
