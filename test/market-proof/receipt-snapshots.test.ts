import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, describe, expect, test } from 'vitest';
import { keccakHasher } from '../../src/adapters/keys/secp256k1-signer.ts';
import { createCommandWriter, type Draft } from '../../src/apps/engine/command-writer.ts';
import { openMarketJournal } from '../../src/apps/engine/market-journal.ts';
import { ReceiptBook } from '../../src/apps/engine/receipt-book.ts';
import type { Command } from '../../src/domain/engine/command.ts';
import type { EpochMs } from '../../src/domain/units/time.ts';
import { member, OTHER_PRODUCT, PRODUCT, ProofMarket, RECEIPT_PARTS } from './proof-market.ts';
import { randomMarket } from './random-market.ts';

/** What a market shows of itself: its roots, its artefacts and the views of a member. */
async function shown(market: Pick<ProofMarket, 'book'>) {
  const products = await Promise.all(
    [PRODUCT, OTHER_PRODUCT].map(async (product) => [
      await market.book.gateRoot(product),
      await market.book.artefact(product, null),
      await market.book.artefact(product, member(1)),
    ]),
  );
  return { products, bytes: Buffer.from(market.book.snapshot()).toString('hex') };
}

describe('a receipt book that comes back from its snapshot', () => {
  test('goes on as the one that never ended: same receipts, roots and artefacts, byte for byte', async () => {
    const seeds = fc.asyncProperty(fc.nat(), fc.nat(44), async (seed, half) => {
      const whole = await randomMarket(seed, 45);
      const first = new ProofMarket();
      for (const { command } of whole.records.slice(0, half)) first.apply(command);
      const second = first.reborn();
      for (const { command } of whole.records.slice(half)) second.apply(command);
      await whole.close();
      second.apply({ type: 'close', at: 0 as EpochMs, product: PRODUCT });
      await second.seal();
      const third = second.reborn();
      whole.cancel(0, 1, OTHER_PRODUCT);
      third.cancel(0, 1, OTHER_PRODUCT);
      await Promise.all([whole.seal(), third.seal()]);
      expect(third.receipts).toEqual(whole.receipts.slice(-1));
      expect(await shown(third)).toEqual(await shown(whole));
    });
    await fc.assert(seeds, { numRuns: 12 });
  });

  test.each([
    ['another key', { engine: `0x${'11'.repeat(20)}` }],
    ['another secret', { secret: keccakHasher.keccak256(Uint8Array.of(1)) }],
    ['another chain', { chainId: 1 }],
  ])('is refused under %s', async (_, other) => {
    const market = await randomMarket(3, 10);
    const bookOf = (product: EpochMs) => market.state.products.get(product)?.book ?? null;
    const bytes = market.book.snapshot();
    expect(ReceiptBook.restore({ ...RECEIPT_PARTS, ...other }, bytes, bookOf)).toContain(
      'another key, market or chain',
    );
    expect(ReceiptBook.restore(RECEIPT_PARTS, bytes, () => null)).toBe('has other products');
    expect(ReceiptBook.restore(RECEIPT_PARTS, new Uint8Array(0), bookOf)).toBe('has no receipts');
  });
});

describe('a journal with snapshots', () => {
  const folders: string[] = [];
  afterEach(() => {
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true });
  });

  const open = (folder: string, said: string[] = [], receipts = RECEIPT_PARTS) =>
    openMarketJournal({ folder, receipts, tell: (line) => said.push(line), every: 10 });

  /** Journals the commands and takes snapshots on the way; what the market then shows. */
  async function lived(folder: string, commands: readonly Command[]) {
    const market = await open(folder);
    const { log, state, receipts, snapshots } = market;
    let at = state.now;
    const writer = createCommandWriter({
      ...{ log, state, receipts, clock: { now: () => at } },
      onCommitted: () => snapshots.consider(state, receipts.book),
    });
    for (const { at: then, ...draft } of commands) {
      at = Math.max(at, then) as EpochMs;
      await writer.commit(draft as Draft);
      // Each is on the disk before the next is due, however slow the disk is.
      await snapshots.close();
    }
    const told = await shown({ book: receipts.book });
    await log.close();
    return told;
  }

  async function begun(): Promise<{ folder: string; told: Awaited<ReturnType<typeof shown>> }> {
    const folder = mkdtempSync(join(tmpdir(), 'receipt-snapshots-'));
    folders.push(folder);
    const market = await randomMarket(21, 40);
    await market.close();
    return {
      folder,
      told: await lived(
        folder,
        market.records.map(({ command }) => command),
      ),
    };
  }

  async function reopened(folder: string, receipts = RECEIPT_PARTS) {
    const said: string[] = [];
    const market = await open(folder, said, receipts);
    const told = await shown({ book: market.receipts.book });
    await market.log.close();
    return { told, said };
  }

  const snapshotsIn = (folder: string) =>
    readdirSync(join(folder, 'snapshots')).map((name) => join(folder, 'snapshots', name));

  test('starts from the newest one and its tail, and shows the same', async () => {
    const { folder, told } = await begun();
    expect(snapshotsIn(folder)).toHaveLength(2);
    expect(await reopened(folder)).toEqual({ told, said: [] });
  });

  test('starts from all commands where no snapshot is whole, and says so', async () => {
    const { folder, told } = await begun();
    for (const path of snapshotsIn(folder)) {
      const bytes = readFileSync(path);
      bytes.writeUInt8(bytes.readUInt8(bytes.length - 9) ^ 1, bytes.length - 9);
      writeFileSync(path, bytes);
    }
    const again = await reopened(folder);
    expect(again.told).toEqual(told);
    expect(again.said.every((line) => line.startsWith('SNAPSHOT_UNUSABLE'))).toBe(true);
  });

  test('starts from all commands where the key is another one, once, and says so once', async () => {
    const { folder, told } = await begun();
    const secret = keccakHasher.keccak256(Uint8Array.of(9));
    const again = await reopened(folder, { ...RECEIPT_PARTS, secret });
    expect(again.said).toEqual([
      expect.stringMatching(/^SNAPSHOT_UNUSABLE .* has the receipts of another key, market or chain: all commands are/),
    ]);
    expect(again.told.products).not.toEqual(told.products);
  });
});
