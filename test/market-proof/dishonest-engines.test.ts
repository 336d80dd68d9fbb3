import { beforeAll, describe, expect, test } from 'vitest';
import { toHex } from '../../src/domain/proof/canonical-bytes.ts';
import { type ClearingArtefact, isShown } from '../../src/domain/proof/clearing-artefact.ts';
import { readArtefact } from '../../src/domain/proof/read-artefact.ts';
import type { SignedReceipt } from '../../src/domain/proof/receipt.ts';
import { gateRootHash } from '../../src/domain/proof/typed-statement.ts';
import { type Expected, proveOmission, verifyClearing } from '../../src/domain/proof/verify-clearing.ts';
import { dishonestly } from './dishonest-engine.ts';
import { type Mutable, ordinaryHour, patched, swap } from './ordinary-hour.ts';
import {
  ENGINE,
  MARKET,
  member,
  OTHER_PRODUCT,
  PRODUCT,
  ProofMarket,
  rememberingTools,
  terms,
} from './proof-market.ts';

const tools = rememberingTools();

let market: ProofMarket;
let honest: ClearingArtefact;
let known: Expected;

beforeAll(async () => {
  ({ market, artefact: honest } = await ordinaryHour());
  known = { root: toHex(gateRootHash(honest.gate, tools.hasher)), engine: ENGINE, receipts: market.receipts };
});

function commands(artefact: ClearingArtefact) {
  return artefact.commands.filter(isShown);
}

function changed(change: (artefact: Mutable) => void): ClearingArtefact {
  const copy = structuredClone(honest);
  change(copy as Mutable);
  return copy;
}

test('an honest clearing holds, with every receipt and in both books', () => {
  const ok = { ok: true, root: known.root, replayed: true, receipts: 11 };
  expect(verifyClearing(honest, tools, known)).toEqual(ok);
  expect(verifyClearing(honest, rememberingTools('engine'), known)).toEqual(ok);
  expect(commands(honest).map(({ verdict }) => verdict)).toEqual([
    'accepted',
    'accepted',
    'tick_size',
    'accepted',
    'accepted',
    'exceeds_collateral',
    'accepted',
    'cancelled',
    'accepted',
    'exists',
    'accepted',
  ]);
  expect(honest.result.volume).toBeGreaterThan(0);
});

describe('an engine that lies and signs', () => {
  const lie = (change: (log: Mutable) => void) => dishonestly(honest, change, tools);
  const found = async (change: (log: Mutable) => void, receipts: readonly SignedReceipt[] = market.receipts) =>
    verifyClearing(await lie(change), tools, { engine: ENGINE, receipts });

  test('omits an order: its receipt finds it, and every later one', async () => {
    const omit = (log: Mutable) => log.commands.splice(3, 1);
    const own = market.receipts.filter(({ receipt }) => receipt.sequence === 9);
    expect(await found(omit, own)).toMatchObject({ ok: false, breach: 'order_omitted', sequence: 9 });
    const later = market.receipts.filter(({ receipt }) => receipt.sequence === 15);
    expect(await found(omit, later)).toMatchObject({ ok: false, breach: 'chain_broken', sequence: 15 });
    expect(await found(omit, [])).toMatchObject({ ok: true });
  });

  test('invents an order of a member', async () => {
    const invent = (log: Mutable) => {
      const { salt, previous, reserved } = log.commands[3];
      const record = patched(patched(log.commands[3].record, 24), 60);
      log.commands.splice(4, 0, {
        sequence: 7,
        record,
        verdict: 'accepted',
        previous,
        salt,
        reserved,
        filled: 0,
        fate: null,
      });
      for (const [at, command] of log.commands.entries()) command.sequence = 4 + at;
      log.gate.sequence = 40;
    };
    expect(await found(invent, [])).toMatchObject({ ok: false, breach: 'order_invented', sequence: 8 });
  });

  test('puts two orders in another order', async () => {
    expect(await found((log) => swap(log, 3, 4))).toMatchObject({ ok: false, breach: 'reordered', sequence: 9 });
  });

  test('gives another verdict than in the receipt', async () => {
    const refuse = (log: Mutable) => {
      log.commands[3].verdict = 'self_cross';
    };
    expect(await found(refuse)).toMatchObject({ ok: false, breach: 'verdict_differs', sequence: 9 });
    expect(await found(refuse, [])).toMatchObject({ ok: false, breach: 'verdict_differs', sequence: 9 });
  });

  test('makes a price', async () => {
    const found1 = await found((log) => {
      log.result.prices = [120_000];
    });
    expect(found1).toMatchObject({ ok: false, breach: 'price_differs' });
  });

  test('changes the rules between opening and gate: the root of the ledger names others', async () => {
    const artefact = await lie((log) => {
      log.members[0].capability += 1;
    });
    expect(verifyClearing(artefact, tools, { engine: ENGINE, receipts: market.receipts }).ok).toBe(true);
    expect(verifyClearing(artefact, tools, known)).toMatchObject({ ok: false, breach: 'root_differs' });
  });

  test('gives a receipt for an accepted order after the gate', async () => {
    const late = new ProofMarket().start(terms(5), PRODUCT, OTHER_PRODUCT);
    for (let at = 0; at < 20; at += 1) late.cancel(0, 70 + at);
    late.order({ member: 0, clientOrderId: 99, side: 'sell', limit: 100_000, energy: 10 });
    await late.seal();
    const receipts = late.receipts.slice(-1);
    expect(verifyClearing(honest, tools, { engine: ENGINE, receipts })).toMatchObject({
      breach: 'order_omitted',
      sequence: 24,
    });
  });
});

