import { beforeAll, describe, expect, test } from 'vitest';
import { signDigest } from '../../src/adapters/keys/secp256k1-signer.ts';
import { toHex } from '../../src/domain/proof/canonical-bytes.ts';
import type { ClearingArtefact } from '../../src/domain/proof/clearing-artefact.ts';
import { gateRootHash } from '../../src/domain/proof/typed-statement.ts';
import { type Expected, verifyClearing } from '../../src/domain/proof/verify-clearing.ts';
import { type Mutable, ordinaryHour, patched, swap } from './ordinary-hour.ts';
import { ENGINE, key, rememberingTools } from './proof-market.ts';

const tools = rememberingTools();
let honest: ClearingArtefact;
let known: Expected;

beforeAll(async () => {
  const { market, artefact } = await ordinaryHour();
  honest = artefact;
  known = { root: toHex(gateRootHash(honest.gate, tools.hasher)), engine: ENGINE, receipts: market.receipts };
});

function changed(change: (artefact: Mutable) => void): ClearingArtefact {
  const copy = structuredClone(honest);
  change(copy as Mutable);
  return copy;
}

/** The artefact was changed after the engine signed; whoever changed it can't sign. The receipts stay at home. */
describe('a change of the artefact is found by name', () => {
  test.each<[string, string, (artefact: Mutable) => void, number | null]>([
    [
      'the engine version',
      'parameters_differ',
      (a) => {
        a.rules.engineVersion += 1;
      },
      null,
    ],
    [
      'the tick',
      'parameters_differ',
      (a) => {
        a.rules.product.tick = 50;
      },
      null,
    ],
    [
      'the rationing',
      'parameters_differ',
      (a) => {
        a.rules.product.rationing = 'price-time';
      },
      null,
    ],
    [
      'a capability',
      'parameters_differ',
      (a) => {
        a.members[0].capability += 1;
      },
      null,
    ],
    [
      'an owner group',
      'parameters_differ',
      (a) => {
        a.members[0].group = 1;
      },
      null,
    ],
    [
      'a salt of a member',
      'parameters_differ',
      (a) => {
        a.members[0].salt = a.members[1].salt;
      },
      null,
    ],
    [
      'a halt that never was',
      'parameters_differ',
      (a) => {
        a.rules.halts.push({ sequence: 5, halted: true });
      },
      null,
    ],
    [
      'an order left out',
      'chain_broken',
      (a) => {
        a.commands.splice(3, 1);
        a.gate.commands -= 1;
      },
      10,
    ],
    [
      "two orders in each other's place",
      'reordered',
      (a) => {
        a.commands.splice(3, 2, a.commands[4], a.commands[3]);
      },
      9,
    ],
    [
      'two orders and their places',
      'chain_broken',
      (a) => {
        swap(a, 3, 4);
      },
      9,
    ],
    [
      'an order signed by nobody',
      'order_invented',
      (a) => {
        a.commands[3].record = patched(a.commands[3].record, 60);
      },
      9,
    ],
    [
      'the energy of an order',
      'order_invented',
      (a) => {
        a.commands[3].record = patched(a.commands[3].record, 32);
      },
      9,
    ],
    [
      'a verdict',
      'verdict_differs',
      (a) => {
        a.commands[2].verdict = 'accepted';
      },
      8,
    ],
    [
      'the last verdict',
      'verdict_differs',
      (a) => {
        a.commands[9].verdict = 'gate_closed';
      },
      15,
    ],
    [
      'a reservation',
      'verdict_differs',
      (a) => {
        a.commands[5].reserved = 0;
      },
      11,
    ],
    [
      'a reservation below that of the product itself',
      'verdict_differs',
      (a) => {
        a.commands[10].reserved = 1;
      },
      16,
    ],
    [
      'a reservation without effect',
      'root_differs',
      (a) => {
        a.commands[5].reserved += 1;
      },
      null,
    ],
    [
      'the price',
      'price_differs',
      (a) => {
        a.result.prices = [a.result.prices[0] + 100];
      },
      null,
    ],
    [
      'a trade',
      'trades_differ',
      (a) => {
        a.result.trades.list[0].energy -= 1;
      },
      null,
    ],
    [
      'a trade left out',
      'trades_differ',
      (a) => {
        a.result.trades.list.pop();
      },
      null,
    ],
    [
      'the volume',
      'trades_differ',
      (a) => {
        a.result.volume += 1;
      },
      null,
    ],
    [
      'a fill',
      'fate_differs',
      (a) => {
        a.commands[0].filled -= 1;
      },
      4,
    ],
    [
      'a fate',
      'fate_differs',
      (a) => {
        a.commands[0].fate = 'rationed_out';
      },
      4,
    ],
    [
      'a salt',
      'root_differs',
      (a) => {
        a.commands[0].salt = a.commands[1].salt;
      },
      null,
    ],
    [
      'the salt of the trades',
      'root_differs',
      (a) => {
        a.result.trades.salt = a.commands[1].salt;
      },
      null,
    ],
    [
      'the place of a receipt',
      'chain_broken',
      (a) => {
        a.commands[4].previous = a.commands[4].salt;
      },
      10,
    ],
    [
      'the log in the root',
      'root_differs',
      (a) => {
        a.gate.log = a.gate.result;
      },
      null,
    ],
    [
      'the sequence of the gate',
      'signature_wrong',
      (a) => {
        a.gate.sequence += 1;
      },
      null,
    ],
    [
      'the chain it is signed for',
      'order_invented',
      (a) => {
        a.chainId += 1;
      },
      4,
    ],
    [
      'the signature',
      'signature_wrong',
      (a) => {
        a.signature = patched(a.signature, 7);
      },
      null,
    ],
    [
      'another signature of the same',
      'signature_wrong',
      (a) => {
        a.signature = signedBy('home-00', a);
      },
      null,
    ],
    [
      'a hidden order',
      'malformed',
      (a) => {
        a.commands[0] = { leaf: a.commands[0].salt };
      },
      null,
    ],
  ])('%s', (_, breach, change, sequence) => {
    const found = verifyClearing(changed(change), tools, { engine: ENGINE });
    expect(found).toMatchObject({ ok: false, breach, sequence });
    expect(verifyClearing(changed(change), tools, known).ok).toBe(false);
  });
});

function signedBy(id: string, artefact: ClearingArtefact): string {
  return toHex(signDigest(key(id), gateRootHash(artefact.gate, tools.hasher)));
}
