import type { z } from 'zod';
import { decodeJson, publishJson } from '../../adapters/mqtt/json-topics.ts';
import { memberTopic, orderTopicMessage, type replyMessage } from '../../adapters/mqtt/wire.ts';
import type { BusMessage, DeviceBus } from '../../domain/ports.ts';
import { isIdentifier } from '../../domain/units/identity.ts';
import { isFault } from '../../errors/fault.ts';
import type { MarketErrors } from './market-errors.ts';
import { DISK_FULL, type DoorMessage, type EntryVerdict, type OrderDoor, type Verdict } from './order-door.ts';

export interface OrderIntakeParts {
  readonly market: string;
  readonly bus: Pick<DeviceBus, 'publish'>;
  readonly door: OrderDoor;
  log(line: string): void;
  /** Told where the broker does not take a reply. */
  readonly errors?: Pick<MarketErrors, 'write'> | undefined;
  /** Ms, monotonic. */
  monotonicNow?(): number;
}

/** A batch of 64 with every number at its longest has 13,000 bytes. */
const LARGEST_MESSAGE = 32 * 1024;
/** A member that is turned away hears so at most this often. */
const REFUSAL_EVERY_MS = 1000;
/** Each sender of nonsense is named once, and not more of them than this. */
const MOST_COMPLAINTS = 1000;
/** Senders who are nobody share one reply a second. */
const NOBODY = '';

/**
 * Orders in and replies out over MQTT. The topic names the member, the signature proves it. What is refused is refused
 * as early as possible: by its size, by its sender, by how much that sender sent, and only then is it read.
 */
export class OrderIntake {
  readonly #parts: OrderIntakeParts;
  readonly #monotonicNow: () => number;
  readonly #refusedAt = new Map<string, number>();
  readonly #complaints = new Set<string>();

  constructor(parts: OrderIntakeParts) {
    this.#parts = parts;
    this.#monotonicNow = parts.monotonicNow ?? (() => performance.now());
  }

  take({ topic, payload }: Pick<BusMessage, 'topic' | 'payload'>): void {
    const { door } = this.#parts;
    const member = topic.slice(topic.lastIndexOf('/') + 1);
    const refusal = door.look(member);
    if (refusal !== null && !this.#mayRefuse(refusal.code === 'unknown_member' ? NOBODY : member)) return;
    const message = payload.length > LARGEST_MESSAGE ? null : decodeJson(orderTopicMessage, { payload });
    if (message === null || !isIdentifier(member)) {
      door.charge(member);
      this.#complain(topic);
    } else if (refusal !== null) this.#reply(member, message, { ok: false, code: refusal.code });
    else void this.#submit(member, message);
  }

  async #submit(member: string, message: DoorMessage): Promise<void> {
    try {
      const verdict = await this.#parts.door.submit(member, message);
      if (verdict.retryAfterMs === undefined || this.#mayRefuse(member)) this.#reply(member, message, verdict);
    } catch (error) {
      if (!isFault(error)) throw error;
      // Any other journal fault ends the engine; the member asks the next one.
      if (error.code === 'DISK_FULL') this.#reply(member, message, DISK_FULL);
    }
  }

  #reply(member: string, message: DoorMessage, verdict: Verdict): void {
    const { bus, market, errors } = this.#parts;
    const topic = memberTopic(market, 'reply', member);
    for (const answer of answersTo(message, verdict)) {
      publishJson(bus, topic, answer).catch((error: unknown) => {
        if (!isFault(error)) throw error;
        // The member asks again and gets the same answer.
        errors?.write(error.code, `reply to ${member}: ${error.message}`);
      });
    }
  }

  #mayRefuse(member: string): boolean {
    const now = this.#monotonicNow();
    if (now - (this.#refusedAt.get(member) ?? Number.NEGATIVE_INFINITY) < REFUSAL_EVERY_MS) return false;
    this.#refusedAt.set(member, now);
    return true;
  }

  #complain(topic: string): void {
    if (this.#complaints.has(topic) || this.#complaints.size >= MOST_COMPLAINTS) return;
    this.#complaints.add(topic);
    const what = 'no order, cancel or batch of the wire format; dropped, and so is all of its kind';
    this.#parts.log(`PAYLOAD_MALFORMED ${topic.replaceAll(/\p{Cc}/gu, ' ')}: ${what}`);
  }
}

type Reply = z.input<typeof replyMessage>;

/** One for each order and cancel: as the batch as a whole was answered, where its entries were not. */
function answersTo(message: DoorMessage, verdict: Verdict): Reply[] {
  if (message.kind !== 'batch') return [replyTo(message, verdict)];
  return message.entries.map((entry, place) => replyTo(entry, verdict.entries?.[place] ?? verdict));
}

function replyTo(
  { kind, product, clientOrderId }: Pick<EntryVerdict, 'kind' | 'product' | 'clientOrderId'>,
  { ok, code, sequence }: Pick<Verdict, 'ok' | 'code' | 'sequence'>,
): Reply {
  return { kind, product, clientOrderId, ok, code, ...(sequence === undefined ? {} : { sequence }) };
}
