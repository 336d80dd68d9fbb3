import { fromHex, toHex } from '../../src/domain/proof/canonical-bytes.ts';
import type { ClearingArtefact } from '../../src/domain/proof/clearing-artefact.ts';
import type { Nano } from '../../src/domain/units/money.ts';
import { OTHER_PRODUCT, PRODUCT, ProofMarket, terms } from './proof-market.ts';

// biome-ignore lint/suspicious/noExplicitAny: a test writes where the product only reads
export type Mutable = any;

/** Five members; every kind of verdict that a call gives in an ordinary hour; another product between the lines. */
export async function ordinaryHour(): Promise<{ market: ProofMarket; artefact: ClearingArtefact }> {
  const market = new ProofMarket();
  const five = terms(5).members.map((one, at) => (at === 4 ? { ...one, collateral: 900_000_000 as Nano } : one));
  market.start(terms(5, { members: five }), PRODUCT, OTHER_PRODUCT);
  market.order({ member: 0, clientOrderId: 1, side: 'sell', limit: 100_000, energy: 900 });
  market.order({ member: 1, clientOrderId: 1, side: 'buy', limit: 250_000, energy: 400 });
  await market.seal();
  market.order({ member: 1, clientOrderId: 9, side: 'buy', limit: 200_000, energy: 10, product: OTHER_PRODUCT });
  market.order({ member: 4, clientOrderId: 1, side: 'buy', limit: 300_000, energy: 1000, product: OTHER_PRODUCT });
  market.order({ member: 2, clientOrderId: 1, side: 'buy', limit: 220_050, energy: 300 });
  market.order({ member: 2, clientOrderId: 2, side: 'buy', limit: 220_000, energy: 300 });
  market.order({ member: 3, clientOrderId: 1, side: 'sell', limit: 90_000, energy: 500 });
  await market.seal();
  market.order({ member: 4, clientOrderId: 1, side: 'buy', limit: 290_000, energy: 2500 });
  market.order({ member: 4, clientOrderId: 2, side: 'buy', limit: 290_000, energy: 500 });
  market.cancel(3, 1);
  market.order({ member: 3, clientOrderId: 2, side: 'sell', limit: 110_000, energy: 450 });
  market.order({ member: 0, clientOrderId: 1, side: 'sell', limit: 100_000, energy: 900 });
  market.order({ member: 4, clientOrderId: 3, side: 'buy', limit: 290_000, energy: 10 });
  const artefact = await market.close();
  return { market, artefact };
}

/** Two commands change places, with all that was said of them. */
export function swap(log: Mutable, a: number, b: number): void {
  const [first, second] = [log.commands[a], log.commands[b]];
  [first.record, second.record] = [second.record, first.record];
  [first.verdict, second.verdict] = [second.verdict, first.verdict];
  [first.filled, second.filled] = [second.filled, first.filled];
  [first.fate, second.fate] = [second.fate, first.fate];
  [first.previous, second.previous] = [second.previous, first.previous];
}

/** One byte changed. */
export function patched(hex: string, at: number): string {
  const bytes = fromHex(hex);
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  return toHex(bytes);
}
