import { applyCommand } from '../domain/engine/apply-command.ts';
import { restoreState, snapshotState } from '../domain/engine/snapshot.ts';
import type { EngineState } from '../domain/engine/state.ts';
import { assert } from '../domain/units/assert.ts';
import { describeRequest, type MarketAnswer, type MarketRequest, requestKey } from './market-request.ts';

/** Of these nothing is remembered: the order never got to a book, or not into the journal. */
const WITHOUT_A_KEY: readonly string[] = [
  'unknown_member',
  'unknown_product',
  'mechanism_takes_no_orders',
  'tariff_inverted',
  'disk_full',
];

type Order = Extract<MarketRequest, { type: 'order' }>;

interface FirstAnswer<Request> {
  readonly request: Request;
  /** What every repetition hears. */
  readonly again: MarketAnswer;
}

/** What members were told, and so what they must be told for ever after. It knows nothing of the engine's insides. */
export class MarketAnswers {
  readonly #orders = new Map<string, FirstAnswer<Order>>();
  readonly #withdrawals = new Map<string, FirstAnswer<MarketRequest>>();
  readonly #keysBySequence = new Map<number, string>();
  #given = 0;

  get given(): number {
    return this.#given;
  }

  /** Takes note of an answer that leaves the engine. What is wrong with it, or null. */
  take(request: MarketRequest, answer: MarketAnswer): string | null {
    this.#given += 1;
    const problem = request.type === 'order' ? this.#takeOrder(request, answer) : this.#takeWithdrawal(request, answer);
    return problem === null ? null : `${describeRequest(request)} is told ${describe(answer)}: ${problem}`;
  }

  /** Asks a copy of that state everything again that it ever answered. What it says otherwise, or null. */
  problemIn(state: EngineState): string | null {
    const copy = restoreState(snapshotState(state));
    assert(copy !== null, 'a snapshot of this version');
    for (const { request, again } of [...this.#orders.values(), ...this.#withdrawals.values()]) {
      if (!copy.products.has(request.product)) continue;
      const [event] = applyCommand(copy, { ...request, at: copy.now });
      const verdict = event?.type === 'answered' ? event.verdict : null;
      if (verdict === null || describe(verdict) !== describe(again))
        return `${describeRequest(request)} was answered, and now hears ${verdict && describe(verdict)} instead of ${describe(again)}`;
    }
    return null;
  }

  #takeOrder(request: Order, answer: MarketAnswer): string | null {
    if (WITHOUT_A_KEY.includes(answer.code)) return null;
    const key = requestKey(request);
    const first = this.#orders.get(key);
    if (first !== undefined) return this.#compare(first, expectedFor(first, request), answer);
    if (answer.code.startsWith('exists_with')) return null;
    const again = answer.ok ? ({ ...answer, code: 'exists' } as const) : answer;
    this.#orders.set(key, { request, again });
    return answer.ok ? this.#claim(answer.sequence, key) : null;
  }

  #takeWithdrawal(request: MarketRequest, answer: MarketAnswer): string | null {
    if (!answer.ok) return null;
    const key = requestKey(request);
    const first = this.#withdrawals.get(key);
    if (first !== undefined) return this.#compare(first, first.again, answer);
    this.#withdrawals.set(key, { request, again: { ...answer, code: 'exists' } });
    return this.#claim(answer.sequence, `withdrawal of ${key}`);
  }

  #compare(first: FirstAnswer<MarketRequest>, expected: MarketAnswer, answer: MarketAnswer): string | null {
    if (describe(expected) === describe(answer)) return null;
    return `after ${describe(first.again)} it should be ${describe(expected)}`;
  }

  #claim(sequence: number, key: string): string | null {
    const other = this.#keysBySequence.get(sequence);
    this.#keysBySequence.set(sequence, key);
    return other === undefined ? null : `the sequence ${sequence} is that of ${other}`;
  }
}

function expectedFor({ request: first, again }: FirstAnswer<Order>, request: Order): MarketAnswer {
  if (first.side !== request.side) return { ok: false, code: 'exists_with_different_side' };
  if (first.orderType !== request.orderType) return { ok: false, code: 'exists_with_different_type' };
  if (first.limit !== request.limit) return { ok: false, code: 'exists_with_different_limit' };
  if (first.energy !== request.energy) return { ok: false, code: 'exists_with_different_energy' };
  if (first.replaces !== request.replaces) return { ok: false, code: 'exists_with_different_replaces' };
  return again;
}

function describe(answer: MarketAnswer): string {
  return answer.ok ? `${answer.code} at ${answer.sequence}` : answer.code;
}
