import {
  type CancelMessage,
  memberTopic,
  type OrderMessage,
  type ReplyMessage,
  replyMessage,
} from '../../adapters/mqtt/wire.ts';
import type { DeviceBus } from '../../domain/ports.ts';
import { isFault } from '../../errors/fault.ts';

type Unsigned<Message> = Omit<Message, 'signature'>;

/** A member's own door to the market. What is sent is signed, and repeated until it is answered: the engine acts once. */
export interface OrderClient {
  /** Resolves with the engine's answer, or null where none came in time. */
  order(order: Unsigned<OrderMessage>): Promise<ReplyMessage | null>;
  cancel(cancel: Unsigned<CancelMessage>): Promise<ReplyMessage | null>;
  /** What waits for an answer gets none. */
  close(): void;
}

export interface OrderClientOptions {
  readonly bus: DeviceBus;
  readonly market: string;
  readonly member: string;
  sign(message: Unsigned<OrderMessage> | Unsigned<CancelMessage>): Promise<string>;
  readonly repeatMs: number;
  readonly attempts: number;
}

export async function openOrderClient(options: OrderClientOptions): Promise<OrderClient> {
  const { bus, market, member } = options;
  const waiting = new Map<string, (reply: ReplyMessage | null) => void>();
  let isOpen = true;
  await bus.subscribe(memberTopic(market, 'reply', member), 1, ({ payload }) => {
    const reply = parseReply(payload);
    if (reply !== null && !NOT_YET.has(reply.code)) waiting.get(keyOf(reply))?.(reply);
  });
  const send = async (unsigned: Unsigned<OrderMessage> | Unsigned<CancelMessage>) => {
    const message = { ...unsigned, signature: await options.sign(unsigned) };
    const payload = Buffer.from(JSON.stringify(message));
    if (!isOpen) return null;
    const key = keyOf(unsigned);
    const answered = new Promise<ReplyMessage | null>((resolve) => waiting.set(key, resolve));
    const reply = await repeatUntil(
      answered,
      () => publish(bus, memberTopic(market, 'order', member), payload),
      options,
    );
    waiting.delete(key);
    return reply;
  };
  const close = () => {
    isOpen = false;
    for (const giveUp of waiting.values()) giveUp(null);
  };
  return { order: send, cancel: send, close };
}

/** The engine has not looked at the message and remembers nothing of it: it is sent again as if nobody had answered. */
const NOT_YET: ReadonlySet<string> = new Set(['rate_limited', 'queue_full', 'disk_full']);

function keyOf({ kind, product, clientOrderId }: Pick<ReplyMessage, 'kind' | 'product' | 'clientOrderId'>): string {
  return `${kind}/${product}/${clientOrderId}`;
}

function parseReply(payload: Uint8Array): ReplyMessage | null {
  try {
    const parsed = replyMessage.safeParse(JSON.parse(Buffer.from(payload).toString('utf8')));
    return parsed.success ? parsed.data : null;
  } catch {
    return null;
  }
}

/** A publish that the broker does not take is repeated like one that nobody answers. */
async function publish(bus: DeviceBus, topic: string, payload: Uint8Array): Promise<void> {
  await bus.publish(topic, payload, { qos: 1 }).catch((error: unknown) => {
    if (!isFault(error)) throw error;
  });
}

const LATE = Symbol('late');

async function repeatUntil<Answer>(
  answered: Promise<Answer>,
  send: () => Promise<void>,
  { repeatMs, attempts }: { repeatMs: number; attempts: number },
): Promise<Answer | null> {
  for (let attempt = 0; attempt < attempts; attempt++) {
    void send();
    const answer = await withTimeout(answered, repeatMs);
    if (answer !== LATE) return answer;
  }
  return null;
}

async function withTimeout<Value>(promise: Promise<Value>, timeoutMs: number): Promise<Value | typeof LATE> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<typeof LATE>((resolve) => {
    timer = setTimeout(resolve, timeoutMs, LATE);
  });
  const first = await Promise.race([promise, late]);
  clearTimeout(timer);
  return first;
}
