import type { Evidence, SignedContent } from '../../adapters/keys/order-evidence.ts';
import { openSignaturePool, type SignaturePool } from '../../adapters/keys/signature-pool.ts';
import type { SignatureTask } from '../../adapters/keys/signature-task.ts';
import type { BatchEntry, BatchMessage, CancelMessage, OrderMessage } from '../../adapters/mqtt/wire.ts';
import type { EngineEvent } from '../../domain/engine/event.ts';
import { assert } from '../../domain/units/assert.ts';
import type { MarketId, MemberId } from '../../domain/units/identity.ts';
import { isFault } from '../../errors/fault.ts';
import { Admission, type AdmissionTerms, DEFAULT_ADMISSION, type Turnaway } from './admission.ts';
import type { CommandWriter } from './command-writer.ts';
import { openSignatureDesk, type SignatureDesk } from './signature-desk.ts';

export type DoorMessage = OrderMessage | CancelMessage | BatchMessage;

/** The engine's answer to one message. `bad_signature`: nobody is told whether the key exists. */
export interface Verdict {
  readonly ok: boolean;
  readonly code: string;
  readonly sequence?: number;
  /** With `rate_limited` and `queue_full`: the same message may be taken after this. Nothing remembers it until then. */
  readonly retryAfterMs?: number;
  /** Of a batch that was opened: the answer to each entry, in its order. */
  readonly entries?: readonly EntryVerdict[];
}

export interface EntryVerdict {
  readonly kind: 'order' | 'cancel';
  readonly product: number;
  readonly clientOrderId: number;
  readonly ok: boolean;
  readonly code: string;
  readonly sequence?: number;
}

export interface OrderDoor {
  /**
   * Admits, verifies, journals and answers; resolves when the answer is on stable storage. Messages of one member are
   * journaled in the order of the calls.
   * @throws Fault where the journal does not take it: DISK_FULL for a new order, and whatever ends the engine
   */
  submit(member: string, message: DoorMessage): Promise<Verdict>;
  /** What a message of that member would hear before it is read. Null: let it be read. */
  look(member: string): Turnaway | null;
  /** That member sent what is no message. */
  charge(member: string): void;
  /** Whoever waits for its signature is sent away as by a full queue. */
  close(): Promise<void>;
}

interface DoorTerms {
  readonly market: MarketId;
  readonly chainId: number;
  /** Lower-case EVM addresses by member. */
  readonly addresses: ReadonlyMap<string, string>;
  /** How far the member's clock is off, as its gateway reported. */
  clockOffMs(member: string): number;
  readonly admission?: AdmissionTerms;
  /** Ms, monotonic. */
  monotonicNow?(): number;
  /** Closed with the door. */
  readonly signatures?: SignaturePool;
}

export function createOrderDoor(writer: Pick<CommandWriter, 'commit'>, terms: DoorTerms): OrderDoor {
  const monotonicNow = terms.monotonicNow ?? (() => performance.now());
  const admission = new Admission(terms.addresses.keys(), terms.admission ?? DEFAULT_ADMISSION, monotonicNow);
  const desk = openSignatureDesk(terms.signatures ?? openSignaturePool());
  return {
    async submit(member, message) {
      const count = message.kind === 'batch' ? message.entries.length : 1;
      const refusal = admission.enter(member, count);
      if (refusal !== null) return turnedAway(refusal);
      try {
        return await answer(writer, desk, terms, member as MemberId, message);
      } finally {
        admission.leave(member, count);
      }
    },
    look: (member) => admission.look(member),
    charge: (member) => admission.charge(member),
    close: () => desk.close(),
  };
}

function turnedAway({ code, retryAfterMs }: Turnaway): Verdict {
  return code === 'unknown_member' ? { ok: false, code } : { ok: false, code, retryAfterMs };
}

const BAD_SIGNATURE: Verdict = { ok: false, code: 'bad_signature' };
/** The engine ends: to be sent again, to the next one. */
const CLOSING: Verdict = { ok: false, code: 'queue_full', retryAfterMs: 5000 };

/** Nothing may wait between the finding and the commits: that keeps the messages of a member in their order. */
async function answer(
  writer: Pick<CommandWriter, 'commit'>,
  desk: SignatureDesk,
  terms: DoorTerms,
  member: MemberId,
  message: DoorMessage,
): Promise<Verdict> {
  const entries = message.kind === 'batch' ? message.entries : [message];
  if (entries.some(({ product }) => product < 0)) return BAD_SIGNATURE;
  const found = await desk.find(member, taskOf(terms, member, message));
  if (found === null) return CLOSING;
  const { signer, evidence } = found;
  if (signer === null || signer !== terms.addresses.get(member)) return BAD_SIGNATURE;
  const clockOffMs = terms.clockOffMs(member);
  const commits = entries.map((entry, place) => {
    const proven = evidence[place];
    assert(proven !== undefined, `no evidence for entry ${place}`);
    return writer.commit(draftOf(member, entry, proven, clockOffMs));
  });
  if (message.kind !== 'batch') return verdictOf((await commits[0]) ?? []);
  return batchVerdict(entries, await Promise.all(commits.map((commit) => commit.then(verdictOf, verdictOfFault))));
}

function taskOf({ chainId, market }: DoorTerms, member: MemberId, message: DoorMessage): SignatureTask {
  const { signature } = message;
  if (message.kind !== 'batch') return { chainId, signature, content: contentOf(market, member, message) };
  return { chainId, signature, batch: message.entries.map((entry) => contentOf(market, member, entry)) };
}

function contentOf(market: MarketId, member: MemberId, entry: BatchEntry): SignedContent {
  const { product, clientOrderId } = entry;
  const key = { market, product, member, clientOrderId };
  if (entry.kind === 'cancel') return { kind: 'cancel', key };
  const { side, type, limit, energy } = entry;
  return { kind: 'order', order: { ...key, side, type, limit, energy, ...replacesOf(entry) } };
}

function replacesOf({ replaces }: { readonly replaces?: number | undefined }) {
  return replaces === undefined ? {} : { replaces };
}

function draftOf(member: MemberId, entry: BatchEntry, evidence: Evidence, clockOffMs: number) {
  const { product, clientOrderId } = entry;
  const key = { product, member, clientOrderId };
  if (entry.kind === 'cancel') return { type: 'cancel', ...key, ...evidence } as const;
  const { side, type: orderType, limit, energy } = entry;
  const content = { side, orderType, limit, energy, ...replacesOf(entry) };
  return { type: 'order', ...key, ...content, clockOffMs, ...evidence } as const;
}

const UNANSWERED: Verdict = { ok: false, code: 'unknown_product' };

function verdictOf(events: readonly EngineEvent[]): Verdict {
  for (const event of events) {
    if (event.type === 'answered') return event.verdict;
  }
  return UNANSWERED;
}

/** A full disk refuses the new orders of a batch and none of its withdrawals; anything else ends the engine. */
function verdictOfFault(error: unknown): Verdict {
  if (!isFault(error, 'DISK_FULL')) throw error;
  return DISK_FULL;
}

/** Not journaled, so not remembered: to be sent again when there is space. */
export const DISK_FULL: Verdict = { ok: false, code: 'disk_full' };

function batchVerdict(entries: readonly BatchEntry[], verdicts: readonly Verdict[]): Verdict {
  const answers = entries.map(({ kind, product, clientOrderId }, place) => {
    return { kind, product, clientOrderId, ...(verdicts[place] ?? UNANSWERED) };
  });
  return { ok: true, code: 'answered', entries: answers };
}