describe('proof of omission', () => {
  test('convicts an engine that signed both', async () => {
    const artefact = await dishonestly(honest, (log) => (log as Mutable).commands.splice(3, 1), tools);
    const signed = market.receipts.find(({ receipt }) => receipt.sequence === 9) as SignedReceipt;
    expect(proveOmission(signed, artefact, tools, ENGINE)).toMatchObject({ proved: true, breach: 'order_omitted' });
    expect(proveOmission(signed, honest, tools, ENGINE)).toEqual({ proved: false, reason: 'the log holds it' });
  });

  test('proves nothing with a receipt or an artefact that the engine did not sign', async () => {
    const signed = market.receipts.find(({ receipt }) => receipt.sequence === 9) as SignedReceipt;
    const forged = { ...signed, receipt: { ...signed.receipt, verdict: 'tick_size' as const } };
    expect(proveOmission(forged, honest, tools, ENGINE).proved).toBe(false);
    const unsigned = changed((a) => {
      a.commands.splice(3, 1);
      a.gate.commands -= 1;
    });
    expect(proveOmission(signed, unsigned, tools, ENGINE).proved).toBe(false);
    const ofOther = market.receipts.find(({ receipt }) => receipt.product === OTHER_PRODUCT) as SignedReceipt;
    expect(proveOmission(ofOther, honest, tools, ENGINE).proved).toBe(false);
  });
});

describe("a member's view", () => {
  test('proves that its orders and their fates are under the root, and shows nobody else', async () => {
    const view = await market.artefact(member(1));
    expect(verifyClearing(view, tools, known)).toEqual({ ok: true, root: known.root, replayed: false, receipts: 1 });
    const text = JSON.stringify(view);
    for (const [at, command] of commands(honest).entries()) {
      if (at !== 1) expect(text).not.toContain(command.record.slice(2));
      if (at !== 1) expect(text).not.toContain(command.salt.slice(2));
    }
    for (const other of [0, 2, 3, 4]) expect(text).not.toContain(member(other));
    expect(view.commands.filter((part) => !('leaf' in part))).toMatchObject([{ verdict: 'accepted', filled: 400 }]);
    expect(readArtefact(text)).toEqual(view);
  });

  test('finds its own order left out, and its fate changed', async () => {
    const view = (await market.artefact(member(1))) as Mutable;
    const less = structuredClone(view);
    less.commands[1].filled -= 1;
    expect(verifyClearing(less, tools, known)).toMatchObject({ breach: 'root_differs' });
    const other = structuredClone(view);
    other.commands[1].fate = 'partly_filled';
    expect(verifyClearing(other, tools, known)).toMatchObject({ breach: 'root_differs' });
    const hidden = structuredClone(view);
    hidden.commands[1] = hidden.commands[0];
    expect(verifyClearing(hidden, tools, known)).toMatchObject({ breach: 'order_omitted', sequence: 5 });
  });
});

test('one receipt a commit has an empty path; receipts of one commit share their head', () => {
  const [first, second] = market.receipts;
  expect([first?.path.length, second?.path.length, first?.head.count]).toEqual([1, 1, 2]);
  expect(first?.head).toEqual(second?.head);
  expect(MARKET).toBe(first?.head.market);
});
