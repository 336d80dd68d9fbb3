import { assert } from '../../domain/units/assert.ts';
import { type BucketState, type BucketTerms, drawTokens, FULL_BUCKET } from './token-bucket.ts';

/** What the doors let in before they look at a signature. Every count is of orders and cancels, each entry of a batch one. */
export interface AdmissionTerms extends BucketTerms {
  /** How many of one member may wait for their answer, and how many of all. */
  readonly memberQueue: number;
  readonly queue: number;
}

/** A batch has to fit: none of them may be below 64. */
export const DEFAULT_ADMISSION: AdmissionTerms = { ratePerSecond: 20, burst: 256, memberQueue: 256, queue: 16_384 };

/** Not a word about the order: nothing was verified and nothing is remembered. After the wait there may be room. */
export interface Turnaway {
  readonly code: 'unknown_member' | 'rate_limited' | 'queue_full';
  readonly retryAfterMs: number;
}

interface Standing {
  bucket: BucketState;
  waiting: number;
}

/** Who may come in now. It knows the members by name and keeps nothing of anybody else. */
export class Admission {
  readonly #terms: AdmissionTerms;
  readonly #now: () => number;
  readonly #members: ReadonlyMap<string, Standing>;
  #waiting = 0;

  /** `now`: ms, monotonic. */
  constructor(members: Iterable<string>, terms: AdmissionTerms, now: () => number) {
    this.#terms = terms;
    this.#now = now;
    this.#members = new Map([...members].map((id) => [id, { bucket: FULL_BUCKET, waiting: 0 }]));
  }

  /** Null: the member is in, its tokens are spent, and `leave` is due when all `count` are answered. */
  enter(member: string, count: number): Turnaway | null {
    const refusal = this.#draw(member, count, true) ?? this.#crowd(member, count);
    if (refusal !== null) return refusal;
    this.#count(member, count);
    return null;
  }

  /** What `enter` would say to one, before anything is spent: for what is not worth reading otherwise. */
  look(member: string): Turnaway | null {
    return this.#draw(member, 1, false) ?? this.#crowd(member, 1);
  }

  /** What could not be read has cost time as well. */
  charge(member: string): void {
    this.#draw(member, 1, true);
  }

  leave(member: string, count: number): void {
    this.#count(member, -count);
  }

  #draw(member: string, count: number, spend: boolean): Turnaway | null {
    const standing = this.#members.get(member);
    if (standing === undefined) return { code: 'unknown_member', retryAfterMs: 0 };
    const draw = drawTokens(standing.bucket, this.#now(), count, this.#terms);
    if (!draw.ok) return { code: 'rate_limited', retryAfterMs: draw.retryAfterMs };
    if (spend) standing.bucket = draw.state;
    return null;
  }

  #crowd(member: string, count: number): Turnaway | null {
    const { memberQueue, queue } = this.#terms;
    const own = this.#members.get(member)?.waiting ?? 0;
    if (own + count <= memberQueue && this.#waiting + count <= queue) return null;
    return { code: 'queue_full', retryAfterMs: RETRY_WHEN_FULL_MS };
  }

  #count(member: string, change: number): void {
    const standing = this.#members.get(member);
    assert(standing !== undefined && standing.waiting + change >= 0, `${member} leaves without having entered`);
    standing.waiting += change;
    this.#waiting += change;
  }
}

/** A queue that is full is empty again before this, or something is wrong. */
const RETRY_WHEN_FULL_MS = 1000;
