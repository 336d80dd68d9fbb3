import { recoverCancelSigner, recoverOrderSigner } from '../../adapters/keys/order-signatures.ts';
import type { CancelMessage, OrderMessage } from '../../adapters/mqtt/wire.ts';
import type { EngineEvent } from '../../domain/engine/event.ts';
import type { MarketId, MemberId } from '../../domain/units/identity.ts';
import type { CommandWriter } from './command-writer.ts';

/** The engine's answer to one message. `bad_signature`: nobody is told whether the key exists. */
export interface Verdict {
  readonly ok: boolean;
  readonly code: string;
  readonly sequence?: number;
}

export interface OrderDoor {
  /** Verifies, journals and answers; resolves when the answer is on stable storage. */
  submit(member: string, message: OrderMessage | CancelMessage): Promise<Verdict>;
}

interface DoorTerms {
  readonly market: MarketId;
  readonly chainId: number;
  /** Lower-case EVM addresses by member. */
  readonly addresses: ReadonlyMap<string, string>;
  /** How far the member's clock is off, as its gateway reported. */
  clockOffMs(member: string): number;
}

export function createOrderDoor(writer: CommandWriter, terms: DoorTerms): OrderDoor {
  return {
    async submit(member, message) {
      const address = terms.addresses.get(member);
      if (address === undefined) return { ok: false, code: 'unknown_member' };
      if (signerOf(terms, member as MemberId, message) !== address) return { ok: false, code: 'bad_signature' };
      return verdictOf(await writer.commit(draftOf(terms, member as MemberId, message)));
    },
  };
}

function signerOf(
  { chainId, market }: DoorTerms,
  member: MemberId,
  message: OrderMessage | CancelMessage,
): string | null {
  const { product, clientOrderId, signature } = message;
  const key = { market, product, member, clientOrderId };
  if (product < 0) return null;
  if (message.kind === 'cancel') return recoverCancelSigner(chainId, key, signature);
  const { side, type, limit, energy } = message;
  return recoverOrderSigner(chainId, { ...key, side, type, limit, energy }, signature);
}

function draftOf(terms: DoorTerms, member: MemberId, message: OrderMessage | CancelMessage) {
  const { product, clientOrderId, signature } = message;
  if (message.kind === 'cancel') return { type: 'cancel', product, member, clientOrderId, signature } as const;
  const { side, type: orderType, limit, energy } = message;
  const clockOffMs = terms.clockOffMs(member);
  return {
    type: 'order',
    product,
    member,
    clientOrderId,
    side,
    orderType,
    limit,
    energy,
    clockOffMs,
    signature,
  } as const;
}

function verdictOf(events: readonly EngineEvent[]): Verdict {
  for (const event of events) {
    if (event.type === 'answered') return event.verdict;
  }
  return { ok: false, code: 'unknown_product' };
}
